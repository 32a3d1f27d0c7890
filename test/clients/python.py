#!/usr/bin/env python3
"""The v3 session as a reseller's Python code sends it: xmlrpc.client, nothing changed.

    python.py URL KEY PREFIX

Library habits the gateway meets here:
  * HTTP/1.1 kept alive, so a pause between two polls must not end in an error;
    answers are asked for in gzip;
  * any status but 200 becomes a ProtocolError that hides the fault;
  * <nil/> is read without any switch, only writing it needs allow_none;
  * a dateTime arrives as xmlrpc.client.DateTime unless use_builtin_types is set.
    Legacy code parsed its text with strptime, so does this.
"""
import datetime
import re
import sys
import time
import xmlrpc.client

ADDRESS = "12 rue de l'Été & fils <A>"
STEPS = ("BILL", "WAIT", "RUN", "DONE")


def fail(text):
    print("FAIL " + text)
    sys.exit(1)


def expect(what, expected, seen):
    if expected != seen:
        fail("%s: expected %r, saw %r" % (what, expected, seen))


def ok(text):
    print("ok " + text, flush=True)


def fault(what, call, *args):
    try:
        seen = call(*args)
    except xmlrpc.client.Fault as f:
        return f
    fail("%s: expected a fault, saw %r" % (what, seen))


# Anything not foreseen below: a fault, a missing member, a broken connection.
sys.excepthook = lambda kind, e, _: print("FAIL session: expected an answer, saw %s: %s" % (kind.__name__, e))

url, key, prefix = sys.argv[1:4]
api = xmlrpc.client.ServerProxy(url)
name = prefix + "-mydomain.net"


def contact(address):
    return api.contact.create(key, {
        'given': 'First Name',
        'family': 'Last Name',
        'email': 'example@example.com',
        'streetaddr': address,
        'zip': '75011',
        'city': 'Paris',
        'country': 'FR',
        'phone': '+33.123456789',
        'type': 0,
        'password': 'xxxxxxxx'})


def handle_of(what, answer):
    handle = answer['handle']
    if not re.match(r'^[A-Z]+[0-9]+-GANDI$', handle):
        fail("%s: expected a handle like FLN123-GANDI, saw %r" % (what, handle))
    return handle


def finish(what, op):
    seen = []
    for _ in range(60):
        step = api.operation.info(key, op['id'])['step']
        if step not in STEPS:
            fail("%s: expected a step of %r, saw %r" % (what, STEPS, step))
        if step not in seen:
            seen.append(step)
        if step == 'DONE':
            return seen
        time.sleep(0.5)
    fail("%s: expected step DONE within 30 s, saw %r" % (what, seen))


# 1
expect("version.info", "3.3.42", api.version.info(key)['api_version'])
ok("version.info 3.3.42")

# 2
handle = handle_of("contact.create", contact(ADDRESS))
ok("contact.create " + handle)

# 3
info = api.contact.info(key, handle)
expect("contact.info given", "First Name", info['given'])
expect("contact.info streetaddr", ADDRESS, info['streetaddr'])
expect("contact.info zip", "75011", info['zip'])
expect("contact.info phone", "+33.123456789", info['phone'])
ok("contact.info round trip")

# 4
for _ in range(30):
    status = api.domain.available(key, [name])[name]
    if status != 'pending':
        break
    time.sleep(0.7)
expect("domain.available", "available", status)
ok("domain.available " + name)

# 5
op = api.domain.create(key, name, {
    'owner': handle, 'admin': handle, 'bill': handle, 'tech': handle,
    'nameservers': ['a.dns.gandi-ote.net', 'b.dns.gandi-ote.net',
                    'c.dns.gandi-ote.net'],
    'duration': 1})
expect("domain.create id", int, type(op['id']))
expect("domain.create type", "domain_create", op['type'])
expect("domain.create step", "BILL", op['step'])
ok("domain.create operation %d" % op['id'])

# 6
ok("operation.info " + " ".join(finish("operation.info", op)))

# 7
info = api.domain.info(key, name)
expect("domain.info fqdn", name, info['fqdn'])
expect("domain.info contacts.owner", handle, info['contacts']['owner']['handle'])
expect("domain.info contacts.reseller", None, info['contacts']['reseller'])
expect("domain.info date_registry_end", xmlrpc.client.DateTime, type(info['date_registry_end']))
end = datetime.datetime.strptime(info['date_registry_end'].value, '%Y%m%dT%H:%M:%S')
if end <= datetime.datetime.now():
    fail("domain.info date_registry_end: expected a date to come, saw %s" % end)
ok("domain.info ends %s" % end)

# 8
handle2 = handle_of("second contact.create", contact("My Street Address"))
op = api.domain.contacts.set(key, name, {'admin': handle2, 'tech': handle2, 'bill': handle2})
finish("domain.contacts.set", op)
info = api.domain.info(key, name)
for role in ('admin', 'tech', 'bill'):
    expect("contacts after domain.contacts.set, " + role, handle2, info['contacts'][role]['handle'])
expect("owner after domain.contacts.set", handle, info['contacts']['owner']['handle'])
ok("domain.contacts.set %s" % handle2)

# 9
op = api.domain.owner.set(key, name, {
    'owner': handle2, 'admin': handle2, 'bill': handle2, 'tech': handle2,
    'old_owner': handle})
finish("domain.owner.set", op)
info = api.domain.info(key, name)
expect("owner after domain.owner.set", handle2, info['contacts']['owner']['handle'])
ok("domain.owner.set %s" % handle2)

# 10
ops = api.operation.list(key, {'domain': name})
expect("operation.list length", 3, len(ops))
expect("operation.count", 3, api.operation.count(key, {'domain': name}))
ok("operation.list and operation.count 3")

# 11
f = fault("domain.info of a foreign name", api.domain.info, key, prefix + "-notmydomain.net")
expect("code for a foreign name", 510042, f.faultCode)
if "CAUSE_NOTFOUND" not in f.faultString:
    fail("text for a foreign name: expected CAUSE_NOTFOUND in it, saw %r" % f.faultString)
ok("fault 510042")
f = fault("wrong key", api.domain.info, "abcdefghijklmnopqrstuvwx", name)
expect("code for a wrong key", 510150, f.faultCode)
if "Invalid API key" not in f.faultString:
    fail("text for a wrong key: expected 'Invalid API key' in it, saw %r" % f.faultString)
ok("fault 510150")
f = fault("unknown method", api.domain.nosuchmethod, key)
expect("code for an unknown method", 1, f.faultCode)
ok("fault 1")
