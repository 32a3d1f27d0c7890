'use strict';
// What is looked at inside a page. Each function runs in the browser and gives the
// things that are wrong, unless its comment says otherwise.

function layout() {
  const wrong = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) wrong.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('.skip, .only-spoken, pre, svg')) continue;
    const box = e.getBoundingClientRect();
    if (box.width > 0 && (box.right > width + 1 || box.left < -1)) wrong.push(`${e.tagName} "${e.textContent.trim().slice(0, 40)}" ends at ${box.right}`);
  }
  for (const cell of document.querySelectorAll('th, td')) {
    if (cell.scrollWidth > cell.clientWidth + 1) wrong.push(`cell "${cell.textContent.trim().slice(0, 40)}" overflows`);
  }
  return wrong;
}

function structure() {
  const wrong = [], all = what => [...document.querySelectorAll(what)];
  if (all('h1').length !== 1) wrong.push(`${all('h1').length} h1`);
  let level = 0;
  for (const h of all('h1, h2, h3, h4')) {
    const now = Number(h.tagName[1]);
    if (now > level + 1) wrong.push(`${h.tagName} "${h.textContent}" after h${level}`);
    level = now;
  }
  for (const landmark of ['header', 'nav[aria-label]', 'main', 'footer']) if (!document.querySelector(landmark)) wrong.push(`no ${landmark}`);
  for (const th of all('th')) if (!['col', 'row'].includes(th.scope)) wrong.push(`th "${th.textContent}" has no scope`);
  for (const svg of all('svg')) {
    if (svg.getAttribute('role') !== 'img' || !svg.getAttribute('aria-label')) wrong.push('a picture without a text');
  }
  for (const field of all('input')) if (field.labels.length !== 1) wrong.push(`input ${field.name} has no label`);
  for (const e of all('[aria-labelledby]')) if (!document.getElementById(e.getAttribute('aria-labelledby'))) wrong.push(`${e.tagName} is named by nothing`);
  const ids = all('[id]').map(e => e.id);
  if (new Set(ids).size !== ids.length) wrong.push(`an id is used twice: ${ids}`);
  if (document.scripts.length > 0 || all('[style]').length > 0) wrong.push('a script or an inline style');
  if (!document.documentElement.lang || !document.title) wrong.push('no language or title');
  return wrong;
}

// contrast wants 4.5:1 for every text.
function contrast() {
  const wrong = new Set();
  const parse = text => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
    let behind = e, color;
    do {
      color = parse(getComputedStyle(behind).backgroundColor);
      behind = behind.parentElement;
    } while (behind && color.length === 4 && color[3] === 0);
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(color)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) wrong.add(`contrast ${ratio.toFixed(1)} of ${e.tagName}.${e.className}`);
  }
  return [...wrong];
}

const stops = 'a[href], button, input, summary, [tabindex="0"]';

// reachable gives what Tab has to come to, in order, and numbers it.
function reachable(stops) {
  return [...document.querySelectorAll(stops)].filter(e => e.checkVisibility()).map((e, i) => {
    e.stop = i;
    return e.textContent.trim().slice(0, 30) || e.name;
  });
}

// focused gives what has the focus, nothing when that has left the page.
function focused() {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {
    number: e.stop, what: e.textContent.trim().slice(0, 30) || e.name,
    visible: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inside: box.width > 0 && box.left >= -1 && box.right <= innerWidth + 1 && box.bottom > 0 && box.top < innerHeight,
  };
}

// pastTheNavigation tells whether the focus has come to what the page is about.
function pastTheNavigation() { return location.hash === '#main' && document.activeElement.id === 'main'; }

module.exports = { layout, structure, contrast, reachable: `(${reachable})(${JSON.stringify(stops)})`, focused, pastTheNavigation };
