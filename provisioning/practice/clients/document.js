// Writes the table into docs/practice-cloud.md: `node document.js --write`, or `npm run document`.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { packages } = require('./surface');
const { table } = require('./table');

const file = path.join(__dirname, '../../../docs/practice-cloud.md');
const begin = '<!-- generated: clients -->\n';
const end = '<!-- end -->\n';

// read loads all rows, each with the file that it stands in.
function read() {
  const folder = path.join(__dirname, 'rows');
  for (const name of fs.readdirSync(folder).sort()) {
    const known = table.length;
    require(path.join(folder, name));
    for (const row of table.slice(known)) row.file = path.join(folder, name);
  }
  return table;
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('$', '\\$');

function render(rows) {
  const cases = rows.reduce((sum, row) => sum + Object.keys(row.cases).length, 0);
  const refused = rows.filter((row) => !row.offered);
  let text = `${rows.length} methods, ${cases} cases; ${refused.length} of the methods are not offered.\n`;
  for (const name of packages) {
    const { version } = require(`${name}/package.json`);
    text += `\n### ${name} ${version}\n\n| method | result |\n| --- | --- |\n`;
    for (const row of rows.filter((r) => r.package === name)) {
      const results = Object.keys(row.cases).map(cell).join('<br>');
      text += `| \`${row.class ? row.class + '.' : ''}${row.method}\` | ${row.offered ? '' : '**not offered**: '}${results} |\n`;
    }
  }
  return text;
}

// documented gives the document as it is, and as it is with the table in it.
function documented(rows) {
  const before = fs.readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  const [head, rest] = before.split(begin);
  const tail = rest.slice(rest.indexOf(end));
  return { before, after: head + begin + render(rows) + tail };
}

module.exports = { documented, read };

if (require.main === module) {
  const { before, after } = documented(read());
  if (process.argv[2] === '--write') fs.writeFileSync(file, after);
  else process.exitCode = after === before ? 0 : 1;
}
