#!/usr/bin/env python3
"""The v3 session as two programs without an XML-RPC library send it, replayed.

    raw.py URL KEY PREFIX

lego, a Go program, marshals its calls by hand:
  * no <params>: each <param> stands straight under <methodCall>;
  * two blanks a level, so blanks and line ends around every value;
  * domain names end in a dot;
  * of an answer it reads <int>, <string> and <boolean> by their tags, so these
    must be written out, also in a fault.
It has no arrays; those that the session needs are written in the same manner.

gad, a shell script, also writes the HTTP by hand into a socket:
  * LF alone ends the lines of the head;
  * neither Connection nor Accept-Encoding;
  * it never closes, but reads until the server does;
  * it picks values out of the answer by line: the value it wants stands on the
    line after its name.

Nobody decodes the answers here but this file, so it also holds them to the form
of Python's own xmlrpc library, in which the service answered, byte for byte.
"""
import datetime
import gzip
import http.client
import re
import socket
import sys
import time
import urllib.parse
import xml.etree.ElementTree
import xmlrpc.client
from xml.sax.saxutils import escape

ADDRESS = "12 rue de l'Été & fils <A>"
STEPS = ("BILL", "WAIT", "RUN", "DONE")
SERVER_CLOSES_WITHIN = 30


class Fault(Exception):
    def __init__(self, code, text):
        Exception.__init__(self, "fault %s %s" % (code, text))
        self.code, self.text = code, text


def fail(text):
    print("FAIL " + text)
    sys.exit(1)


def expect(what, expected, seen):
    if expected != seen:
        fail("%s: expected %r, saw %r" % (what, expected, seen))


def ok(text):
    print("ok " + text, flush=True)


url, key, prefix = sys.argv[1:4]
where = urllib.parse.urlsplit(url)
name = prefix + "-mydomain.net"


# What goes out.

def lego_value(value, depth):
    pad = "  " * depth
    if isinstance(value, int):
        body = "%s  <int>%d</int>\n" % (pad, value)
    elif isinstance(value, str):
        body = "%s  <string>%s</string>\n" % (pad, escape(value, {"'": "&#39;", '"': "&#34;"}))
    elif isinstance(value, list):
        body = "%s  <array>\n%s    <data>\n" % (pad, pad)
        body += "".join(lego_value(item, depth + 3) for item in value)
        body += "%s    </data>\n%s  </array>\n" % (pad, pad)
    else:
        body = "%s  <struct>\n" % pad
        for member, item in value.items():
            body += "%s    <member>\n%s      <name>%s</name>\n" % (pad, pad, member)
            body += lego_value(item, depth + 3)
            body += "%s    </member>\n" % pad
        body += "%s  </struct>\n" % pad
    return "%s<value>\n%s%s</value>\n" % (pad, body, pad)


def lego_body(method, params):
    text = '<?xml version="1.0"?>\n<methodCall>\n  <methodName>%s</methodName>\n' % method
    for param in params:
        text += "  <param>\n%s  </param>\n" % lego_value(param, 2)
    return (text + "</methodCall>").encode()


def gad_body(method, params):
    text = '<?xml version="1.0" encoding="utf-8"?>\n<methodCall>\n  <methodName>%s</methodName>\n' % method
    text += "  <params>\n"
    for param in params:
        text += "    <param>\n%s    </param>\n" % lego_value(param, 3)
    return (text + "  </params>\n</methodCall>\n").encode()


# What comes back.

def read_value(what, node):
    kids = list(node)
    if len(kids) != 1:
        fail("%s: expected one typed element in each <value>, saw %r" %
             (what, xml.etree.ElementTree.tostring(node)))
    tag, text = kids[0].tag, kids[0].text or ""
    if tag == "string":
        return text
    if tag == "int":
        return int(text)
    if tag == "boolean":
        return {"0": False, "1": True}[text]
    if tag == "double":
        return float(text)
    if tag == "nil":
        return None
    if tag == "dateTime.iso8601":
        return datetime.datetime.strptime(text, "%Y%m%dT%H:%M:%S")
    if tag == "array":
        return [read_value(what, item) for item in kids[0].findall("data/value")]
    if tag == "struct":
        return {m.find("name").text: read_value(what, m.find("value"))
                for m in kids[0].findall("member")}
    fail("%s: expected the types of the old service, saw <%s>" % (what, tag))


