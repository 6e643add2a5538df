// azure-iot-device: connection strings, tokens, messages, authentication providers and the device's twin.
'use strict';
const assert = require('node:assert/strict');
const {
  Client, ConnectionString, DeviceMethodResponse, Message, SharedAccessKeyAuthenticationProvider, SharedAccessSignature,
  SharedAccessSignatureAuthenticationProvider, X509AuthenticationProvider, getUserAgentString,
} = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const iothub = require('azure-iothub');
const { NoRetry, called, device, deviceString, event, eventually, hub, hubString, newKey, now, opened, registry, unauthorized, wrongKey } = require('../cloud');
const { issue } = require('../certificates');
const { methods } = require('../table');

const keyOf = (made) => made.authentication.symmetricKey.primaryKey;
const by = (provider) => Client.fromAuthenticationProvider(provider, Mqtt);
async function refusedOpen(client) {
  client.setRetryPolicy(new NoRetry());
  await unauthorized(client.open());
}

methods('azure-iot-device', 'ConnectionString', {
  parse: {
    'the parts of a device\'s connection string': async () => {
      const made = await device('parts-parse');
      const parts = ConnectionString.parse(made.string);
      assert.deepEqual([parts.HostName, parts.DeviceId, parts.SharedAccessKey], [hub, 'parts-parse', keyOf(made)]);
    },
    'ArgumentError without a device': () => assert.throws(() => ConnectionString.parse('HostName=h'), { name: 'ArgumentError' }),
  },
  createWithSharedAccessKey: {
    'a string that opens a connection': async (t) => {
      const made = await device('parts-key');
      await opened(t, Client.fromConnectionString(ConnectionString.createWithSharedAccessKey(hub, 'parts-key', keyOf(made)), Mqtt));
    },
    'UnauthorizedError with another key': async () => {
      await device('parts-key-wrong');
      await refusedOpen(Client.fromConnectionString(ConnectionString.createWithSharedAccessKey(hub, 'parts-key-wrong', newKey()), Mqtt));
    },
  },
  createWithX509Certificate: {
    'a string that opens a connection, with the certificate beside it': async (t) => {
      const leaf = issue('parts-x509');
      await registry().create({ deviceId: 'parts-x509', authentication: { x509Thumbprint: { primaryThumbprint: leaf.sha256 } } });
      const client = Client.fromConnectionString(ConnectionString.createWithX509Certificate(hub, 'parts-x509'), Mqtt);
      await client.setOptions({ cert: leaf.cert, key: leaf.key });
      await opened(t, client);
    },
    'UnauthorizedError for a device that has keys': async () => {
      const leaf = issue('parts-x509-keys');
      await device('parts-x509-keys');
      const client = Client.fromConnectionString(ConnectionString.createWithX509Certificate(hub, 'parts-x509-keys'), Mqtt);
      await client.setOptions({ cert: leaf.cert, key: leaf.key });
      await refusedOpen(client);
    },
  },
});

methods('azure-iot-device', 'SharedAccessSignature', {
  create: {
    'a token that opens a connection': async (t) => {
      const made = await device('parts-sas');
      await opened(t, Client.fromSharedAccessSignature(SharedAccessSignature.create(hub, 'parts-sas', keyOf(made), now() + 60).toString(), Mqtt));
    },
    'the second key is as good': async (t) => {
      const made = await device('parts-sas-second');
      await opened(t, Client.fromSharedAccessSignature(SharedAccessSignature.create(hub, 'parts-sas-second', made.authentication.symmetricKey.secondaryKey, now() + 60).toString(), Mqtt));
    },
    'UnauthorizedError for another hub\'s': async () => {
      const made = await device('parts-sas-hub');
      const sas = SharedAccessSignature.create('line2.practice.test', 'parts-sas-hub', keyOf(made), now() + 60).toString();
      await refusedOpen(Client.fromSharedAccessSignature(sas, Mqtt));
    },
  },
  parse: {
    'a token\'s parts': async () => {
      const { sr, se } = SharedAccessSignature.parse(SharedAccessSignature.create(hub, 'd', newKey(), 1900000000).toString());
      assert.deepEqual([sr, String(se)], [`${hub}%2Fdevices%2Fd`, '1900000000']);
    },
    'ArgumentError for what is none': () => assert.throws(() => SharedAccessSignature.parse('SharedAccessSignature sr=x'), { name: 'ArgumentError' }),
  },
});

