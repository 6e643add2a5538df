// azure-iot-device-mqtt: the transports themselves, MQTT and MQTT over WebSocket.
'use strict';
const assert = require('node:assert/strict');
const { Message, SharedAccessKeyAuthenticationProvider, SharedAccessSignature, SharedAccessSignatureAuthenticationProvider, X509AuthenticationProvider } = require('azure-iot-device');
const transports = require('azure-iot-device-mqtt');
const iothub = require('azure-iothub');
const { NoRetry, called, device, event, eventually, hub, hubString, module_, newKey, now, opened, registry, sendToDevice, unauthorized, wrongKey } = require('../cloud');
const { issue } = require('../certificates');
const { methods } = require('../table');

const byKey = (string) => SharedAccessKeyAuthenticationProvider.fromConnectionString(string);
const implemented = (call) => assert.throws(call, { name: 'NotImplementedError' });

for (const name of ['Mqtt', 'MqttWs']) {
  const prefix = name.toLowerCase();
  const id = (what) => `${prefix}-${what}`;
  // connected makes a device and connects its transport until the test ends.
  async function connected(t, what, provider) {
    const made = await device(id(what));
    return { ...made, transport: await connect(t, provider?.(made) ?? byKey(made.string)) };
  }
  async function connect(t, provider) {
    const transport = new transports[name](provider);
    t.after(() => called((done) => transport.disconnect(done)).catch(() => {}));
    await called((done) => transport.connect(done));
    return transport;
  }
  // connectedModule does the same for a module.
  async function connectedModule(t, what) {
    await device(id(what));
    return connect(t, byKey((await module_(id(what), 'm')).string));
  }
  const call = (what, method) => iothub.Client.fromConnectionString(hubString()).invokeDeviceMethod(id(what), { methodName: method, responseTimeoutInSeconds: 5 });

  methods('azure-iot-device-mqtt', name, {
    connect: {
      'by symmetric key; the device is connected': async (t) => {
        await connected(t, 'connect');
        assert.equal((await registry().get(id('connect'))).responseBody.connectionState, 'Connected');
      },
      'by certificate': async (t) => {
        const leaf = issue(id('connect-x509'));
        await registry().create({ deviceId: id('connect-x509'), authentication: { x509Thumbprint: { primaryThumbprint: leaf.sha256 } } });
        await connect(t, X509AuthenticationProvider.fromX509Options(id('connect-x509'), hub, { cert: leaf.cert, key: leaf.key }));
      },
      'UnauthorizedError with another key': async () => {
        const { string } = await device(id('connect-wrong'));
        const transport = new transports[name](byKey(wrongKey(string)));
        await unauthorized(called((done) => transport.connect(done)));
      },
    },
    disconnect: {
      'the device is disconnected': async (t) => {
        const { transport } = await connected(t, 'disconnect');
        await called((done) => transport.disconnect(done));
        await eventually(async () => (await registry().get(id('disconnect'))).responseBody.connectionState === 'Disconnected', 'Disconnected');
      },
    },
    sendEvent: {
      'acknowledged': async (t) => {
        const { transport } = await connected(t, 'send');
        assert.equal((await called((done) => transport.sendEvent(new Message('m'), done))).constructor.name, 'MessageEnqueued');
      },
      'MessageTooLargeError over 256 KB': async (t) => {
        const { transport } = await connected(t, 'send-large');
        await assert.rejects(called((done) => transport.sendEvent(new Message(Buffer.alloc(256 * 1024 + 1)), done)), { name: 'MessageTooLargeError' });
      },
    },
    sendEventBatch: { 'NotImplementedError, by the client itself': async (t) => {
      const { transport } = await connected(t, 'batch');
      implemented(() => transport.sendEventBatch([new Message('m')], () => {}));
    } },
    sendOutputEvent: { 'acknowledged, from a module': async (t) => {
      const transport = await connectedModule(t, 'output');
      assert.equal((await called((done) => transport.sendOutputEvent('out', new Message('m'), done))).constructor.name, 'MessageEnqueued');
    } },
    sendOutputEventBatch: { 'NotImplementedError, by the client itself': async (t) => {
      const { transport } = await connected(t, 'output-batch');
      implemented(() => transport.sendOutputEventBatch('out', [new Message('m')], () => {}));
    } },
    enableC2D: {
      'messages from the cloud come, those that waited too, with their properties': async (t) => {
        await device(id('c2d'));
        await sendToDevice(id('c2d'), 'waited', '--property', 'n=a b/ü');
        const { responseBody } = await registry().get(id('c2d'));
        assert.equal(responseBody.cloudToDeviceMessageCount, 1);
        const transport = new transports[name](byKey(`HostName=${hub};DeviceId=${id('c2d')};SharedAccessKey=${responseBody.authentication.symmetricKey.primaryKey}`));
        t.after(() => called((done) => transport.disconnect(done)));
        await called((done) => transport.connect(done));
        const got = [];
        transport.on('message', (message) => got.push([message.getData().toString(), message.properties.getItem(0)?.value]));
        await called((done) => transport.enableC2D(done));
        await eventually(() => got.length === 1, 'the message that waited');
        await sendToDevice(id('c2d'), 'live');
        await eventually(() => got.length === 2, 'the second message');
        assert.deepEqual(got.map(([text]) => text), ['waited', 'live']);
        assert.equal(got[0][1], 'a b/ü');
      },
    },
    disableC2D: { 'no more messages; they wait': async (t) => {
      const { transport } = await connected(t, 'c2d-off');
      const got = [];
      transport.on('message', (message) => got.push(message));
      await called((done) => transport.enableC2D(done));
      await called((done) => transport.disableC2D(done));
      await sendToDevice(id('c2d-off'), 'waits');
      assert.equal((await registry().get(id('c2d-off'))).responseBody.cloudToDeviceMessageCount, 1);
      assert.deepEqual(got, []);
    } },
    complete: { 'nothing is to be settled over MQTT': async (t) => {
      const { transport } = await connected(t, 'complete');
      assert.equal((await called((done) => transport.complete(new Message('m'), done))).constructor.name, 'MessageCompleted');
    } },
    reject: { 'NotImplementedError, by the client itself': async (t) => {
      const { transport } = await connected(t, 'reject');
      implemented(() => transport.reject(new Message('m'), () => {}));
    } },
    abandon: { 'NotImplementedError, by the client itself': async (t) => {
      const { transport } = await connected(t, 'abandon');
      implemented(() => transport.abandon(new Message('m'), () => {}));
    } },
    updateSharedAccessSignature: {
      'the connection goes on with the new token': async (t) => {
        const token = ({ string, deviceId }, expiry) => SharedAccessSignature.create(hub, deviceId, iothub.ConnectionString.parse(string.replace('DeviceId', 'SharedAccessKeyName')).SharedAccessKey, expiry).toString();
        const made = await connected(t, 'renew', (device_) => SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(token(device_, now() + 60)));
        await called((done) => made.transport.updateSharedAccessSignature(token(made, now() + 600), done));
        await called((done) => made.transport.sendEvent(new Message('m'), done));
      },
      'the connection ends for a token that is not good': async (t) => {
        const made = await connected(t, 'renew-bad', ({ deviceId, authentication }) => SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(
          SharedAccessSignature.create(hub, deviceId, authentication.symmetricKey.primaryKey, now() + 60).toString()));
        await called((done) => made.transport.updateSharedAccessSignature(SharedAccessSignature.create(hub, made.deviceId, newKey(), now() + 60).toString(), done));
        await eventually(async () => (await registry().get(made.deviceId)).responseBody.connectionState === 'Disconnected', 'Disconnected');
      },
    },
    setOptions: {
      'a model ID, which the twin then names': async (t) => {
        const { string } = await device(id('options'));
        const transport = new transports[name](byKey(string));
        await called((done) => transport.setOptions({ modelId: 'dtmi:com:example:Pump;2' }, done));
        t.after(() => called((done) => transport.disconnect(done)));
        await called((done) => transport.connect(done));
        assert.equal((await registry().getTwin(id('options'))).responseBody.modelId, 'dtmi:com:example:Pump;2');
      },
      'ArgumentError for a certificate on a device with keys': async () => {
        const { string } = await device(id('options-wrong'));
        assert.throws(() => new transports[name](byKey(string)).setOptions({ cert: 'c', key: 'k' }), { name: 'ArgumentError' });
      },
    },
    enableMethods: { 'calls from the service come': async (t) => {
      const { transport } = await connected(t, 'methods');
      await called((done) => transport.enableMethods(done));
      const asked = event(transport, 'method_ping');
      const answer = call('methods', 'ping').catch((err) => err);
      const [message] = await asked;
      assert.equal(message.methods.methodName, 'ping');
      assert.equal((await answer).response.statusCode, 504);
    } },
    onDeviceMethod: { 'the method\'s handler is called': async (t) => {
      const { transport } = await connected(t, 'on-method');
      await called((done) => transport.enableMethods(done));
      transport.onDeviceMethod('ping', (message) => transport.sendMethodResponse({ requestId: message.requestId, status: 200, payload: 'pong' }, () => {}));
      assert.deepEqual((await call('on-method', 'ping')).result, { status: 200, payload: 'pong' });
    } },
    sendMethodResponse: {
      'the answer that the service gets': async (t) => {
        const { transport } = await connected(t, 'respond');
        await called((done) => transport.enableMethods(done));
        transport.onDeviceMethod('big', (message) => transport.sendMethodResponse({ requestId: message.requestId, status: 201, payload: { text: 'x'.repeat(20000) } }, () => {}));
        const { result } = await call('respond', 'big');
        assert.deepEqual([result.status, result.payload.text.length], [201, 20000]);
      },
      'one that nobody waits for is dropped': async (t) => {
        const { transport } = await connected(t, 'respond-late');
        await called((done) => transport.sendMethodResponse({ requestId: '99', status: 200, payload: {} }, done));
        await called((done) => transport.sendEvent(new Message('still connected'), done));
      },
    },
    disableMethods: { 'the device is not online for methods any more': async (t) => {
      const { transport } = await connected(t, 'methods-off');
      await called((done) => transport.enableMethods(done));
      await called((done) => transport.disableMethods(done));
      await assert.rejects(call('methods-off', 'ping'), (err) => [404, 504].includes(err.response.statusCode));
    } },
    getTwin: {
      'desired and reported properties': async (t) => {
        const { transport } = await connected(t, 'twin');
        const twin = await called((done) => transport.getTwin(done));
        assert.deepEqual([twin.desired.$version, twin.reported.$version], [1, 1]);
      },
    },
    updateTwinReportedProperties: {
      'merged': async (t) => {
        const { transport } = await connected(t, 'reported');
        await called((done) => transport.updateTwinReportedProperties({ a: { b: 1 }, gone: 2 }, done));
        await called((done) => transport.updateTwinReportedProperties({ gone: null }, done));
        const { reported } = (await registry().getTwin(id('reported'))).responseBody.properties;
        assert.deepEqual([reported.a, reported.gone, reported.$version], [{ b: 1 }, undefined, 3]);
      },
      'an error for what a twin cannot hold': async (t) => {
        const { transport } = await connected(t, 'reported-bad');
        await assert.rejects(called((done) => transport.updateTwinReportedProperties({ 'a.b': 1 }, done)));
      },
    },
    enableTwinDesiredPropertiesUpdates: { 'changes come': async (t) => {
      const { transport } = await connected(t, 'desired');
      await called((done) => transport.enableTwinDesiredPropertiesUpdates(done));
      const changed = event(transport, 'twinDesiredPropertiesUpdate');
      await registry().updateTwin(id('desired'), { properties: { desired: { rate: 6 } } }, '*');
      assert.deepEqual((await changed)[0], { rate: 6, $version: 2 });
    } },
    disableTwinDesiredPropertiesUpdates: { 'no more changes come': async (t) => {
      const { transport } = await connected(t, 'desired-off');
      const seen = [];
      transport.on('twinDesiredPropertiesUpdate', (delta) => seen.push(delta));
      await called((done) => transport.enableTwinDesiredPropertiesUpdates(done));
      await called((done) => transport.disableTwinDesiredPropertiesUpdates(done));
      await registry().updateTwin(id('desired-off'), { properties: { desired: { rate: 6 } } }, '*');
      // An answer to a later request comes after anything that the change would have sent.
      await called((done) => transport.getTwin(done));
      assert.deepEqual(seen, []);
    } },
    enableInputMessages: { 'granted to a module; messages from other modules come from edgeHub only': async (t) => {
      const transport = await connectedModule(t, 'inputs');
      await called((done) => transport.enableInputMessages(done));
    } },
    disableInputMessages: { 'granted to a module': async (t) => {
      const transport = await connectedModule(t, 'inputs-off');
      await called((done) => transport.enableInputMessages(done));
      await called((done) => transport.disableInputMessages(done));
    } },
  });
}

methods('azure-iot-device-mqtt', '', {
  clientFromConnectionString: {
    'a client over MQTT': async (t) => {
      const { string } = await device('mqtt-short');
      await opened(t, transports.clientFromConnectionString(string));
    },
    'UnauthorizedError with another key': async () => {
      const { string } = await device('mqtt-short-wrong');
      const client = transports.clientFromConnectionString(wrongKey(string));
      client.setRetryPolicy(new NoRetry());
      await unauthorized(client.open());
    },
  },
});
