// azure-iot-device-http: the transport itself.
'use strict';
const assert = require('node:assert/strict');
const { Message, SharedAccessKeyAuthenticationProvider, SharedAccessSignature, SharedAccessSignatureAuthenticationProvider, X509AuthenticationProvider } = require('azure-iot-device');
const { Http, clientFromConnectionString } = require('azure-iot-device-http');
const { NoRetry, called, device, deviceString, event, hub, newKey, now, registry, sendToDevice, wrongKey } = require('../cloud');
const { issue } = require('../certificates');
const { methods } = require('../table');

const over = (string) => new Http(SharedAccessKeyAuthenticationProvider.fromConnectionString(string));
const noLock = { lockToken: '00000000-0000-0000-0000-000000000000' };

async function refused(call, status) {
  await assert.rejects(call, (err) => {
    assert.equal(err.response?.statusCode, status, err.stack);
    return true;
  });
}

// waiting makes a device for which a message waits, and gives it to the transport.
async function waiting(t, id) {
  const { string } = await device(id);
  await sendToDevice(id, 'hello', '--property', 'n=7');
  const transport = over(string);
  t.after(() => called((done) => transport.disconnect(done)));
  await called((done) => transport.setOptions({ manualPolling: true, drain: false }, done));
  return { transport, message: await receive(transport) };
}

// used is a transport that has sent something: before that its calls fail for want of a user agent.
async function used(string) {
  const transport = over(string);
  await called((done) => transport.sendEvent(new Message('m'), done));
  return transport;
}

async function receive(transport) {
  const got = event(transport, 'message');
  transport.receive();
  return (await got)[0];
}

const count = async (id) => (await registry().get(id)).responseBody.cloudToDeviceMessageCount;
const notOverHttp = 'NotImplementedError, by the client itself';
const unimplemented = (call) => ({ [notOverHttp]: async () => {
  const transport = over(deviceString('d', newKey()));
  assert.throws(() => call(transport), { name: 'NotImplementedError' });
} });

