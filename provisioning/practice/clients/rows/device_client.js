// azure-iot-device: a device's client, over MQTT and HTTP.
'use strict';
const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { Client, ConnectionString, Message, SharedAccessKeyAuthenticationProvider, SharedAccessSignature } = require('azure-iot-device');
const { Http } = require('azure-iot-device-http');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');
const iothub = require('azure-iothub');
const { NoRetry, called, device, deviceString, event, eventually, hub, hubString, named, newKey, now, opened, refused, registry, sendToDevice, unauthorized, wrongKey } = require('../cloud');
const { issue } = require('../certificates');
const { methods, notOffered } = require('../table');

const over = (transport) => (string) => Client.fromConnectionString(string, transport);
const mqtt = over(Mqtt);
const http = (string) => {
  const client = Client.fromConnectionString(string, Http);
  client.setRetryPolicy(new NoRetry());
  return client;
};
const key = (string) => ConnectionString.parse(string).SharedAccessKey;
const token = (id, string, expiry = now() + 600) => SharedAccessSignature.create(hub, id, key(string), expiry).toString();
const state = async (id) => (await registry().get(id)).responseBody;

// httpRefused expects the status that the cloud gave to a device's HTTP call.
async function httpRefused(call, status) {
  await assert.rejects(call, (err) => {
    const seen = err.response?.statusCode ?? err.statusCode;
    assert.equal(seen, status, err.stack);
    return true;
  });
}

// used is a client that has sent something: before that this transport's calls fail for want of a user agent.
async function used(string) {
  const client = http(string);
  await client.sendEvent(new Message('m'));
  return client;
}

// received waits for the next message that a client gets over HTTP.
async function received(t, client) {
  await client.setTransportOptions({ interval: 1, drain: false });
  const waiting = event(client, 'message');
  t.after(() => client.close());
  return (await waiting)[0];
}

