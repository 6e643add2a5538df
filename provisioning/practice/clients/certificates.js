// Certificates for the rows, made by openssl in a folder of their own.
'use strict';
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

let folder;
let count = 0;

function openssl(...args) {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

// issue makes a certificate with an EC P-256 key, signed by issuer or by itself. The result's cert and key are PEM text,
// chain the certificate and those above it up to the root's child.
function issue(commonName, { issuer, authority = false, days = 30 } = {}) {
  folder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'certificates-'));
  const file = (ending) => path.join(folder, `${count}.${ending}`);
  count++;
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file('key'));
  openssl('req', '-new', '-key', file('key'), '-subj', `/CN=${commonName}`, '-out', file('csr'));
  fs.writeFileSync(file('ext'), authority
    ? 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
    : 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\n');
  const by = issuer ? ['-CA', issuer.certFile, '-CAkey', issuer.keyFile] : ['-signkey', file('key')];
  openssl('x509', '-req', '-in', file('csr'), '-out', file('pem'), '-extfile', file('ext'), '-days', String(days),
    '-set_serial', `0x${crypto.randomBytes(8).toString('hex').replace(/^[89a-f]/, '7')}`, '-sha256', ...by);
  const cert = fs.readFileSync(file('pem'), 'utf8');
  return {
    cert, key: fs.readFileSync(file('key'), 'utf8'), certFile: file('pem'), keyFile: file('key'),
    chain: cert + (issuer && !issuer.isRoot ? issuer.chain : ''), isRoot: !issuer,
    sha256: new crypto.X509Certificate(cert).fingerprint256.replaceAll(':', ''),
    sha1: new crypto.X509Certificate(cert).fingerprint.replaceAll(':', ''),
  };
}

module.exports = { issue };
