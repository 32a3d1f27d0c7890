'use strict';
// A v3 client as small as can be, so that the test can send any User-Agent.

const escape = text => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

function value(v) {
  if (typeof v === 'number') return `<value><int>${v}</int></value>`;
  if (typeof v === 'string') return `<value><string>${escape(v)}</string></value>`;
  if (Array.isArray(v)) return `<value><array><data>${v.map(value).join('')}</data></array></value>`;
  const members = Object.entries(v).map(([name, inner]) => `<member><name>${escape(name)}</name>${value(inner)}</member>`);
  return `<value><struct>${members.join('')}</struct></value>`;
}

// call gives the text of the answer, a fault too.
async function call(url, agent, method, ...params) {
  const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>` +
    params.map(p => `<param>${value(p)}</param>`).join('') + '</params></methodCall>';
  const answer = await fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'text/xml', 'User-Agent': agent } });
  return answer.text();
}

// member reads a member of a struct in an answer.
function member(text, name) {
  const found = new RegExp(`<name>${name}</name>\\s*<value><\\w+>([^<]*)<`).exec(text);
  if (!found) throw new Error(`no ${name} in ${text}`);
  return found[1];
}

module.exports = { call, member };
