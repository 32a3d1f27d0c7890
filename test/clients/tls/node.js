// node.js URL [ADDRESS]: version.info with npm xmlrpc as it comes. ADDRESS is
// connected to instead of the URL's host, whose name is verified all the same.
'use strict';
const xmlrpc = require('xmlrpc');

const url = new URL(process.argv[2]);
const options = { host: url.hostname, port: url.port || 443, path: url.pathname };
if (process.argv[3]) {
  const address = process.argv[3];
  options.lookup = (host, how, done) =>
    how.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4);
}
xmlrpc.createSecureClient(options).methodCall('version.info', ['any key'], (error, value) => {
  if (error) {
    console.error('refused: ' + error.message);
    process.exit(1);
  }
  console.log('api_version', value.api_version);
});
