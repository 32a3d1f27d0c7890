#!/usr/bin/ruby
# The v3 session as Ruby resellers sent it: the standard XMLRPC::Client.
#
#     ruby.rb URL KEY PREFIX
#
# Library habits the gateway meets here:
#   - <nil/> is refused unless a constant is changed, which every Ruby client of
#     this API did before its first call, as below;
#   - the body is one line of <i4> and ends in a line end; Content-Type says
#     "text/xml; charset=utf-8";
#   - the answer's Content-Type must be text/xml or application/xml, and its
#     Content-Length the length of what came over the wire (gzip is asked for);
#   - dates arrive as XMLRPC::DateTime, an own class.
require 'xmlrpc/client'

XMLRPC::Config.send(:remove_const, :ENABLE_NIL_PARSER)
XMLRPC::Config.const_set(:ENABLE_NIL_PARSER, true)
XMLRPC::Config.send(:remove_const, :ENABLE_NIL_CREATE)
XMLRPC::Config.const_set(:ENABLE_NIL_CREATE, true)

ADDRESS = "12 rue de l'Été & fils <A>".freeze
STEPS = %w[BILL WAIT RUN DONE].freeze

$stdout.sync = true
url, KEY, prefix = ARGV
name = "#{prefix}-mydomain.net"
API = XMLRPC::Client.new2(url)

def failed(text)
  puts "FAIL #{text}"
  exit 1
end

def expect(what, expected, seen)
  failed("#{what}: expected #{expected.inspect}, saw #{seen.inspect}") unless expected == seen
end

def ok(text)
  puts "ok #{text}"
end

def api(method, *params)
  API.call(method, KEY, *params)
rescue StandardError => e
  code = e.is_a?(XMLRPC::FaultException) ? "fault #{e.faultCode} #{e.faultString}" : e.inspect
  failed("#{method}: expected an answer, saw #{code}")
end

def fault(what, code, text, *call)
  seen = API.call(*call)
  failed("#{what}: expected a fault, saw #{seen.inspect}")
rescue XMLRPC::FaultException => e
  expect("#{what}, code", code, e.faultCode)
  failed("#{what}: expected '#{text}' in the text, saw '#{e.faultString}'") unless e.faultString.include?(text)
  ok("fault #{code}")
end

def contact(address)
  handle = api('contact.create',
               'given' => 'First Name',
               'family' => 'Last Name',
               'email' => 'example@example.com',
               'streetaddr' => address,
               'zip' => '75011',
               'city' => 'Paris',
               'country' => 'FR',
               'phone' => '+33.123456789',
               'type' => 0,
               'fax' => nil, # goes out as <nil/>
               'password' => 'xxxxxxxx')['handle']
  failed("contact.create: expected a handle like FLN123-GANDI, saw #{handle.inspect}") unless handle =~ /\A[A-Z]+[0-9]+-GANDI\z/
  handle
end

def finish(what, operation)
  seen = []
  60.times do
    step = api('operation.info', operation['id'])['step']
    failed("#{what}: expected a step of #{STEPS}, saw #{step.inspect}") unless STEPS.include?(step)
    seen |= [step]
    return seen if step == 'DONE'

    sleep 0.5
  end
  failed("#{what}: expected step DONE within 30 s, saw #{seen}")
end

# 1
expect('version.info', '3.3.42', api('version.info')['api_version'])
ok('version.info 3.3.42')

# 2
handle = contact(ADDRESS)
ok("contact.create #{handle}")

# 3
info = api('contact.info', handle)
expect('contact.info given', 'First Name', info['given'])
expect('contact.info streetaddr', ADDRESS, info['streetaddr'])
expect('contact.info zip', '75011', info['zip'])
expect('contact.info phone', '+33.123456789', info['phone'])
ok('contact.info round trip')

# 4
status = nil
30.times do
  status = api('domain.available', [name])[name]
  break unless status == 'pending'

  sleep 0.7
end
expect('domain.available', 'available', status)
ok("domain.available #{name}")

# 5
op = api('domain.create', name,
         'owner' => handle, 'admin' => handle, 'bill' => handle, 'tech' => handle,
         'nameservers' => ['a.dns.gandi-ote.net', 'b.dns.gandi-ote.net', 'c.dns.gandi-ote.net'],
         'duration' => 1)
expect('domain.create id', Integer, op['id'].class)
expect('domain.create type', 'domain_create', op['type'])
expect('domain.create step', 'BILL', op['step'])
ok("domain.create operation #{op['id']}")

# 6
ok("operation.info #{finish('operation.info', op).join(' ')}")

# 7
info = api('domain.info', name)
expect('domain.info fqdn', name, info['fqdn'])
expect('domain.info contacts.owner', handle, info['contacts']['owner']['handle'])
expect('domain.info contacts has a reseller', true, info['contacts'].key?('reseller'))
expect('domain.info contacts.reseller', nil, info['contacts']['reseller'])
expect('domain.info date_registry_end', XMLRPC::DateTime, info['date_registry_end'].class)
ends = info['date_registry_end'].to_time
failed("domain.info date_registry_end: expected a date to come, saw #{ends}") unless ends > Time.now
ok("domain.info ends #{ends}")

# 8
handle2 = contact('My Street Address')
op = api('domain.contacts.set', name, 'admin' => handle2, 'tech' => handle2, 'bill' => handle2)
finish('domain.contacts.set', op)
info = api('domain.info', name)
%w[admin tech bill].each do |role|
  expect("#{role} after domain.contacts.set", handle2, info['contacts'][role]['handle'])
end
expect('owner after domain.contacts.set', handle, info['contacts']['owner']['handle'])
ok("domain.contacts.set #{handle2}")

# 9
op = api('domain.owner.set', name,
         'owner' => handle2, 'admin' => handle2, 'bill' => handle2, 'tech' => handle2,
         'old_owner' => handle)
finish('domain.owner.set', op)
info = api('domain.info', name)
expect('owner after domain.owner.set', handle2, info['contacts']['owner']['handle'])
ok("domain.owner.set #{handle2}")

# 10
expect('operation.list length', 3, api('operation.list', 'domain' => name).length)
expect('operation.count', 3, api('operation.count', 'domain' => name))
ok('operation.list and operation.count 3')

# 11
fault('domain.info of a foreign name', 510_042, 'CAUSE_NOTFOUND', 'domain.info', KEY, "#{prefix}-notmydomain.net")
fault('wrong key', 510_150, 'Invalid API key', 'domain.info', 'abcdefghijklmnopqrstuvwx', name)
fault('unknown method', 1, '', 'domain.nosuchmethod', KEY)
