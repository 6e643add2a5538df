// agreement.js reads a question from standard input: the socket of a software TPM, two free ports, keys that DPS sealed
// for that TPM, and a string. It writes what azure-iot-security-tpm and azure-iot-provisioning-device make of them:
// keys, registration ID, the requests of a whole registration, and the signature of the string. provisioning/conformance
// asks it, and compares with Edgewright.
'use strict';
const fs = require('node:fs');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { Http } = require('azure-iot-provisioning-device-http');
const { bridge } = require('./tpm');

const called = (call) => new Promise((resolve, reject) => call((err, value) => (err ? reject(err) : resolve(value))));

// recorder stands in the place of the network: it keeps each request, and answers as DPS does, with 401 and a key for
// the TPM first, with the assignment and another key then.
function recorder(sealed, registration) {
  const requests = [];
  const answers = [
    { status: 401, body: { authenticationKey: sealed, keyName: 'registration' } },
    { status: 200, body: { operationId: 'o', status: 'assigned', registrationState: { ...registration, tpm: { authenticationKey: sealed } } } },
  ];
  const buildRequest = (method, path, headers, host, options, done) => {
    const answer = typeof options === 'function' ? options : done;
    const request = { method, path, authorization: headers.Authorization ?? '', body: '' };
    return {
      on() {},
      setTimeout() {},
      write(chunk) { request.body += chunk; },
      end() {
        const { status, body } = answers[Math.min(requests.length, answers.length - 1)];
        requests.push(request);
        const failed = status > 299 ? new Error(`${status}`) : null;
        process.nextTick(() => answer(failed, JSON.stringify(body), { statusCode: status, headers: { 'content-type': 'application/json; charset=utf-8' } }));
      },
    };
  };
  return { requests, base: { buildRequest, setOptions() {} } };
}

async function main() {
  const question = JSON.parse(fs.readFileSync(0, 'utf8'));
  const tpm = await bridge(question.socket, question.port);
  const client = tpm.client(question.registrationId || undefined);
  const answer = {
    endorsementKey: (await called((done) => client.getEndorsementKey(done))).toString('base64'),
    storageRootKey: (await called((done) => client.getStorageRootKey(done))).toString('base64'),
    registrationId: await called((done) => client.getRegistrationId(done)),
  };
  const network = recorder(question.sealed, { registrationId: answer.registrationId, assignedHub: 'hub.practice.test', deviceId: answer.registrationId, status: 'assigned' });
  await called((done) => ProvisioningDeviceClient.create('global.practice.test', question.idScope, new Http(network.base), client).register(done));
  answer.requests = network.requests;
  // The key in the TPM is that of the last answer.
  answer.signature = (await called((done) => client.signWithIdentity(Buffer.from(question.sign), done))).toString('base64');
  return answer;
}

main().then(
  (answer) => { fs.writeFileSync(1, JSON.stringify(answer)); process.exit(0); },
  (err) => { console.error(err); process.exit(1); },
);
