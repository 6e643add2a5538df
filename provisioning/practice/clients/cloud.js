// What the rows know of the practice cloud they run against, and the assertions they share.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { NoRetry } = require('azure-iot-common');
const { ProvisioningServiceClient } = require('azure-iot-provisioning-service');
const iothub = require('azure-iothub');

// info is what `practice show --json --show-secrets` printed. PRACTICE_INFO is a file, so that no key is in the
// environment.
let read;
function info() {
  read ??= JSON.parse(fs.readFileSync(process.env.PRACTICE_INFO, 'utf8'));
  return read;
}

const hub = 'hub.practice.test';
const secondHub = 'line2.practice.test';
const dps = 'dps.practice.test';
const global = 'global.practice.test';
const scope = '0ne00PRACTICE';

// newKey is a key as Azure makes them: base64 of 32 random bytes.
const newKey = () => crypto.randomBytes(32).toString('base64');

// deriveKey makes a device's key from a group's, as DPS does.
const deriveKey = (groupKey, registrationId) => crypto.createHmac('sha256', Buffer.from(groupKey, 'base64')).update(registrationId).digest('base64');

// wrongKey puts another key into a connection string.
const wrongKey = (connectionString) => connectionString.replace(/SharedAccessKey=[^;]*/, `SharedAccessKey=${newKey()}`);

const hubString = () => info().hub_connection_string;
const dpsString = () => info().dps_connection_string;
const registry = () => iothub.Registry.fromConnectionString(hubString());
const service = () => ProvisioningServiceClient.fromConnectionString(dpsString());

// hubToken is a token of the hub's policy that ends at expiry, in seconds since 1970.
function hubToken(expiry, string = hubString()) {
  const parts = iothub.ConnectionString.parse(string);
  return iothub.SharedAccessSignature.create(parts.HostName, parts.SharedAccessKeyName, parts.SharedAccessKey, expiry).toString();
}
const now = () => Math.floor(Date.now() / 1000);

// strangers are registries that must be refused: another key, an expired token, a policy that is not there.
const strangers = () => [
  iothub.Registry.fromConnectionString(wrongKey(hubString())),
  iothub.Registry.fromSharedAccessSignature(hubToken(now() - 60)),
  iothub.Registry.fromConnectionString(hubString().replace('iothubowner', 'nobody')),
];

// Entra ID is not played. A credential whose token means nothing shows that a bearer token opens no door.
const bearer = { getToken: async () => ({ token: 'not-a-token', expiresOnTimestamp: Date.now() + 3600e3 }) };

// device creates an identity with symmetric keys and gives it with its connection string.
async function device(deviceId, properties = {}) {
  const { responseBody } = await registry().create({ deviceId, ...properties });
  return { ...responseBody, string: deviceString(deviceId, responseBody.authentication.symmetricKey.primaryKey) };
}
const deviceString = (id, key, host = hub) => `HostName=${host};DeviceId=${id};SharedAccessKey=${key}`;

// module_ creates a module and gives it with its connection string.
async function module_(deviceId, moduleId, properties = {}) {
  const { responseBody } = await registry().addModule({ deviceId, moduleId, ...properties });
  const key = responseBody.authentication.symmetricKey.primaryKey;
  return { ...responseBody, string: `HostName=${hub};DeviceId=${deviceId};ModuleId=${moduleId};SharedAccessKey=${key}` };
}

// refused expects an HTTP client's call to fail with the status and, where given, Azure's name or number for it.
async function refused(call, status, code) {
  let answer;
  try {
    answer = await call;
  } catch (err) {
    if (!err.response) throw err;
    const header = err.response.headers['iothub-errorcode'] ?? err.response.headers['x-ms-error-code'];
    assert.equal(err.response.statusCode, status, `${err.message} ${err.responseBody ?? ''}`);
    if (code !== undefined) assert.match(String(header), new RegExp(`^${code}$`), err.responseBody);
    return err;
  }
  assert.fail(`answered where ${status} was expected: ${JSON.stringify(answer.responseBody ?? answer)?.slice(0, 300)}`);
}

// named expects a call to fail with an error of that name.
async function named(call, name) {
  try {
    await call;
  } catch (err) {
    assert.equal(err.name, name, err.stack);
    return err;
  }
  assert.fail(`no ${name}`);
}

// unauthorized expects an MQTT client's call to be refused by the cloud. The client gives the same error when nothing
// listens at all, so that is told apart.
async function unauthorized(call) {
  const err = await named(call, 'UnauthorizedError');
  assert.doesNotMatch(err.stack, /ECONNREFUSED/);
  return err;
}

// opened opens a device or module client until the test ends. It gives up at the first failure.
async function opened(t, client) {
  client.setRetryPolicy(new NoRetry());
  t.after(() => client.close().catch(() => {}));
  await client.open();
  return client;
}

// practice runs the program's own commands, for what Azure's clients do by AMQP.
function practice(...args) {
  const { program, data } = JSON.parse(process.env.PRACTICE_COMMAND);
  return new Promise((resolve, reject) => {
    execFile(program, ['practice', ...args, '--json', '--data', data], (err, out) => (err ? reject(err) : resolve(out)));
  });
}

// sendToDevice queues a message from the cloud for a device.
const sendToDevice = (deviceId, text, ...options) => practice('send', deviceId, '--text', text, ...options);

// called turns a method that only takes a callback into a promise of its result. It fails when nothing comes within
// ten seconds.
function called(start) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no answer in 10 seconds')), 10000);
    start((err, ...results) => {
      clearTimeout(late);
      if (err) reject(err);
      else resolve(results.length > 1 ? results : results[0]);
    });
  });
}

// event waits for an emitter's event and gives its arguments.
function event(emitter, name, within = 10000) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${name} in ${within / 1000} seconds`)), within);
    emitter.once(name, (...args) => {
      clearTimeout(late);
      resolve(args);
    });
  });
}

// eventually repeats look until it gives something that is true, for ten seconds at most.
async function eventually(look, what) {
  for (const end = Date.now() + 10000; Date.now() < end; await new Promise((r) => setTimeout(r, 100))) {
    const seen = await look();
    if (seen) return seen;
  }
  assert.fail(`not within ten seconds: ${what}`);
}

module.exports = {
  NoRetry, bearer, called, deriveKey, device, deviceString, dps, dpsString, event, eventually, global, hub, hubString, hubToken, info,
  module_, named, newKey, now, opened, practice, refused, registry, scope, secondHub, sendToDevice, service, strangers,
  unauthorized, wrongKey,
};
