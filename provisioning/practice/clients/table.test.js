// Holds the table against the installed packages and against the document.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { documented, read } = require('./document');
const { packages, surface } = require('./surface');
const { key } = require('./table');

const table = read();

test('the table has every public method of the packages, and no other', () => {
  const offered = packages.flatMap((name) => [...surface(name)]).sort();
  const rows = table.map(key).sort();
  assert.deepEqual(rows.filter((row, i) => rows.indexOf(row) !== i), [], 'rows that stand twice');
  assert.deepEqual(offered.filter((name) => !rows.includes(name)), [], 'methods without a row');
  assert.deepEqual(rows.filter((name) => !offered.includes(name)), [], 'rows without a method');
});

test('every row calls its method', () => {
  // The call may stand in a helper of the row's file or in cloud.js.
  const shared = fs.readFileSync(path.join(__dirname, 'cloud.js'), 'utf8');
  const lacking = table.filter((row) => !new RegExp(`[.]${row.method}\\(`).test(fs.readFileSync(row.file, 'utf8') + shared) && row.class !== '');
  assert.deepEqual(lacking.map(key), []);
});

test('the packages are those that the lock file names, unchanged', () => {
  const lock = JSON.parse(fs.readFileSync(path.join(__dirname, 'package-lock.json'), 'utf8'));
  for (const [where, entry] of Object.entries(lock.packages)) {
    assert.ok(!('resolved' in entry), `${where} names a registry`);
    assert.ok(where === '' || entry.integrity || entry.bundled || entry.inBundle, `${where} has no checksum`);
  }
  for (const name of packages) {
    assert.equal(require(`${name}/package.json`).version, lock.packages[`node_modules/${name}`].version, name);
  }
});

test('the document shows the table as it is', () => {
  const { before, after } = documented(table);
  assert.equal(after, before, 'provisioning/practice/clients: npm run document');
});
