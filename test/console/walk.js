'use strict';
// node walk.js V3_URL ADMIN_URL V3_KEY SCREENSHOTS

const { chromium } = require('playwright-core');
const { call, member } = require('./v3.js');
const inspect = require('./inspect.js');

const [v3, admin, key, shots] = process.argv.slice(2);
const hostile = '<script>alert(document.domain)</script>"\'><img src=x onerror=alert(1)>';
const contact = {
  given: 'Zebulon', family: 'Quackenbush', email: 'zeb@quackenbush.example', streetaddr: '7 Xylophone Lane', zip: '75011',
  city: 'Paris', country: 'FR', phone: '+33.198765432', type: 0, password: 'hunter2hunter2',
};
const secrets = ['Zebulon', 'Quackenbush', 'quackenbush.example', 'Xylophone', '98765432', 'hunter2', key, 'stolenstolenstolenstolen1'];

let passed = 0, failed = 0;
function check(name, wrong) {
  if (wrong.length === 0) {
    passed++;
    return;
  }
  failed++;
  for (const text of wrong) console.log(`FAIL ${name}: ${text}`);
}

// session makes the calls that the pages are to show.
async function session() {
  const python = 'Python-xmlrpc/3.11';
  const handle = member(await call(v3, python, 'contact.create', key, contact), 'handle');
  const all = { owner: handle, admin: handle, bill: handle, tech: handle, duration: 1 };
  const long = 'a-name-that-is-as-long-as-a-label-can-be-so-that-it-must-wrap-1.com';
  const ids = [];
  for (const fqdn of ['console-one.com', 'console-two.net', long]) {
    ids.push(member(await call(v3, python, 'domain.create', key, fqdn, all), 'id'));
  }
  for (const id of ids) {
    for (let tries = 0; ; tries++) {
      const step = member(await call(v3, python, 'operation.info', key, Number(id)), 'step');
      if (step === 'DONE') break;
      if (tries > 100) throw new Error(`operation ${id} stays in ${step}`);
      await new Promise(later => setTimeout(later, 100));
    }
  }
  for (let i = 0; i < 12; i++) await call(v3, python, 'domain.info', key, 'console-one.com');
  for (let i = 0; i < 3; i++) await call(v3, 'XML-RPC for PHP 4.10.1', 'domain.info', key, 'absent.net');
  await call(v3, 'XML-RPC for PHP 4.10.1', 'domain.available', key, ['free.com', 'console-one.com']);
  await call(v3, hostile, 'domain.list', key);
  await call(v3, 'client/1 stolenstolenstolenstolen1', 'contact.info', 'stolenstolenstolenstolen1');
  await call(v3, 'scanner/0.1', 'system.multicall', []);
  const bad = await call(v3, python, 'contact.create', key, { ...contact, phone: '0198765432' });
  if (!bad.includes('<fault>')) throw new Error(`no fault: ${bad}`);
  let n = 0; // a registration in the sandbox takes two seconds, so a page that is to show an open one needs a new one
  const open = () => call(v3, python, 'domain.create', key, `console-open-${++n}.org`, all);
  return { handle, operation: ids[0], open };
}

// watch fails the test for whatever a page complains about.
async function watch(context, complaints) {
  await context.exposeBinding('violated', (_, what) => complaints.push(`policy: ${what}`));
  await context.addInitScript(() => document.addEventListener('securitypolicyviolation',
    e => window.violated(`${e.violatedDirective} ${e.blockedURI}`)));
  context.on('page', page => {
    page.on('console', m => ['error', 'warning'].includes(m.type()) && complaints.push(`${m.type()}: ${m.text()}`));
    page.on('pageerror', e => complaints.push(`error: ${e}`));
    page.on('dialog', d => { complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
    page.on('requestfailed', q => q.failure().errorText !== 'net::ERR_ABORTED' && complaints.push(`request: ${q.url()}`));
    page.on('request', q => q.url().startsWith(admin + '/console/') || complaints.push(`asks for ${q.url()}`));
  });
}

// look shows each page in one width and one scheme.
async function look(browser, pages, width, scheme, open) {
  const complaints = [];
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme });
  await watch(context, complaints);
  const page = await context.newPage();
  for (const [name, path] of pages) {
    let answer = await page.goto(admin + path);
    for (let tries = 0; name === 'operations' && tries < 5 && !await page.locator('table.operations').count(); tries++) {
      await open(); // it may end before a slow browser looks
      answer = await page.goto(admin + path);
    }
    const wrong = await page.evaluate(inspect.layout);
    wrong.push(...await page.evaluate(inspect.structure), ...await page.evaluate(inspect.contrast));
    if (answer.status() !== 200) wrong.push(`status ${answer.status()}`);
    const text = await page.content();
    if (name === 'operations' && !text.includes('domain_create')) wrong.push('the open operation is not there');
    wrong.push(...secrets.filter(s => text.includes(s)).map(s => `it shows ${s}`));
    await page.screenshot({ path: `${shots}/${name}-${width}-${scheme}.png`, fullPage: true });
    check(`${name}, ${width} px, ${scheme}`, [...wrong, ...complaints.splice(0)]);
  }
  await context.close();
}

