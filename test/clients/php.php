<?php
/* The v3 session as PHP resellers sent it: the xmlrpc extension's
 * xmlrpc_encode_request and a stream context, nothing else.
 *
 *     php php.php URL KEY PREFIX
 *
 * Library habits the gateway meets here:
 *   - a body indented by blanks, Connection: close, no User-Agent;
 *   - encoding="iso-8859-1" in the declaration unless told otherwise, with
 *     decimal references for everything beyond ASCII and for & < >;
 *   - that form is broken for characters 200 to 209: É (201) goes out as
 *     &#21;, which no XML parser takes. Whoever had such characters asked for
 *     utf-8 with markup escaping, as the first contact does here; the second
 *     one keeps the default form, with an é (233), which it gets right;
 *   - utf-8 must go with escaping => markup, or each byte becomes a reference;
 *   - array() cannot say whether it is a list or a struct: an empty struct
 *     arrives as an empty array;
 *   - null is sent as <string/>;
 *   - <nil/> is read as null, dates as objects with scalar and timestamp;
 *   - a fault is an ordinary array that xmlrpc_is_fault() recognises;
 *   - answers must have status 200, or file_get_contents gives false.
 */
error_reporting(E_ALL & ~E_DEPRECATED); // utf8_decode, still used everywhere
date_default_timezone_set('UTC');

const ADDRESS = "12 rue de l'Été & fils <A>";
const ADDRESS2 = "3 allée des Tilleuls & <B>";
const STEPS = array('BILL', 'WAIT', 'RUN', 'DONE');

if ($argc != 4) {
    fail('usage: php php.php URL KEY PREFIX');
}
list(, $url, $key, $prefix) = $argv;
$name = $prefix . '-mydomain.net';
$utf8 = array('encoding' => 'utf-8', 'escaping' => 'markup');

function fail($text)
{
    echo "FAIL $text\n";
    exit(1);
}

function expect($what, $expected, $seen)
{
    if ($expected !== $seen) {
        fail("$what: expected " . var_export($expected, true) . ', saw ' . var_export($seen, true));
    }
}

function ok($text)
{
    echo "ok $text\n";
}

/** One call; a fault comes back as an array like any other answer. */
function call($method, $params, $options = array())
{
    global $url;
    $context = stream_context_create(array('http' => array(
        'method' => 'POST',
        'header' => 'Content-Type: text/xml',
        'content' => xmlrpc_encode_request($method, $params, $options))));
    $file = file_get_contents($url, false, $context);
    if ($file === false) {
        fail("$method: expected an answer with status 200, saw none");
    }
    return xmlrpc_decode($file, 'utf-8');
}

function answer($method, $params, $options = array())
{
    $answer = call($method, $params, $options);
    if (is_array($answer) && xmlrpc_is_fault($answer)) {
        fail("$method: expected an answer, saw fault {$answer['faultCode']} {$answer['faultString']}");
    }
    return $answer;
}

function fault($what, $method, $params, $code, $text)
{
    $answer = call($method, $params);
    if (!is_array($answer) || !xmlrpc_is_fault($answer)) {
        fail("$what: expected a fault, saw " . var_export($answer, true));
    }
    expect("$what, code", $code, $answer['faultCode']);
    if ($text !== '' && strpos($answer['faultString'], $text) === false) {
        fail("$what: expected '$text' in the text, saw '{$answer['faultString']}'");
    }
    ok("fault $code");
}

function contact($address, $options)
{
    global $key;
    $contact = answer('contact.create', array($key, array(
        'given' => 'First Name',
        'family' => 'Last Name',
        'email' => 'example@example.com',
        'streetaddr' => $address,
        'zip' => '75011',
        'city' => 'Paris',
        'country' => 'FR',
        'phone' => '+33.123456789',
        'type' => 0,
        'extra_parameters' => array(), // goes out as an empty array
        'fax' => null,                 // goes out as <string/>
        'password' => 'xxxxxxxx')), $options);
    if (!preg_match('/^[A-Z]+[0-9]+-GANDI$/', $contact['handle'])) {
        fail("contact.create: expected a handle like FLN123-GANDI, saw '{$contact['handle']}'");
    }
    return $contact['handle'];
}

function finish($what, $operation)
{
    global $key;
    $seen = array();
    for ($i = 0; $i < 60; $i++) {
        $step = answer('operation.info', array($key, $operation['id']))['step'];
        if (!in_array($step, STEPS, true)) {
            fail("$what: expected a step of " . implode(' ', STEPS) . ", saw '$step'");
        }
        if (!in_array($step, $seen)) {
            $seen[] = $step;
        }
        if ($step === 'DONE') {
            return $seen;
        }
        usleep(500000);
    }
    fail("$what: expected step DONE within 30 s, saw " . implode(' ', $seen));
}