methods('azure-iot-device', 'Client', {
  fromConnectionString: {
    'a client over MQTT, MQTT over WebSocket or HTTP': async (t) => {
      const { string } = await device('client-string');
      for (const transport of [Mqtt, MqttWs, Http]) {
        const client = await opened(t, over(transport)(string));
        await client.sendEvent(new Message('m'));
        await client.close();
      }
    },
    'UnauthorizedError with another key': async () => {
      const { string } = await device('client-string-wrong');
      for (const transport of [Mqtt, MqttWs]) {
        const client = over(transport)(wrongKey(string));
        client.setRetryPolicy(new NoRetry());
        await unauthorized(client.open());
      }
      await httpRefused(http(wrongKey(string)).sendEvent(new Message('m')), 401);
    },
  },
  fromSharedAccessSignature: {
    'a client as long as the token lives': async (t) => {
      const { string } = await device('client-token');
      const client = await opened(t, Client.fromSharedAccessSignature(token('client-token', string), Mqtt));
      await client.sendEvent(new Message('m'));
    },
    'a policy\'s key may speak for any device': async (t) => {
      await device('client-policy');
      const parts = iothub.ConnectionString.parse(hubString());
      const sas = iothub.SharedAccessSignature.create(`${hub}%2Fdevices%2Fclient-policy`, parts.SharedAccessKeyName, parts.SharedAccessKey, now() + 600).toString();
      await opened(t, Client.fromSharedAccessSignature(sas, Mqtt));
    },
    'UnauthorizedError when it has expired or is another device\'s': async () => {
      const { string } = await device('client-token-old');
      await device('client-token-other');
      for (const sas of [token('client-token-old', string, now() - 60), token('client-token-other', string)]) {
        const client = Client.fromSharedAccessSignature(sas, Mqtt);
        client.setRetryPolicy(new NoRetry());
        await unauthorized(client.open());
      }
    },
  },
  fromAuthenticationProvider: {
    'a client that takes its tokens from the provider': async (t) => {
      const { string } = await device('client-provider');
      await opened(t, Client.fromAuthenticationProvider(SharedAccessKeyAuthenticationProvider.fromConnectionString(string), Mqtt));
    },
    'UnauthorizedError with another key': async (t) => {
      const { string } = await device('client-provider-wrong');
      const client = Client.fromAuthenticationProvider(SharedAccessKeyAuthenticationProvider.fromConnectionString(wrongKey(string)), Mqtt);
      client.setRetryPolicy(new NoRetry());
      await unauthorized(client.open());
    },
  },
  open: {
    'the device is connected, as the registry and its twin say': async (t) => {
      const { string } = await device('client-open');
      await opened(t, mqtt(string));
      assert.equal((await state('client-open')).connectionState, 'Connected');
      assert.equal((await registry().getTwin('client-open')).responseBody.connectionState, 'Connected');
    },
    'UnauthorizedError for a device that is missing or disabled': async () => {
      const { string } = await device('client-open-off', { status: 'disabled' });
      for (const wrong of [string, deviceString('client-open-none', newKey())]) {
        const client = mqtt(wrong);
        client.setRetryPolicy(new NoRetry());
        await unauthorized(client.open());
      }
    },
    'a second connection of the same device ends the first': async (t) => {
      const { string } = await device('client-open-twice');
      const first = await opened(t, mqtt(string));
      const ended = event(first, 'disconnect');
      await opened(t, mqtt(string));
      await ended;
    },
    'the connection ends when the identity is disabled or deleted': async (t) => {
      for (const [id, end] of [['client-open-disabled', async (identity) => registry().update({ ...identity, status: 'disabled' })], ['client-open-deleted', async () => registry().delete('client-open-deleted')]]) {
        const { string, ...identity } = await device(id);
        const ended = event(await opened(t, mqtt(string)), 'disconnect');
        await end(identity);
        await ended;
      }
    },
  },
  close: {
    'the device is disconnected': async (t) => {
      const { string } = await device('client-close');
      const client = await opened(t, mqtt(string));
      await client.close();
      await eventually(async () => (await state('client-close')).connectionState === 'Disconnected', 'Disconnected');
    },
    'nothing to end is no failure': async () => { await mqtt((await device('client-close-never')).string).close(); },
  },
  sendEvent: {
    'acknowledged, with system and own properties; last activity moves': async (t) => {
      const { string, lastActivityTime } = await device('client-send');
      const message = new Message(JSON.stringify({ temperature: 21 }));
      Object.assign(message, { messageId: 'm-1', correlationId: 'c-1', contentType: 'application/json', contentEncoding: 'utf-8' });
      message.properties.add('level', 'a b/ü&=');
      for (const transport of [Mqtt, MqttWs, Http]) {
        const client = await opened(t, over(transport)(string));
        assert.equal((await client.sendEvent(message)).constructor.name, 'MessageEnqueued');
        await client.close();
      }
      await eventually(async () => (await state('client-send')).lastActivityTime > lastActivityTime, 'a later activity');
    },
    'MessageTooLargeError over 256 KB': async (t) => {
      const { string } = await device('client-send-large');
      const large = new Message(Buffer.alloc(256 * 1024 + 1));
      await named((await opened(t, mqtt(string))).sendEvent(large), 'MessageTooLargeError');
      await httpRefused(http(string).sendEvent(large), 413);
    },
    '401 over HTTP for a device that is missing or disabled': async () => {
      const { string } = await device('client-send-off', { status: 'disabled' });
      await httpRefused(http(string).sendEvent(new Message('m')), 401);
      await httpRefused(http(deviceString('client-send-none', newKey())).sendEvent(new Message('m')), 401);
    },
  },
  sendEventBatch: {
    'several messages in one HTTP request': async () => {
      const { string } = await device('client-batch');
      const first = new Message('one');
      first.properties.add('n', '1');
      assert.equal((await http(string).sendEventBatch([first, new Message('two')])).constructor.name, 'MessageEnqueued');
    },
    '401 with another key': async () => {
      const { string } = await device('client-batch-wrong');
      await httpRefused(http(wrongKey(string)).sendEventBatch([new Message('one')]), 401);
    },
    'NotImplementedError over MQTT, by the client itself': async (t) => {
      const { string } = await device('client-batch-mqtt');
      await named((await opened(t, mqtt(string))).sendEventBatch([new Message('one')]), 'NotImplementedError');
    },
  },
  setOptions: {
    'an X.509 device by thumbprint, over MQTT, WebSocket and HTTP': async (t) => {
      const leaf = issue('client-x509');
      await registry().create({ deviceId: 'client-x509', authentication: { x509Thumbprint: { primaryThumbprint: leaf.sha256, secondaryThumbprint: leaf.sha1 } } });
      for (const transport of [Mqtt, MqttWs]) {
        const client = over(transport)(ConnectionString.createWithX509Certificate(hub, 'client-x509'));
        await client.setOptions({ cert: leaf.cert, key: leaf.key });
        await (await opened(t, client)).sendEvent(new Message('m'));
        await client.close();
      }
      const client = http(ConnectionString.createWithX509Certificate(hub, 'client-x509'));
      // This transport never calls back for such options.
      client.setOptions({ cert: leaf.cert, key: leaf.key }, () => {});
      await client.sendEvent(new Message('m'));
    },
    'UnauthorizedError for another certificate of the same name': async () => {
      const [leaf, forged] = [issue('client-x509-forged'), issue('client-x509-forged')];
      await registry().create({ deviceId: 'client-x509-forged', authentication: { x509Thumbprint: { primaryThumbprint: leaf.sha256 } } });
      const client = mqtt(ConnectionString.createWithX509Certificate(hub, 'client-x509-forged'));
      await client.setOptions({ cert: forged.cert, key: forged.key });
      client.setRetryPolicy(new NoRetry());
      await unauthorized(client.open());
    },
    'a model ID, which the twin then names; token times': async (t) => {
      const { string } = await device('client-model');
      const client = mqtt(string);
      await client.setOptions({ modelId: 'dtmi:com:example:Thermostat;1', productInfo: 'practice', tokenRenewal: { tokenValidTimeInSeconds: 600, tokenRenewalMarginInSeconds: 60 } });
      await opened(t, client);
      assert.equal((await registry().getTwin('client-model')).responseBody.modelId, 'dtmi:com:example:Thermostat;1');
    },
    'ArgumentError for a certificate on a device with keys': async () => {
      const client = mqtt((await device('client-options-wrong')).string);
      client.setRetryPolicy(new NoRetry());
      await named(client.setOptions({ cert: 'c', key: 'k' }), 'ArgumentError');
    },
  },
  setTransportOptions: {
    'how often HTTP looks for messages': async (t) => {
      const { string } = await device('client-transport');
      const client = http(string);
      await client.setTransportOptions({ interval: 1 });
      const got = event(client, 'message');
      t.after(() => client.close());
      await sendToDevice('client-transport', 'hello');
      assert.equal((await got)[0].getData().toString(), 'hello');
    },
    'nothing that MQTT would need': async () => { await mqtt((await device('client-transport-mqtt')).string).setTransportOptions({ interval: 1 }); },
  },
  complete: {
    'the message is done with, over HTTP and MQTT': async (t) => {
      const { string } = await device('client-complete');
      await sendToDevice('client-complete', 'over http');
      const client = http(string);
      const message = await received(t, client);
      assert.equal(message.getData().toString(), 'over http');
      assert.equal((await client.complete(message)).constructor.name, 'MessageCompleted');
      await client.close();
      assert.equal((await state('client-complete')).cloudToDeviceMessageCount, 0);
      const mqttClient = await opened(t, mqtt(string));
      const got = event(mqttClient, 'message');
      await sendToDevice('client-complete', 'over mqtt');
      const [second] = await got;
      assert.equal(second.getData().toString(), 'over mqtt');
      await mqttClient.complete(second);
      await eventually(async () => (await state('client-complete')).cloudToDeviceMessageCount === 0, 'an empty queue');
    },
    '412 DeviceMessageLockLost for a lock that is not held': async () => {
      const { string } = await device('client-complete-lost');
      await httpRefused((await used(string)).complete({ lockToken: '00000000-0000-0000-0000-000000000000' }), 412);
    },
  },
  reject: {
    'the message is done with and dead, over HTTP': async (t) => {
      const { string } = await device('client-reject');
      await sendToDevice('client-reject', 'no');
      const client = http(string);
      assert.equal((await client.reject(await received(t, client))).constructor.name, 'MessageRejected');
      await client.close();
      assert.equal((await state('client-reject')).cloudToDeviceMessageCount, 0);
    },
    '412 DeviceMessageLockLost for a lock that is not held': async () => {
      const { string } = await device('client-reject-lost');
      await httpRefused((await used(string)).reject({ lockToken: '00000000-0000-0000-0000-000000000000' }), 412);
    },
    'NotImplementedError over MQTT, by the client itself': async (t) => {
      const client = await opened(t, mqtt((await device('client-reject-mqtt')).string));
      await named(client.reject(new Message('m')), 'NotImplementedError');
    },
  },
  abandon: {
    'the message comes again, over HTTP': async (t) => {
      const { string } = await device('client-abandon');
      await sendToDevice('client-abandon', 'again');
      const client = http(string);
      const message = await received(t, client);
      const second = event(client, 'message');
      assert.equal((await client.abandon(message)).constructor.name, 'MessageAbandoned');
      const [again] = await second;
      assert.equal(again.getData().toString(), 'again');
      assert.equal(again.messageId, message.messageId);
      await client.complete(again);
    },
    '412 DeviceMessageLockLost for a lock that is not held': async () => {
      const { string } = await device('client-abandon-lost');
      await httpRefused((await used(string)).abandon({ lockToken: '00000000-0000-0000-0000-000000000000' }), 412);
    },
    'NotImplementedError over MQTT, by the client itself': async (t) => {
      const client = await opened(t, mqtt((await device('client-abandon-mqtt')).string));
      await named(client.abandon(new Message('m')), 'NotImplementedError');
    },
  },
  getTwin: {
    'desired and reported properties; changes come at once': async (t) => {
      const { string } = await device('client-twin');
      await registry().updateTwin('client-twin', { properties: { desired: { rate: 1 } } }, '*');
      const client = await opened(t, mqtt(string));
      const twin = await client.getTwin();
      assert.deepEqual([twin.properties.desired.rate, twin.properties.desired.$version], [1, 2]);
      await called((done) => twin.properties.reported.update({ firmware: '1.0' }, done));
      const seen = (await registry().getTwin('client-twin')).responseBody.properties.reported;
      assert.deepEqual([seen.firmware, seen.$version], ['1.0', 2]);
      const rates = [];
      twin.on('properties.desired.rate', (rate) => rates.push(rate));
      await new Promise((resolve) => setTimeout(resolve, 300));
      await registry().updateTwin('client-twin', { properties: { desired: { rate: 7 } } }, '*');
      await eventually(async () => rates.includes(7), 'the new rate');
    },
    'an error for reported properties that a twin cannot hold': async (t) => {
      const client = await opened(t, mqtt((await device('client-twin-bad')).string));
      const twin = await client.getTwin();
      await assert.rejects(called((done) => twin.properties.reported.update({ 'a.b': 1 }, done)));
    },
    'NotImplementedError over HTTP, by the client itself': async () => {
      await named(http((await device('client-twin-http')).string).getTwin(), 'NotImplementedError');
    },
  },
  setRetryPolicy: {
    'is the client\'s own: with no repeats a refusal comes at once': async () => {
      const client = mqtt(wrongKey((await device('client-retry')).string));
      let asked = 0;
      client.setRetryPolicy({ shouldRetry: () => { asked++; return false; }, nextRetryTimeout: () => 0 });
      await unauthorized(client.open());
      assert.equal(asked, 1);
    },
    'an ArgumentError for what is no policy': async () => {
      const client = mqtt((await device('client-retry-none')).string);
      assert.throws(() => client.setRetryPolicy({}), { name: 'ArgumentError' });
    },
  },
  updateSharedAccessSignature: {
    'the connection goes on with the new token': async (t) => {
      const { string } = await device('client-renew');
      const client = await opened(t, Client.fromSharedAccessSignature(token('client-renew', string, now() + 60), Mqtt));
      await called((done) => client.updateSharedAccessSignature(token('client-renew', string), done));
      await client.sendEvent(new Message('m'));
    },
    'the connection ends for a token that is not good, though the client says it was updated': async (t) => {
      const { string } = await device('client-renew-bad');
      const client = await opened(t, Client.fromSharedAccessSignature(token('client-renew-bad', string), Mqtt));
      await called((done) => client.updateSharedAccessSignature(token('client-renew-bad', wrongKey(string)), done));
      await eventually(async () => (await state('client-renew-bad')).connectionState === 'Disconnected', 'Disconnected');
    },
  },
  onDeviceMethod: {
    'a call from the service, and the answer': async (t) => {
      const { string } = await device('client-method');
      for (const transport of [Mqtt, MqttWs]) {
        const client = await opened(t, over(transport)(string));
        client.onDeviceMethod('echo', (request, response) => response.send(203, { said: request.payload }, () => {}));
        await new Promise((resolve) => setTimeout(resolve, 300));
        const { result } = await iothub.Client.fromConnectionString(hubString()).invokeDeviceMethod('client-method', { methodName: 'echo', payload: [1, 'two'] });
        assert.deepEqual(result, { status: 203, payload: { said: [1, 'two'] } });
        await client.close();
      }
    },
    'a second handler for the same method is refused by the client': async (t) => {
      const client = await opened(t, mqtt((await device('client-method-twice')).string));
      client.onDeviceMethod('once', () => {});
      assert.throws(() => client.onDeviceMethod('once', () => {}), /already been registered/);
    },
  },
});

const noStorage = 'refused: a practice hub has no storage account for files';
notOffered('azure-iot-device', 'Client', {
  getBlobSharedAccessSignature: { [noStorage]: async () => {
    await httpRefused(http((await device('client-file-sas')).string).getBlobSharedAccessSignature('a.txt'), 400);
  } },
  uploadToBlob: { [noStorage]: async () => {
    await named(http((await device('client-file')).string).uploadToBlob('a.txt', Readable.from([Buffer.from('text')]), 4), 'BlobSasError');
  } },
  notifyBlobUploadStatus: { '404: no upload has begun': async () => {
    await assert.rejects(http((await device('client-file-done')).string).notifyBlobUploadStatus('correlation', true, 200, 'done'), { message: 'Not Found' });
  } },
});