// keyboard walks each page without a mouse.
async function keyboard(browser, pages, width) {
  const complaints = [];
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  await watch(context, complaints);
  const page = await context.newPage();
  const focused = () => page.evaluate(inspect.focused);
  for (const [name, path] of pages) {
    const wrong = [];
    await page.goto(admin + path);
    const wanted = await page.evaluate(inspect.reachable);
    const order = [];
    for (let i = 0; i < wanted.length + 5; i++) {
      await page.keyboard.press('Tab');
      const now = await focused();
      if (!now || now.number === 0 && order.length > 0) break; // the browser begins anew
      order.push(now.number);
      if (!now.visible) wrong.push(`no focus is seen on ${now.what}`);
      if (!now.inside) wrong.push(`${now.what} is out of sight`);
    }
    if (JSON.stringify(order) !== JSON.stringify(wanted.map((_, i) => i))) {
      wrong.push(`Tab goes through ${order}, want all ${wanted.length}: ${wanted}`);
    }
    await page.goto(admin + path);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    if (!await page.evaluate(inspect.pastTheNavigation)) wrong.push('the skip link does not lead past the navigation');
    check(`${name} by keyboard, ${width} px`, [...wrong, ...complaints.splice(0)]);
  }
  await context.close();
}

// use does with the keyboard what an operator comes for.
async function use(browser, handle) {
  const complaints = [];
  const context = await browser.newContext();
  await watch(context, complaints);
  const page = await context.newPage();
  const wrong = [];
  const expect = async (what, want) => {
    const title = await page.title();
    if (title !== `${want} · v3gate`) wrong.push(`${what} leads to ${title}`);
  };
  await page.goto(admin + '/console/');
  for (const title of ['Overview', 'Calls', 'Callers', 'Operations', 'Handles', 'v5', 'Leaving v3', 'Explain']) {
    await page.locator(`header nav a:text-is("${title}")`).focus();
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    await expect(title, title);
  }
  await page.goto(admin + '/console/handles');
  await page.locator('#handle').focus();
  await page.keyboard.type(handle.toLowerCase());
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await expect('the search', `Handle ${handle}`);
  if (!await page.getByText('Z*** Q***').isVisible()) wrong.push('the contact is not there, masked');
  await page.locator('.as-of a').focus();
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await expect('Reload', `Handle ${handle}`);
  await page.goto(admin + '/console/report');
  if (!await page.getByText(hostile).isVisible()) wrong.push('the hostile User-Agent is not shown as text in the report');
  await page.locator('table.report a:text-is("domain.info")').first().focus();
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await page.locator('#params').focus();
  await page.keyboard.type('"console-one.com"');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await expect('what is explained', 'Explain');
  if (!await page.getByText('curl -sS').isVisible()) wrong.push('there is no command');
  await page.goto(admin + '/console/callers');
  if (!await page.getByText(hostile).isVisible()) wrong.push('the hostile User-Agent is not shown as text');
  check('what an operator does', [...wrong, ...complaints]);
  await context.close();
}

async function main() {
  const seen = await session();
  const pages = [
    ['overview', '/console/'], ['calls', '/console/calls'], ['calls-day', '/console/calls?span=day'], ['callers', '/console/callers'],
    ['operations', '/console/operations'], ['operation', `/console/operations/${seen.operation}`], ['handles', '/console/handles'],
    ['handle', `/console/handles/${seen.handle}`], ['v5', '/console/v5'],
    ['report', '/console/report'], ['report-year', '/console/report?days=365'], ['explain', '/console/explain'],
    ['explained', `/console/explain?method=domain.contacts.set&params=${encodeURIComponent(`"console-one.com" {"tech":"${seen.handle}"}`)}`],
  ];
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium', args: process.getuid() === 0 ? ['--no-sandbox'] : [], // as root it cannot have one
  });
  try {
    for (const width of [1280, 768, 360]) {
      for (const scheme of ['light', 'dark']) await look(browser, pages, width, scheme, seen.open);
    }
    for (const width of [1280, 360]) await keyboard(browser, pages, width);
    await use(browser, seen.handle);
  } finally {
    await browser.close();
  }
}

main().catch(e => { failed++; console.log(`FAIL ${e.stack}`); }).finally(() => {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
});