def same_form(what, body):
    """As Python's library would have written the same answer."""
    try:
        values, _ = xmlrpc.client.loads(body)
        again = xmlrpc.client.dumps(values, methodresponse=True, allow_none=True)
    except xmlrpc.client.Fault as f:
        again = xmlrpc.client.dumps(f)
    expect(what + ", form of the answer", again, body.decode())


def decode(what, body):
    same_form(what, body)
    root = xml.etree.ElementTree.fromstring(body)
    fault = root.find("fault/value")
    if fault is not None:
        fault = read_value(what, fault)
        raise Fault(fault["faultCode"], fault["faultString"])
    return read_value(what, root.find("params/param/value"))


# The two ways over.

lego_connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)


def lego_call(method, *params):
    body = lego_body(method, params)
    for attempt in (1, 2):  # Go's client, too, tries again on a kept connection that was closed
        try:
            lego_connection.request("POST", where.path, body, {
                "User-Agent": "goacme-lego", "Content-Type": "text/xml",
                "Accept-Encoding": "gzip"})
            answer = lego_connection.getresponse()
            break
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            lego_connection.close()
            if attempt == 2:
                raise
    body = answer.read()
    expect(method + ", HTTP status", 200, answer.status)
    if answer.getheader("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return decode(method, body)


def gad_send(method, *params):
    """The lines that a shell script sees on its side of the socket."""
    body = gad_body(method, params)
    head = ("POST %s HTTP/1.1\nUser-Agent: gad\nHost: %s\nContent-Type: text/xml\n"
            "Content-Length: %d\n\n" % (where.path, where.netloc, len(body)))
    with socket.create_connection((where.hostname, where.port), timeout=SERVER_CLOSES_WITHIN) as s:
        s.sendall(head.encode() + body)
        seen, limit = b"", time.monotonic() + SERVER_CLOSES_WITHIN
        try:
            while True:
                part = s.recv(65536)
                if not part:
                    break
                seen += part
                if time.monotonic() > limit:
                    raise socket.timeout
        except socket.timeout:
            fail("%s by hand: expected the server to close within %d s, saw it open, after %r" %
                 (method, SERVER_CLOSES_WITHIN, seen))
    lines = seen.decode().replace("\r\n", "\n").split("\n")
    expect(method + " by hand, status line", "HTTP/1.1 200 OK", lines[0])
    return lines


def line_after(method, lines, member):
    """What follows <name>MEMBER</name>, as grep -A1 finds it."""
    want = "<name>%s</name>" % member
    for i, line in enumerate(lines[:-1]):
        if line == want:
            return lines[i + 1]
    fail("%s by hand: expected a line %s, saw\n%s" % (method, want, "\n".join(lines)))


def fault(what, code, text, method, *params):
    try:
        seen = lego_call(method, *params)
    except Fault as f:
        expect(what + ", code", code, f.code)
        if text not in f.text:
            fail("%s: expected %r in the text, saw %r" % (what, text, f.text))
        ok("fault %d" % code)
        return
    fail("%s: expected a fault, saw %r" % (what, seen))


def contact_of(address):
    return {
        "given": "First Name", "family": "Last Name", "email": "example@example.com",
        "streetaddr": address, "zip": "75011", "city": "Paris", "country": "FR",
        "phone": "+33.123456789", "type": 0, "password": "xxxxxxxx"}


def is_handle(what, handle):
    if not re.fullmatch("[A-Z]+[0-9]+-GANDI", handle):
        fail("%s: expected a handle like FLN123-GANDI, saw %r" % (what, handle))
    return handle


def finish(what, op):
    seen = []
    for _ in range(60):
        step = lego_call("operation.info", key, op["id"])["step"]
        if step not in STEPS:
            fail("%s: expected a step of %r, saw %r" % (what, STEPS, step))
        if step not in seen:
            seen.append(step)
        if step == "DONE":
            return seen
        time.sleep(0.5)
    fail("%s: expected step DONE within 30 s, saw %r" % (what, seen))


def session():
    call = lego_call

    # 1
    expect("version.info", "3.3.42", call("version.info", key)["api_version"])
    ok("version.info 3.3.42")

    # 2
    handle = is_handle("contact.create", call("contact.create", key, contact_of(ADDRESS))["handle"])
    ok("contact.create " + handle)

    # 3
    info = call("contact.info", key, handle)
    expect("contact.info given", "First Name", info["given"])
    expect("contact.info streetaddr", ADDRESS, info["streetaddr"])
    expect("contact.info zip", "75011", info["zip"])
    expect("contact.info phone", "+33.123456789", info["phone"])
    ok("contact.info round trip")

    # 4
    for _ in range(30):
        status = call("domain.available", key, [name])[name]
        if status != "pending":
            break
        time.sleep(0.7)
    expect("domain.available", "available", status)
    ok("domain.available " + name)

    # 5
    op = call("domain.create", key, name, {
        "owner": handle, "admin": handle, "bill": handle, "tech": handle,
        "nameservers": ["a.dns.gandi-ote.net", "b.dns.gandi-ote.net", "c.dns.gandi-ote.net"],
        "duration": 1})
    expect("domain.create id", int, type(op["id"]))
    expect("domain.create type", "domain_create", op["type"])
    expect("domain.create step", "BILL", op["step"])
    ok("domain.create operation %d" % op["id"])

    # 6
    ok("operation.info " + " ".join(finish("operation.info", op)))

    # 7, and once more with lego's dot at the end
    info = call("domain.info", key, name)
    expect("domain.info fqdn", name, info["fqdn"])
    expect("domain.info contacts.owner", handle, info["contacts"]["owner"]["handle"])
    expect("domain.info contacts.reseller", None, info["contacts"]["reseller"])
    end = info["date_registry_end"]
    expect("domain.info date_registry_end", datetime.datetime, type(end))
    if end <= datetime.datetime.now():
        fail("domain.info date_registry_end: expected a date to come, saw %s" % end)
    expect("domain.info id with a dot at the end of the name", info["id"],
           call("domain.info", key, name + ".")["id"])
    ok("domain.info ends %s" % end)

    # 8; the second contact is made by hand
    lines = gad_send("contact.create", key, contact_of(ADDRESS))
    found = re.fullmatch("<value><string>(.*)</string></value>",
                         line_after("contact.create", lines, "handle"))
    if not found:
        fail("contact.create by hand: expected the handle on the line after its name, saw\n" +
             "\n".join(lines))
    handle2 = is_handle("contact.create by hand", found.group(1))
    expect("contact.info streetaddr sent by hand", ADDRESS, call("contact.info", key, handle2)["streetaddr"])
    op = call("domain.contacts.set", key, name, {"admin": handle2, "tech": handle2, "bill": handle2})
    finish("domain.contacts.set", op)
    info = call("domain.info", key, name)
    for role in ("admin", "tech", "bill"):
        expect(role + " after domain.contacts.set", handle2, info["contacts"][role]["handle"])
    expect("owner after domain.contacts.set", handle, info["contacts"]["owner"]["handle"])
    ok("domain.contacts.set " + handle2)

    # 9
    op = call("domain.owner.set", key, name, {
        "owner": handle2, "admin": handle2, "bill": handle2, "tech": handle2, "old_owner": handle})
    finish("domain.owner.set", op)
    info = call("domain.info", key, name)
    expect("owner after domain.owner.set", handle2, info["contacts"]["owner"]["handle"])
    ok("domain.owner.set " + handle2)

    # 10
    expect("operation.list length", 3, len(call("operation.list", key, {"domain": name})))
    expect("operation.count", 3, call("operation.count", key, {"domain": name}))
    ok("operation.list and operation.count 3")

    # 11
    fault("domain.info of a foreign name", 510042, "CAUSE_NOTFOUND", "domain.info", key, prefix + "-notmydomain.net")
    fault("wrong key", 510150, "Invalid API key", "domain.info", "abcdefghijklmnopqrstuvwx", name)
    fault("unknown method", 1, "", "domain.nosuchmethod", key)

    # by hand again: an answer and a fault, picked out by line
    lines = gad_send("domain.info", key, name)
    expect("domain.info by hand, line after fqdn", "<value><string>%s</string></value>" % name,
           line_after("domain.info", lines, "fqdn"))
    lines = gad_send("domain.info", key, prefix + "-notmydomain.net")
    expect("fault by hand, line after faultCode", "<value><int>510042</int></value>",
           line_after("domain.info", lines, "faultCode"))
    ok("domain.info by hand, read by line")


try:
    session()
except Exception as e:  # a fault, a missing member, a broken connection
    fail("session: expected an answer, saw %s: %s" % (type(e).__name__, e))
