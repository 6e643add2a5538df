// A software TPM for azure-iot-security-tpm. The package speaks to a TPM by the protocol of Microsoft's simulator, on two
// ports; swtpm has a bare stream of commands. What stands between them here is a bridge.
'use strict';
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { TpmSecurityClient } = require('azure-iot-security-tpm');
const tss = require('tss.js');
const { atEnd } = require('./table');

const signal = { powerOn: 1, sendCommand: 8, sessionEnd: 20, handshake: 15 };

// Bytes reads from a socket as much as is asked for.
class Bytes {
  constructor(socket) {
    this.held = Buffer.alloc(0);
    this.wanted = [];
    socket.on('data', (data) => {
      this.held = Buffer.concat([this.held, data]);
      this.serve();
    });
  }

  serve() {
    while (this.wanted.length > 0 && this.held.length >= this.wanted[0].size) {
      const { size, resolve } = this.wanted.shift();
      resolve(this.held.subarray(0, size));
      this.held = this.held.subarray(size);
    }
  }

  take(size) {
    return new Promise((resolve) => {
      this.wanted.push({ size, resolve });
      this.serve();
    });
  }

  async number() { return (await this.take(4)).readUInt32BE(); }
}

const uint32 = (...numbers) => {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((n, i) => bytes.writeUInt32BE(n, 4 * i));
  return bytes;
};

// serveCommands answers one client of the command port with what the TPM answers.
async function serveCommands(socket, tpm) {
  const from = new Bytes(socket);
  for (;;) {
    switch (await from.number()) {
      case signal.handshake:
        await from.number(); // the client's version
        socket.write(uint32(1, 0, 0));
        break;
      case signal.sendCommand: {
        await from.take(1); // the locality
        const response = await tpm(await from.take(await from.number()));
        socket.write(Buffer.concat([uint32(response.length), response, uint32(0)]));
        break;
      }
      case signal.sessionEnd:
        socket.end();
        return;
      default:
        socket.write(uint32(0));
    }
  }
}

// servePlatform says yes to whatever the platform port is asked: power and NV are on.
async function servePlatform(socket) {
  const from = new Bytes(socket);
  for (;;) {
    if (await from.number() === signal.sessionEnd) return socket.end();
    socket.write(uint32(0));
  }
}

const listen = (port, serve) => new Promise((resolve, reject) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => resolve(server));
});

// bridge leads from port and port+1 to the socket of a software TPM.
async function bridge(path, port) {
  const socket = net.connect(path);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const from = new Bytes(socket);
  // One command at a time: the length of an answer stands in its third to sixth byte.
  let last = Promise.resolve();
  const tpm = (command) => {
    last = last.then(async () => {
      socket.write(command);
      const head = await from.take(6);
      return Buffer.concat([head, await from.take(head.readUInt32BE(2) - 6)]);
    });
    return last;
  };
  const servers = [await listen(port, (s) => serveCommands(s, tpm)), await listen(port + 1, servePlatform)];
  atEnd(() => { socket.destroy(); servers.forEach((server) => server.close()); });
  return {
    port,
    // client is the package's security client over this TPM.
    client: (registrationId) => new TpmSecurityClient(registrationId, new tss.Tpm(true, '127.0.0.1', port)),
  };
}

// softwareTPM starts a new TPM, and a bridge on port and port+1. It has the keys that a maker puts in.
async function softwareTPM(port) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tpm-'));
  const file = (name) => path.join(folder, name);
  for (const name of ['state', 'ca']) fs.mkdirSync(file(name));
  fs.writeFileSync(file('localca.conf'), `statedir = ${file('ca')}\nsigningkey = ${file('ca/key.pem')}\nissuercert = ${file('ca/cert.pem')}\ncertserial = ${file('ca/serial')}\n`);
  fs.writeFileSync(file('localca.options'), '');
  fs.writeFileSync(file('setup.conf'), `create_certs_tool= /usr/bin/swtpm_localca\ncreate_certs_tool_config = ${file('localca.conf')}\ncreate_certs_tool_options = ${file('localca.options')}\n`);
  execFileSync('swtpm_setup', ['--tpm2', '--tpm-state', file('state'), '--create-ek-cert', '--create-spk', '--overwrite', '--config', file('setup.conf')], { stdio: 'pipe' });
  const swtpm = spawn('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${file('state')}`, '--server', `type=unixio,path=${file('s')}`, '--ctrl', `type=unixio,path=${file('c')}`, '--flags', 'not-need-init,startup-clear'], { stdio: 'ignore' });
  atEnd(() => swtpm.kill());
  while (!fs.existsSync(file('s'))) await new Promise((resolve) => setTimeout(resolve, 10));
  return bridge(file('s'), port);
}

module.exports = { bridge, softwareTPM };
