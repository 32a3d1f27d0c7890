// The v3 session as Node resellers sent it: the npm package xmlrpc 1.3.2,
// nothing changed.
//
//     NODE_PATH=.../node_modules node node.js URL KEY PREFIX
//
// Library habits the gateway meets here:
//   - the body is one line; a string with & < or the like becomes a CDATA
//     section, an empty one <string/>, null <nil/>;
//   - the response parser is strict: exactly one <param>, booleans 0 or 1 only,
//     no element it does not know, and 404 is an error of its own;
//   - dates arrive as Date objects, read in the machine's zone;
//   - Connection: Keep-Alive, whatever the agent does.
'use strict'
const xmlrpc = require('xmlrpc')

const ADDRESS = "12 rue de l'Été & fils <A>"
const STEPS = ['BILL', 'WAIT', 'RUN', 'DONE']
const [url, key, prefix] = process.argv.slice(2)
const name = prefix + '-mydomain.net'
const api = xmlrpc.createClient({ url })

class Failed extends Error {}

function expect (what, expected, seen) {
  if (expected !== seen) {
    throw new Failed(`${what}: expected ${JSON.stringify(expected)}, saw ${JSON.stringify(seen)}`)
  }
}

const ok = text => console.log('ok ' + text)
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

function call (method, ...params) {
  return new Promise((resolve, reject) => {
    api.methodCall(method, params, (error, value) => {
      if (error) { error.method = method; reject(error) } else resolve(value)
    })
  })
}

async function fault (what, code, text, ...args) {
  let seen
  try {
    seen = await call(...args)
  } catch (error) {
    if (error.faultCode === undefined) throw error
    expect(what + ', code', code, error.faultCode)
    if (!error.faultString.includes(text)) {
      throw new Failed(`${what}: expected '${text}' in the text, saw '${error.faultString}'`)
    }
    return ok('fault ' + code)
  }
  throw new Failed(`${what}: expected a fault, saw ${JSON.stringify(seen)}`)
}

async function contact (address) {
  const { handle } = await call('contact.create', key, {
    given: 'First Name',
    family: 'Last Name',
    email: 'example@example.com',
    streetaddr: address,
    zip: '75011',
    city: 'Paris',
    country: 'FR',
    phone: '+33.123456789',
    type: 0,
    fax: null, // <nil/>: not given
    mobile: '', // <string/>: not given
    password: 'xxxxxxxx'
  })
  if (!/^[A-Z]+[0-9]+-GANDI$/.test(handle)) {
    throw new Failed(`contact.create: expected a handle like FLN123-GANDI, saw ${JSON.stringify(handle)}`)
  }
  return handle
}

async function finish (what, op) {
  const seen = []
  for (let i = 0; i < 60; i++) {
    const { step } = await call('operation.info', key, op.id)
    if (!STEPS.includes(step)) {
      throw new Failed(`${what}: expected a step of ${STEPS}, saw ${JSON.stringify(step)}`)
    }
    if (!seen.includes(step)) seen.push(step)
    if (step === 'DONE') return seen
    await pause(500)
  }
  throw new Failed(`${what}: expected step DONE within 30 s, saw ${seen}`)
}

async function session () {
  // 1
  expect('version.info', '3.3.42', (await call('version.info', key)).api_version)
  ok('version.info 3.3.42')

  // 2
  const handle = await contact(ADDRESS)
  ok('contact.create ' + handle)

  // 3
  let info = await call('contact.info', key, handle)
  expect('contact.info given', 'First Name', info.given)
  expect('contact.info streetaddr', ADDRESS, info.streetaddr)
  expect('contact.info zip', '75011', info.zip)
  expect('contact.info phone', '+33.123456789', info.phone)
  ok('contact.info round trip')

  // 4
  let status
  for (let i = 0; i < 30; i++) {
    status = (await call('domain.available', key, [name]))[name]
    if (status !== 'pending') break
    await pause(700)
  }
  expect('domain.available', 'available', status)
  ok('domain.available ' + name)

  // 5
  let op = await call('domain.create', key, name, {
    owner: handle,
    admin: handle,
    bill: handle,
    tech: handle,
    nameservers: ['a.dns.gandi-ote.net', 'b.dns.gandi-ote.net', 'c.dns.gandi-ote.net'],
    duration: 1
  })
  expect('domain.create id is an integer', true, Number.isInteger(op.id))
  expect('domain.create type', 'domain_create', op.type)
  expect('domain.create step', 'BILL', op.step)
  ok('domain.create operation ' + op.id)

  // 6
  ok('operation.info ' + (await finish('operation.info', op)).join(' '))

  // 7
  info = await call('domain.info', key, name)
  expect('domain.info fqdn', name, info.fqdn)
  expect('domain.info contacts.owner', handle, info.contacts.owner.handle)
  expect('domain.info contacts.reseller', null, info.contacts.reseller)
  expect('domain.info date_registry_end is a Date', true, info.date_registry_end instanceof Date)
  if (!(info.date_registry_end > new Date())) {
    throw new Failed(`domain.info date_registry_end: expected a date to come, saw ${info.date_registry_end}`)
  }
  ok('domain.info ends ' + info.date_registry_end.toISOString())

  // 8
  const handle2 = await contact('My Street Address')
  op = await call('domain.contacts.set', key, name, { admin: handle2, tech: handle2, bill: handle2 })
  await finish('domain.contacts.set', op)
  info = await call('domain.info', key, name)
  for (const role of ['admin', 'tech', 'bill']) {
    expect(role + ' after domain.contacts.set', handle2, info.contacts[role].handle)
  }
  expect('owner after domain.contacts.set', handle, info.contacts.owner.handle)
  ok('domain.contacts.set ' + handle2)

  // 9
  op = await call('domain.owner.set', key, name, {
    owner: handle2, admin: handle2, bill: handle2, tech: handle2, old_owner: handle
  })
  await finish('domain.owner.set', op)
  info = await call('domain.info', key, name)
  expect('owner after domain.owner.set', handle2, info.contacts.owner.handle)
  ok('domain.owner.set ' + handle2)

  // 10
  expect('operation.list length', 3, (await call('operation.list', key, { domain: name })).length)
  expect('operation.count', 3, await call('operation.count', key, { domain: name }))
  ok('operation.list and operation.count 3')

  // 11
  await fault('domain.info of a foreign name', 510042, 'CAUSE_NOTFOUND', 'domain.info', key, prefix + '-notmydomain.net')
  await fault('wrong key', 510150, 'Invalid API key', 'domain.info', 'abcdefghijklmnopqrstuvwx', name)
  await fault('unknown method', 1, '', 'domain.nosuchmethod', key)
}

session().then(() => process.exit(0), error => {
  console.log('FAIL ' + (error instanceof Failed ? error.message : `${error.method}: expected an answer, saw ${error}`))
  process.exit(1)
})