// 1
expect('version.info', '3.3.42', answer('version.info', array($key))['api_version']);
ok('version.info 3.3.42');

// 2
$handle = contact(ADDRESS, $utf8);
ok("contact.create $handle");

// 3
$info = answer('contact.info', array($key, $handle));
expect('contact.info given', 'First Name', $info['given']);
expect('contact.info streetaddr', ADDRESS, $info['streetaddr']);
expect('contact.info zip', '75011', $info['zip']);
expect('contact.info phone', '+33.123456789', $info['phone']);
ok('contact.info round trip');

// 4
for ($i = 0; $i < 30; $i++) {
    $status = answer('domain.available', array($key, array($name)))[$name];
    if ($status !== 'pending') {
        break;
    }
    usleep(700000);
}
expect('domain.available', 'available', $status);
ok("domain.available $name");

// 5
$op = answer('domain.create', array($key, $name, array(
    'owner' => $handle, 'admin' => $handle, 'bill' => $handle, 'tech' => $handle,
    'nameservers' => array('a.dns.gandi-ote.net', 'b.dns.gandi-ote.net', 'c.dns.gandi-ote.net'),
    'duration' => 1)));
expect('domain.create id', 'integer', gettype($op['id']));
expect('domain.create type', 'domain_create', $op['type']);
expect('domain.create step', 'BILL', $op['step']);
ok("domain.create operation {$op['id']}");

// 6
ok('operation.info ' . implode(' ', finish('operation.info', $op)));

// 7
$info = answer('domain.info', array($key, $name));
expect('domain.info fqdn', $name, $info['fqdn']);
expect('domain.info contacts.owner', $handle, $info['contacts']['owner']['handle']);
expect('domain.info contacts has a reseller', true, array_key_exists('reseller', $info['contacts']));
expect('domain.info contacts.reseller', null, $info['contacts']['reseller']);
expect('domain.info date_registry_end', 'datetime', xmlrpc_get_type($info['date_registry_end']));
if ($info['date_registry_end']->timestamp <= time()) {
    fail("domain.info date_registry_end: expected a date to come, saw {$info['date_registry_end']->scalar}");
}
ok("domain.info ends {$info['date_registry_end']->scalar}");

// 8, and the extension's own iso-8859-1 with references
$handle2 = contact(utf8_decode(ADDRESS2), array());
$info = answer('contact.info', array($key, $handle2));
expect('contact.info streetaddr sent as iso-8859-1', ADDRESS2, $info['streetaddr']);
$op = answer('domain.contacts.set', array($key, $name,
    array('admin' => $handle2, 'tech' => $handle2, 'bill' => $handle2)));
finish('domain.contacts.set', $op);
$info = answer('domain.info', array($key, $name));
foreach (array('admin', 'tech', 'bill') as $role) {
    expect("$role after domain.contacts.set", $handle2, $info['contacts'][$role]['handle']);
}
expect('owner after domain.contacts.set', $handle, $info['contacts']['owner']['handle']);
ok("domain.contacts.set $handle2");

// 9
$op = answer('domain.owner.set', array($key, $name, array(
    'owner' => $handle2, 'admin' => $handle2, 'bill' => $handle2, 'tech' => $handle2,
    'old_owner' => $handle)));
finish('domain.owner.set', $op);
$info = answer('domain.info', array($key, $name));
expect('owner after domain.owner.set', $handle2, $info['contacts']['owner']['handle']);
ok("domain.owner.set $handle2");

// 10; an empty option list, again as an empty array, counts all
expect('operation.list length', 3, count(answer('operation.list', array($key, array('domain' => $name)))));
expect('operation.count', 3, answer('operation.count', array($key, array('domain' => $name))));
$all = answer('operation.count', array($key, array()));
if (!is_int($all) || $all < 3) {
    fail('operation.count without options: expected at least 3, saw ' . var_export($all, true));
}
ok('operation.list and operation.count 3');

// 11
fault('domain.info of a foreign name', 'domain.info', array($key, $prefix . '-notmydomain.net'), 510042, 'CAUSE_NOTFOUND');
fault('wrong key', 'domain.info', array('abcdefghijklmnopqrstuvwx', $name), 510150, 'Invalid API key');
fault('unknown method', 'domain.nosuchmethod', array($key), 1, '');
