# ruby.rb URL: version.info with xmlrpc/client.
require 'xmlrpc/client'

begin
  answer = XMLRPC::Client.new2(ARGV[0]).call('version.info', 'any key')
  puts "api_version #{answer['api_version']}"
rescue OpenSSL::SSL::SSLError => e
  abort "refused: #{e.message}"
end