methods('azure-iot-device-http', 'Http', {
  connect: { 'nothing to connect': async () => {
    assert.equal((await called((done) => over(deviceString('d', newKey())).connect(done))).constructor.name, 'Connected');
  } },
  disconnect: { 'nothing to disconnect': async () => {
    assert.equal((await called((done) => over(deviceString('d', newKey())).disconnect(done))).constructor.name, 'Disconnected');
  } },
  sendEvent: {
    '204, by symmetric key or certificate': async () => {
      const { string } = await device('http-send');
      const message = new Message('m');
      Object.assign(message, { messageId: 'm-1', correlationId: 'c-1', userId: 'u', contentType: 'text/plain', contentEncoding: 'utf-8' });
      message.properties.add('level', 'high');
      assert.equal((await called((done) => over(string).sendEvent(message, done))).constructor.name, 'MessageEnqueued');
      const leaf = issue('http-x509');
      await registry().create({ deviceId: 'http-x509', authentication: { x509Thumbprint: { primaryThumbprint: leaf.sha1 } } });
      const byCertificate = new Http(X509AuthenticationProvider.fromX509Options('http-x509', hub, { cert: leaf.cert, key: leaf.key }));
      await called((done) => byCertificate.sendEvent(message, done));
    },
    '401 with another key or certificate, 413 over 256 KB': async () => {
      const { string } = await device('http-send-wrong');
      await refused(called((done) => over(wrongKey(string)).sendEvent(new Message('m'), done)), 401);
      await refused(called((done) => over(string).sendEvent(new Message(Buffer.alloc(256 * 1024 + 1)), done)), 413);
      const leaf = issue('http-x509-wrong');
      await registry().create({ deviceId: 'http-x509-wrong', authentication: { x509Thumbprint: { primaryThumbprint: 'CD'.repeat(32) } } });
      const forged = new Http(X509AuthenticationProvider.fromX509Options('http-x509-wrong', hub, { cert: leaf.cert, key: leaf.key }));
      await refused(called((done) => forged.sendEvent(new Message('m'), done)), 401);
    },
  },
  sendEventBatch: {
    '204': async () => {
      const { string } = await device('http-batch');
      const first = new Message('one');
      first.properties.add('n', '1');
      await called((done) => over(string).sendEventBatch([first, new Message('two')], done));
    },
    '401 with another key, 413 over 256 KB': async () => {
      const { string } = await device('http-batch-wrong');
      await refused(called((done) => over(wrongKey(string)).sendEventBatch([new Message('m')], done)), 401);
      await refused(called((done) => over(string).sendEventBatch([new Message(Buffer.alloc(256 * 1024 + 1))], done)), 413);
    },
  },
  setOptions: {
    'a certificate; how messages are looked for': async () => {
      const [old, leaf] = [issue('http-options'), issue('http-options')];
      await registry().create({ deviceId: 'http-options', authentication: { x509Thumbprint: { primaryThumbprint: leaf.sha256 } } });
      const transport = new Http(X509AuthenticationProvider.fromX509Options('http-options', hub, { cert: old.cert, key: old.key }));
      await refused(called((done) => transport.sendEvent(new Message('m'), done)), 401);
      await called((done) => transport.setOptions({ cert: leaf.cert, key: leaf.key, interval: 5 }, done));
      await called((done) => transport.sendEvent(new Message('m'), done));
    },
  },
  receive: {
    'a message from the cloud, with its properties and lock': async (t) => {
      const { message } = await waiting(t, 'http-receive');
      assert.equal(message.getData().toString(), 'hello');
      assert.equal(message.properties.getItem(0).value, '7');
      assert.ok(message.lockToken && message.messageId);
      assert.equal(await count('http-receive'), 1);
    },
    'an error event with another key': async () => {
      const { string } = await device('http-receive-wrong');
      const transport = over(wrongKey(string));
      const failed = event(transport, 'error');
      transport.receive();
      assert.equal((await failed)[0].response.statusCode, 401);
    },
  },
  complete: {
    '204, the message is gone': async (t) => {
      const { transport, message } = await waiting(t, 'http-complete');
      await called((done) => transport.complete(message, done));
      assert.equal(await count('http-complete'), 0);
    },
    '412 DeviceMessageLockLost': async () => {
      const { string } = await device('http-complete-lost');
      const transport = await used(string);
      await refused(called((done) => transport.complete(noLock, done)), 412);
    },
  },
  reject: {
    '204, the message is dead': async (t) => {
      const { transport, message } = await waiting(t, 'http-reject');
      await called((done) => transport.reject(message, done));
      assert.equal(await count('http-reject'), 0);
    },
    '412 DeviceMessageLockLost': async () => {
      const { string } = await device('http-reject-lost');
      const transport = await used(string);
      await refused(called((done) => transport.reject(noLock, done)), 412);
    },
  },
  abandon: {
    '204, the message comes again': async (t) => {
      const { transport, message } = await waiting(t, 'http-abandon');
      await called((done) => transport.abandon(message, done));
      const again = await receive(transport);
      assert.equal(again.messageId, message.messageId);
      assert.notEqual(again.lockToken, message.lockToken);
    },
    '412 DeviceMessageLockLost': async () => {
      const { string } = await device('http-abandon-lost');
      const transport = await used(string);
      await refused(called((done) => transport.abandon(noLock, done)), 412);
    },
  },
  updateSharedAccessSignature: {
    'another token for the next request': async () => {
      const { authentication } = await device('http-renew');
      const transport = new Http(SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(SharedAccessSignature.create(hub, 'http-renew', newKey(), now() + 60).toString()));
      await refused(called((done) => transport.sendEvent(new Message('m'), done)), 401);
      await called((done) => transport.updateSharedAccessSignature(SharedAccessSignature.create(hub, 'http-renew', authentication.symmetricKey.primaryKey, now() + 60).toString(), done));
      await called((done) => transport.sendEvent(new Message('m'), done));
    },
  },
  enableC2D: { 'messages are looked for at intervals': async (t) => {
    const { string } = await device('http-c2d');
    const transport = over(string);
    t.after(() => called((done) => transport.disconnect(done)));
    await called((done) => transport.setOptions({ interval: 1, drain: true }, done));
    const got = event(transport, 'message');
    await called((done) => transport.enableC2D(done));
    await sendToDevice('http-c2d', 'later');
    assert.equal((await got)[0].getData().toString(), 'later');
  } },
  disableC2D: { 'messages wait': async () => {
    const { string } = await device('http-c2d-off');
    const transport = over(string);
    await called((done) => transport.setOptions({ interval: 1 }, done));
    await called((done) => transport.enableC2D(done));
    await called((done) => transport.disableC2D(done));
    await sendToDevice('http-c2d-off', 'waits');
    assert.equal(await count('http-c2d-off'), 1);
  } },
  getTwin: unimplemented((transport) => transport.getTwin(() => {})),
  updateTwinReportedProperties: unimplemented((transport) => transport.updateTwinReportedProperties({}, () => {})),
  enableTwinDesiredPropertiesUpdates: unimplemented((transport) => transport.enableTwinDesiredPropertiesUpdates(() => {})),
  disableTwinDesiredPropertiesUpdates: unimplemented((transport) => transport.disableTwinDesiredPropertiesUpdates(() => {})),
  sendMethodResponse: unimplemented((transport) => transport.sendMethodResponse({}, () => {})),
  onDeviceMethod: unimplemented((transport) => transport.onDeviceMethod('m', () => {})),
  enableMethods: unimplemented((transport) => transport.enableMethods(() => {})),
  disableMethods: unimplemented((transport) => transport.disableMethods(() => {})),
  enableInputMessages: unimplemented((transport) => transport.enableInputMessages(() => {})),
  disableInputMessages: unimplemented((transport) => transport.disableInputMessages(() => {})),
  sendOutputEvent: unimplemented((transport) => transport.sendOutputEvent('out', new Message('m'), () => {})),
  sendOutputEventBatch: unimplemented((transport) => transport.sendOutputEventBatch('out', [new Message('m')], () => {})),
});

methods('azure-iot-device-http', '', {
  clientFromConnectionString: {
    'a client over HTTP': async () => {
      await clientFromConnectionString((await device('http-short')).string).sendEvent(new Message('m'));
    },
    '401 with another key': async () => {
      const client = clientFromConnectionString(wrongKey((await device('http-short-wrong')).string));
      client.setRetryPolicy(new NoRetry());
      await refused(client.sendEvent(new Message('m')), 401);
    },
  },
});
