#!/usr/bin/perl
# The v3 session as Perl resellers sent it: XMLRPC::Lite, nothing changed.
#
#     perl-xmlrpc-lite.pl URL KEY PREFIX
#
# Library habits the gateway meets here:
#   - a plain scalar is sent by what it looks like: a zip code as <int>, a phone
#     number as <double>+33.123456789</double>, a key of digits only as <int>.
#     SOAP::Data->type(string => ...) prevents it;
#   - a string with any byte beyond ASCII is sent as <base64>: of UTF-8 when the
#     string is bytes, as in a source without "use utf8" (so here), of ISO-8859-1
#     when Perl holds it as characters below 256;
#   - undef is sent as <value/>, without a type;
#   - no line ends in the body; "Connection: TE, close", three Accept headers;
#   - strings come back as characters, so bytes must be decoded to compare;
#   - a fault does not die: the answer's fault() is true. Only HTTP failures die.
use strict;
use warnings;
use POSIX qw(strftime);
use Time::HiRes qw(sleep);
use XMLRPC::Lite;

$| = 1;

my $ADDRESS = "12 rue de l'Été & fils <A>";
my ($url, $key, $prefix) = @ARGV;
my $name = "$prefix-mydomain.net";
my $api  = XMLRPC::Lite->proxy($url);

sub fail { print "FAIL @_\n"; exit 1 }
sub ok   { print "ok @_\n" }
sub show { defined $_[0] ? "'$_[0]'" : 'nothing' }
sub str  { SOAP::Data->type(string => $_[0]) }

sub expect {
    my ($what, $expected, $seen) = @_;
    utf8::encode($seen) if defined $seen && utf8::is_utf8($seen);
    fail("$what: expected " . show($expected) . ', saw ' . show($seen))
        unless defined $seen ? defined $expected && $expected eq $seen : !defined $expected;
}

sub send_call {
    my ($method, @params) = @_;
    my $answer = eval { $api->call($method, @params) };
    ref $answer or fail("$method: expected an answer, saw '$@'");
    return $answer;
}

sub call {
    my ($method, @params) = @_;
    my $answer = send_call($method, str($key), @params);
    fail(sprintf '%s: expected an answer, saw fault %s %s', $method, $answer->faultcode, $answer->faultstring)
        if $answer->fault;
    return $answer->result;
}

sub fault {
    my ($what, $code, $text, @call) = @_;
    my $answer = send_call(@call);
    $answer->fault or fail("$what: expected a fault, saw an answer");
    expect("$what, code", $code, $answer->faultcode);
    index($answer->faultstring, $text) >= 0
        or fail("$what: expected '$text' in the text, saw '" . $answer->faultstring . "'");
    ok("fault $code");
}

sub contact {
    my $answer = call('contact.create', {
        given      => 'First Name',
        family     => 'Last Name',
        email      => 'example@example.com',
        streetaddr => $_[0],
        zip        => str('75011'),
        city       => 'Paris',
        country    => 'FR',
        phone      => str('+33.123456789'),
        fax        => undef,                   # goes out as <value />
        type       => 0,
        password   => 'xxxxxxxx',
    });
    $answer->{handle} =~ /^[A-Z]+[0-9]+-GANDI$/
        or fail('contact.create: expected a handle like FLN123-GANDI, saw ' . show($answer->{handle}));
    return $answer->{handle};
}

sub finish {
    my ($what, $op) = @_;
    my @seen;
    for (1 .. 60) {
        my $step = call('operation.info', $op->{id})->{step};
        $step =~ /^(?:BILL|WAIT|RUN|DONE)$/
            or fail("$what: expected a step of BILL WAIT RUN DONE, saw '$step'");
        push @seen, $step unless grep { $_ eq $step } @seen;
        return @seen if $step eq 'DONE';
        sleep 0.5;
    }
    fail("$what: expected step DONE within 30 s, saw @seen");
}

# 1
expect('version.info', '3.3.42', call('version.info')->{api_version});
ok('version.info 3.3.42');

# 2
my $handle = contact($ADDRESS);
ok("contact.create $handle");

# 3
my $info = call('contact.info', $handle);
expect('contact.info given',      'First Name',    $info->{given});
expect('contact.info streetaddr', $ADDRESS,        $info->{streetaddr});
expect('contact.info zip',        '75011',         $info->{zip});
expect('contact.info phone',      '+33.123456789', $info->{phone});
ok('contact.info round trip');

# 4
my $status;
for (1 .. 30) {
    $status = call('domain.available', [$name])->{$name};
    last if $status ne 'pending';
    sleep 0.7;
}
expect('domain.available', 'available', $status);
ok("domain.available $name");

# 5
my $op = call('domain.create', $name, {
    owner       => $handle,
    admin       => $handle,
    bill        => $handle,
    tech        => $handle,
    nameservers => ['a.dns.gandi-ote.net', 'b.dns.gandi-ote.net', 'c.dns.gandi-ote.net'],
    duration    => 1,
});
$op->{id} =~ /^[0-9]+$/ or fail("domain.create id: expected a whole number, saw '$op->{id}'");
expect('domain.create type', 'domain_create', $op->{type});
expect('domain.create step', 'BILL',          $op->{step});
ok("domain.create operation $op->{id}");

# 6
ok('operation.info', finish('operation.info', $op));

# 7; the library keeps the text of a date
$info = call('domain.info', $name);
expect('domain.info fqdn',              $name,   $info->{fqdn});
expect('domain.info contacts.owner',    $handle, $info->{contacts}{owner}{handle});
expect('domain.info contacts has a reseller', 1, exists $info->{contacts}{reseller} ? 1 : 0);
expect('domain.info contacts.reseller', undef,   $info->{contacts}{reseller});
my $end = $info->{date_registry_end};
$end =~ /^\d{8}T\d\d:\d\d:\d\d$/ && $end gt strftime('%Y%m%dT%H:%M:%S', gmtime)
    or fail("domain.info date_registry_end: expected a date to come, saw '$end'");
ok("domain.info ends $end");

# 8
my $handle2 = contact('My Street Address');
$op = call('domain.contacts.set', $name, { admin => $handle2, tech => $handle2, bill => $handle2 });
finish('domain.contacts.set', $op);
$info = call('domain.info', $name);
expect("$_ after domain.contacts.set", $handle2, $info->{contacts}{$_}{handle}) for qw(admin tech bill);
expect('owner after domain.contacts.set', $handle, $info->{contacts}{owner}{handle});
ok("domain.contacts.set $handle2");

# 9
$op = call('domain.owner.set', $name, {
    owner => $handle2, admin => $handle2, bill => $handle2, tech => $handle2, old_owner => $handle,
});
finish('domain.owner.set', $op);
$info = call('domain.info', $name);
expect('owner after domain.owner.set', $handle2, $info->{contacts}{owner}{handle});
ok("domain.owner.set $handle2");

# 10
expect('operation.list length', 3, scalar @{ call('operation.list', { domain => $name }) });
expect('operation.count',       3, call('operation.count', { domain => $name }));
ok('operation.list and operation.count 3');

# 11
fault('domain.info of a foreign name', 510042, 'CAUSE_NOTFOUND', 'domain.info', str($key), "$prefix-notmydomain.net");
fault('wrong key', 510150, 'Invalid API key', 'domain.info', 'abcdefghijklmnopqrstuvwx', $name);
fault('unknown method', 1, '', 'domain.nosuchmethod', str($key));
