// What run.js shows of node's test stream: one line a row on the terminal, everything that a failed one said, and the events
// that .ci/tally adds up, in the file that CLIENTS_EVENTS names.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { inspect } = require('node:util');

const rowsFolder = path.join(__dirname, 'rows') + path.sep;

// cause digs out what a test threw.
function cause(error) {
  while (error?.cause && error.code === 'ERR_TEST_FAILURE') error = error.cause;
  const text = typeof error === 'string' ? error : error?.stack ?? inspect(error);
  return text.split('\n').filter((line) => !/^\s+at .*\(?node:internal/.test(line)).join('\n').replaceAll(__dirname + path.sep, '');
}

module.exports = async function* report(source) {
  const events = fs.openSync(process.env.CLIENTS_EVENTS, 'a');
  const write = (event) => fs.writeSync(events, JSON.stringify({ Package: 'clients', ...event }) + '\n');
  const count = { pass: 0, fail: 0 };
  let said = [];
  for await (const { type, data } of source) {
    if (type === 'test:stderr' || type === 'test:stdout') {
      yield data.message;
      continue;
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const action = type.slice('test:'.length);
    if (data.nesting > 0) {
      if (action === 'fail') said.push(`    ${data.name}\n      ${cause(data.details.error).replaceAll('\n', '\n      ')}\n`);
      continue;
    }
    // A file of rows is a test of its own in some versions; it counts only when it failed to run.
    const isFile = path.resolve(data.name).startsWith(rowsFolder);
    if (isFile && action === 'pass') continue;
    const name = isFile ? path.basename(data.name) : data.name;
    if (action === 'fail' && said.length === 0) said.push(`    ${cause(data.details.error)}\n`);
    count[action]++;
    yield `${action} ${name}  ${(data.details.duration_ms / 1000).toFixed(1)} s\n${said.join('')}`;
    if (said.length > 0) write({ Action: 'output', Test: name, Output: said.join('') });
    write({ Action: action, Test: name, Elapsed: data.details.duration_ms / 1000 });
    said = [];
  }
  fs.closeSync(events);
  yield `clients: ${count.pass} rows passed, ${count.fail} failed\n`;
};