methods('azure-iot-device', 'Message', {
  getData: { 'what is sent': async (t) => {
    const message = new Message('text');
    assert.equal(message.getData(), 'text');
    await (await opened(t, Client.fromConnectionString((await device('message-data')).string, Mqtt))).sendEvent(message);
  } },
  getBytes: { 'what is sent, as bytes': () => assert.deepEqual(new Message('ü').getBytes(), Buffer.from('ü')) },
  setAsSecurityMessage: { 'a message that the hub takes': async (t) => {
    const message = new Message('{}');
    message.setAsSecurityMessage();
    await (await opened(t, Client.fromConnectionString((await device('message-security')).string, Mqtt))).sendEvent(message);
  } },
  isBufferConvertible: { 'what can be sent': () => {
    assert.deepEqual([Message.isBufferConvertible('x'), Message.isBufferConvertible(Buffer.alloc(1)), Message.isBufferConvertible({})], [true, true, false]);
  } },
});

methods('azure-iot-device', 'DeviceMethodResponse', {
  send: {
    'the answer that the service gets': async (t) => {
      const { string } = await device('response-send');
      const client = await opened(t, Client.fromConnectionString(string, Mqtt));
      let second;
      client.onDeviceMethod('m', async (request, response) => {
        assert.ok(response instanceof DeviceMethodResponse);
        await response.send(418, { tea: true });
        second = response.send(200, {});
        second.catch(() => {});
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { result } = await iothub.Client.fromConnectionString(hubString()).invokeDeviceMethod('response-send', { methodName: 'm' });
      assert.deepEqual(result, { status: 418, payload: { tea: true } });
      await assert.rejects(second, /already ended/);
    },
  },
});

methods('azure-iot-device', 'X509AuthenticationProvider', {
  fromX509Options: {
    'a provider that opens a connection': async (t) => {
      const leaf = issue('provider-x509');
      await registry().create({ deviceId: 'provider-x509', authentication: { x509Thumbprint: { primaryThumbprint: leaf.sha256 } } });
      await opened(t, by(X509AuthenticationProvider.fromX509Options('provider-x509', hub, { cert: leaf.cert, key: leaf.key })));
    },
    'UnauthorizedError with a certificate that the hub does not know': async () => {
      const leaf = issue('provider-x509-none');
      await registry().create({ deviceId: 'provider-x509-none', authentication: { x509Thumbprint: { primaryThumbprint: 'AB'.repeat(32) } } });
      await refusedOpen(by(X509AuthenticationProvider.fromX509Options('provider-x509-none', hub, { cert: leaf.cert, key: leaf.key })));
    },
  },
  setX509Options: {
    'another certificate for the next connection': async (t) => {
      const [old, renewed] = [issue('provider-x509-new'), issue('provider-x509-new')];
      await registry().create({ deviceId: 'provider-x509-new', authentication: { x509Thumbprint: { primaryThumbprint: renewed.sha256 } } });
      const provider = X509AuthenticationProvider.fromX509Options('provider-x509-new', hub, { cert: old.cert, key: old.key });
      await refusedOpen(by(provider));
      provider.setX509Options({ cert: renewed.cert, key: renewed.key });
      await opened(t, by(provider));
    },
  },
  getDeviceCredentials: {
    'host, device and certificate': async () => {
      const provider = X509AuthenticationProvider.fromX509Options('d', hub, { cert: 'c', key: 'k' });
      assert.deepEqual(await provider.getDeviceCredentials(), { deviceId: 'd', host: hub, x509: { cert: 'c', key: 'k' } });
    },
  },
});

methods('azure-iot-device', 'SharedAccessSignatureAuthenticationProvider', {
  fromSharedAccessSignature: {
    'a provider that opens a connection': async (t) => {
      const made = await device('provider-sas');
      await opened(t, by(SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(SharedAccessSignature.create(hub, 'provider-sas', keyOf(made), now() + 60).toString())));
    },
    'UnauthorizedError when it has expired': async () => {
      const made = await device('provider-sas-old');
      await refusedOpen(by(SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(SharedAccessSignature.create(hub, 'provider-sas-old', keyOf(made), now() - 60).toString())));
    },
  },
  updateSharedAccessSignature: {
    'another token for the next connection': async (t) => {
      const made = await device('provider-sas-new');
      const provider = SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(SharedAccessSignature.create(hub, 'provider-sas-new', newKey(), now() + 60).toString());
      await refusedOpen(by(provider));
      provider.updateSharedAccessSignature(SharedAccessSignature.create(hub, 'provider-sas-new', keyOf(made), now() + 60).toString());
      await opened(t, by(provider));
    },
  },
  getDeviceCredentials: {
    'host, device and token': async () => {
      const token = SharedAccessSignature.create(hub, 'd', newKey(), now() + 60).toString();
      const { host, deviceId, sharedAccessSignature } = await SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(token).getDeviceCredentials();
      assert.deepEqual([host, deviceId, sharedAccessSignature], [hub, 'd', token]);
    },
  },
  stop: { 'nothing to stop': () => SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(SharedAccessSignature.create(hub, 'd', newKey(), now() + 60).toString()).stop() },
});

methods('azure-iot-device', 'SharedAccessKeyAuthenticationProvider', {
  fromConnectionString: {
    'a provider that opens a connection': async (t) => {
      await opened(t, by(SharedAccessKeyAuthenticationProvider.fromConnectionString((await device('provider-key')).string)));
    },
    'UnauthorizedError with another key': async () => {
      await refusedOpen(by(SharedAccessKeyAuthenticationProvider.fromConnectionString(wrongKey((await device('provider-key-wrong')).string))));
    },
  },
  setTokenRenewalValues: {
    'the connection is made again with a new token in time': async (t) => {
      const { string } = await device('provider-renew');
      const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(string);
      provider.setTokenRenewalValues(3, 2);
      const renewed = event(provider, 'newTokenAvailable');
      const client = await opened(t, by(provider));
      await renewed;
      await client.sendEvent(new Message('after the renewal'));
    },
    'ArgumentError for a margin longer than the life': () => {
      const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(deviceString('d', newKey()));
      assert.throws(() => provider.setTokenRenewalValues(10, 20), { name: 'ArgumentError' });
    },
  },
  getDeviceCredentials: {
    'host, device and a token that the hub takes': async (t) => {
      const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString((await device('provider-credentials')).string);
      const { sharedAccessSignature } = await provider.getDeviceCredentials();
      provider.stop();
      await opened(t, Client.fromSharedAccessSignature(sharedAccessSignature, Mqtt));
    },
  },
  stop: {
    'no further token is made': async () => {
      const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(deviceString('d', newKey()));
      await provider.getDeviceCredentials();
      provider.stop();
    },
  },
});

methods('azure-iot-device', 'Twin', {
  get: {
    'reads the twin anew': async (t) => {
      const { string } = await device('device-twin-get');
      const twin = await (await opened(t, Client.fromConnectionString(string, Mqtt))).getTwin();
      await registry().updateTwin('device-twin-get', { properties: { desired: { later: true } } }, '*');
      await twin.get();
      assert.equal(twin.properties.desired.later, true);
    },
  },
  setRetryPolicy: {
    'is asked when the twin cannot be read': async (t) => {
      const client = await opened(t, Client.fromConnectionString((await device('device-twin-retry')).string, Mqtt));
      const twin = await client.getTwin();
      let asked = 0;
      twin.setRetryPolicy({ shouldRetry: () => { asked++; return false; }, nextRetryTimeout: () => 0 });
      await assert.rejects(called((done) => twin.properties.reported.update({ 'no.dots': 1 }, done)));
      assert.equal(asked, 1);
    },
  },
  enableTwinDesiredPropertiesUpdates: {
    'changes come to who listens': async (t) => {
      const { string } = await device('device-twin-desired');
      const twin = await (await opened(t, Client.fromConnectionString(string, Mqtt))).getTwin();
      const seen = [];
      twin.on('properties.desired', (delta) => seen.push(delta));
      await called((done) => twin.enableTwinDesiredPropertiesUpdates(done));
      await registry().updateTwin('device-twin-desired', { properties: { desired: { a: { b: 1 } } } }, '*');
      await eventually(async () => seen.some((delta) => delta.a?.b === 1 && delta.$version === 2), 'the change');
    },
  },
});

methods('azure-iot-device', '', {
  getUserAgentString: {
    'what the device calls itself; the hub takes it as it is': async () => assert.match(await getUserAgentString('(practice)'), /^azure-iot-device\/1\.18\.4 \(.*\)\(practice\)$/),
  },
});
