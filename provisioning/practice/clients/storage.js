// A storage account on loopback for import and export jobs: azurite, started when a row first asks for a container.
'use strict';
const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const blobs = require('@azure/storage-blob');
const { atEnd } = require('./table');

const account = 'practice';
const key = crypto.randomBytes(64).toString('base64');
const port = 10000;
const base = `http://127.0.0.1:${port}/${account}`;
const credential = new blobs.StorageSharedKeyCredential(account, key);

let started;

// start runs azurite until the file's tests are over.
async function start() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'azurite-'));
  const program = path.join(path.dirname(require.resolve('azurite/package.json')), 'dist/src/blob/main.js');
  const process_ = spawn(process.execPath, [program, '--silent', '--loose', '--skipApiVersionCheck',
    '--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', folder],
  { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, AZURITE_ACCOUNTS: `${account}:${key}` } });
  atEnd(() => process_.kill());
  await new Promise((resolve, reject) => {
    let said = '';
    process_.stdout.on('data', (data) => {
      said += data;
      if (said.includes('successfully listens')) resolve();
    });
    process_.once('exit', (code) => reject(new Error(`azurite ended with ${code}: ${said}`)));
  });
}

let count = 0;

const storage = {
  address: (name) => `${base}/${name}`,

  // container makes a container that lasts as long as the test does.
  async container(t) {
    started ??= start();
    await started;
    const name = `container-${++count}`;
    const client = new blobs.ContainerClient(storage.address(name), blobs.newPipeline(credential));
    await client.create();
    t.after(() => client.delete());
    return {
      // uri is the container's address with a signature for some of the rights r, w, d and l.
      uri(rights) {
        const sas = blobs.generateBlobSASQueryParameters({
          containerName: name, permissions: blobs.ContainerSASPermissions.parse(rights), expiresOn: new Date(Date.now() + 3600e3),
        }, credential);
        return `${storage.address(name)}?${sas}`;
      },
      async read(blob) { return (await client.getBlobClient(blob).downloadToBuffer()).toString(); },
      async write(blob, text) { await client.getBlockBlobClient(blob).upload(text, Buffer.byteLength(text)); },
    };
  },
};

module.exports = { storage };
