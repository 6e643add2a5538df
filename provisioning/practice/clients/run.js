// Runs the tests: every file in rows/, several at a time because most of them wait for answers, then the checks of the
// table itself. Arguments are names of files, for some of them only.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { run } = require('node:test');
const report = require('./report');

const folder = path.join(__dirname, 'rows');
const chosen = process.argv.slice(2);
const files = fs.readdirSync(folder)
  .filter((name) => chosen.length === 0 || chosen.includes(path.basename(name, '.js')))
  .map((name) => path.join(folder, name));
if (chosen.length === 0) files.push(path.join(__dirname, 'table.test.js'));

const stream = run({ files, concurrency: 5 });
stream.on('test:fail', () => { process.exitCode = 1; });
stream.compose(report).pipe(process.stdout);
