// The table of everything that Azure's npm packages offer: one row a method, with what the practice cloud makes of it.
// The files in rows/ fill it. Each case of a row is its expected result in words and the code that proves it, so that a
// result cannot be written down without being run. Under node's test runner each row is one test, its cases subtests;
// loaded by document.js and surface.js the same files only fill the table.
'use strict';
const path = require('node:path');
const { test } = require('node:test');

// A file of rows runs them when it is the program itself.
const running = path.dirname(require.main?.filename ?? '') === path.join(__dirname, 'rows');
const rowTimeout = 90000; // milliseconds; a client that waits for an answer that never comes must not stop the others

const table = [];
const endings = [];
let left = 0;

// atEnd has something ended when all rows of the file are through.
const atEnd = (end) => endings.push(end);

// rowEnded leaves the process after the last row. It would not end by itself: a client that could not open keeps the timer
// for its next token.
function rowEnded() {
  left--;
  if (left > 0) return;
  for (const end of endings) end();
  setTimeout(() => process.exit(), 100);
}

// key names a row: "package Class.method", or "package function" for a bare function.
function key(row) {
  return `${row.package} ${row.class ? row.class + '.' : ''}${row.method}`;
}

function add(row) {
  table.push(row);
  if (!running) return;
  left++;
  test(key(row), { timeout: rowTimeout }, async (t) => {
    t.after(rowEnded);
    for (const [result, run] of Object.entries(row.cases)) await t.test(result, run);
  });
}

// methods adds rows for a class, or for bare functions where className is empty. cases maps a method's name to
// { 'expected result': async (t) => proof }.
function methods(packageName, className, cases) {
  for (const [method, of] of Object.entries(cases)) {
    add({ package: packageName, class: className, method, offered: true, cases: of });
  }
}

// notOffered adds rows for what the practice cloud has no service for. They are called all the same: the client must
// get a clear refusal and not wait for ever.
function notOffered(packageName, className, cases) {
  for (const [method, of] of Object.entries(cases)) {
    add({ package: packageName, class: className, method, offered: false, cases: of });
  }
}

module.exports = { atEnd, table, key, methods, notOffered };
