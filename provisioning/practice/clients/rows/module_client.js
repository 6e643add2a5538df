// azure-iot-device: a module's client, over MQTT, alone and inside an edge device.
'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const { IotEdgeAuthenticationProvider, Message, ModuleClient, SharedAccessKeyAuthenticationProvider } = require('azure-iot-device');
const { Http } = require('azure-iot-device-http');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');
const { SharedAccessSignature } = require('azure-iot-common');
const iothub = require('azure-iothub');
const { NoRetry, called, device, eventually, hub, hubString, module_, named, now, opened, registry, unauthorized, wrongKey } = require('../cloud');
const { methods, notOffered } = require('../table');

const over = (transport) => (string) => ModuleClient.fromConnectionString(string, transport);
const mqtt = over(Mqtt);

// made creates a device with one module.
async function made(deviceId, deviceProperties) {
  await device(deviceId, deviceProperties);
  return module_(deviceId, 'm');
}

const key = (string) => iothub.ConnectionString.parse(string.replace('DeviceId', 'SharedAccessKeyName')).SharedAccessKey;
const token = (deviceId, string, expiry = now() + 600) => SharedAccessSignature.create(encodeURIComponent(`${hub}/devices/${deviceId}/modules/m`), null, key(string), expiry).toString();

async function refusedOpen(client) {
  client.setRetryPolicy(new NoRetry());
  await unauthorized(client.open());
}

// workload plays an edge device's workload API: it signs for one module and hands out the trust bundle.
async function workload(t, { moduleId, deviceId, generationId, string }) {
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (data) => { body += data; });
    request.on('end', () => {
      const { pathname } = new URL(request.url, 'http://workload');
      const answer = pathname === '/trust-bundle'
        ? { certificate: fs.readFileSync(process.env.NODE_EXTRA_CA_CERTS, 'utf8') }
        : pathname === `/modules/${moduleId}/genid/${generationId}/sign`
          ? { digest: crypto.createHmac('sha256', Buffer.from(key(string), 'base64')).update(Buffer.from(JSON.parse(body).data, 'base64')).digest('base64') }
          : undefined;
      response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? { message: 'none' }));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return {
    IOTEDGE_WORKLOADURI: `http://127.0.0.1:${server.address().port}/`, IOTEDGE_DEVICEID: deviceId, IOTEDGE_MODULEID: moduleId,
    IOTEDGE_IOTHUBHOSTNAME: hub, IOTEDGE_AUTHSCHEME: 'sasToken', IOTEDGE_MODULEGENERATIONID: generationId,
  };
}

// within sets the environment as edgeAgent does for a module, while f runs.
async function within(variables, f) {
  Object.assign(process.env, variables);
  try {
    return await f();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
}

const authConfig = (variables) => ({
  workloadUri: variables.IOTEDGE_WORKLOADURI, deviceId: variables.IOTEDGE_DEVICEID, moduleId: variables.IOTEDGE_MODULEID,
  iothubHostName: hub, authScheme: 'sasToken', gatewayHostName: undefined, generationId: variables.IOTEDGE_MODULEGENERATIONID,
});

methods('azure-iot-device', 'ModuleClient', {
  fromConnectionString: {
    'a client over MQTT or MQTT over WebSocket': async (t) => {
      const { string } = await made('module-string');
      for (const transport of [Mqtt, MqttWs]) {
        const client = await opened(t, over(transport)(string));
        await client.sendEvent(new Message('m'));
        await client.close();
      }
    },
    'UnauthorizedError with another key': async () => {
      await refusedOpen(mqtt(wrongKey((await made('module-string-wrong')).string)));
    },
  },
  fromSharedAccessSignature: {
    'a client as long as the token lives': async (t) => {
      const { string } = await made('module-token');
      await opened(t, ModuleClient.fromSharedAccessSignature(token('module-token', string), Mqtt));
    },
    'UnauthorizedError when it has expired': async () => {
      const { string } = await made('module-token-old');
      await refusedOpen(ModuleClient.fromSharedAccessSignature(token('module-token-old', string, now() - 60), Mqtt));
    },
  },
  fromAuthenticationProvider: {
    'a client that takes its tokens from the provider': async (t) => {
      const { string } = await made('module-provider');
      await opened(t, ModuleClient.fromAuthenticationProvider(SharedAccessKeyAuthenticationProvider.fromConnectionString(string), Mqtt));
    },
    'UnauthorizedError with another key': async () => {
      const { string } = await made('module-provider-wrong');
      await refusedOpen(ModuleClient.fromAuthenticationProvider(SharedAccessKeyAuthenticationProvider.fromConnectionString(wrongKey(string)), Mqtt));
    },
  },
  fromEnvironment: {
    'inside an edge device: the workload API signs': async (t) => {
      const variables = await workload(t, await made('module-env', { capabilities: { iotEdge: true } }));
      const client = await within(variables, () => ModuleClient.fromEnvironment(Mqtt));
      await (await opened(t, client)).sendEvent(new Message('m'));
      assert.equal((await registry().getModule('module-env', 'm')).responseBody.connectionState, 'Connected');
    },
    'by a connection string of the environment': async (t) => {
      const { string } = await made('module-env-string');
      const client = await within({ IotHubConnectionString: string }, () => ModuleClient.fromEnvironment(Mqtt));
      await opened(t, client);
    },
    'UnauthorizedError when the workload API signs with another key': async (t) => {
      const module = await made('module-env-wrong', { capabilities: { iotEdge: true } });
      const variables = await workload(t, { ...module, string: wrongKey(module.string) });
      await refusedOpen(await within(variables, () => ModuleClient.fromEnvironment(Mqtt)));
    },
    'a ReferenceError where the environment is that of no module': () => named(ModuleClient.fromEnvironment(Mqtt), 'ReferenceError'),
  },
  validateEnvironment: {
    'says what is missing, nothing when all is there': async () => {
      assert.match(ModuleClient.validateEnvironment().message, /IOTEDGE_WORKLOADURI/);
      const all = Object.fromEntries(['WORKLOADURI', 'DEVICEID', 'MODULEID', 'IOTHUBHOSTNAME', 'MODULEGENERATIONID'].map((name) => [`IOTEDGE_${name}`, 'x']));
      await within({ ...all, IOTEDGE_AUTHSCHEME: 'sasToken' }, () => assert.equal(ModuleClient.validateEnvironment(), undefined));
      await within({ ...all, IOTEDGE_AUTHSCHEME: 'other' }, () => assert.match(ModuleClient.validateEnvironment().message, /other/));
    },
  },
  open: {
    'the module is connected, as the registry and its twin say': async (t) => {
      const { string } = await made('module-open');
      await opened(t, mqtt(string));
      assert.equal((await registry().getModule('module-open', 'm')).responseBody.connectionState, 'Connected');
      assert.equal((await registry().getModuleTwin('module-open', 'm')).responseBody.connectionState, 'Connected');
    },
    'UnauthorizedError for a module that is missing, or of a disabled device': async () => {
      const { string } = await made('module-open-none');
      await registry().removeModule('module-open-none', 'm');
      await refusedOpen(mqtt(string));
      const off = await made('module-open-off');
      const { responseBody } = await registry().get('module-open-off');
      await registry().update({ ...responseBody, status: 'disabled' });
      await refusedOpen(mqtt(off.string));
    },
  },
  close: {
    'the module is disconnected': async (t) => {
      const { string } = await made('module-close');
      const client = await opened(t, mqtt(string));
      await client.close();
      await eventually(async () => (await registry().getModule('module-close', 'm')).responseBody.connectionState === 'Disconnected', 'Disconnected');
    },
  },
  sendEvent: {
    'acknowledged': async (t) => {
      const client = await opened(t, mqtt((await made('module-send')).string));
      assert.equal((await client.sendEvent(new Message('m'))).constructor.name, 'MessageEnqueued');
    },
    'MessageTooLargeError over 256 KB': async (t) => {
      const client = await opened(t, mqtt((await made('module-send-large')).string));
      await named(client.sendEvent(new Message(Buffer.alloc(256 * 1024 + 1))), 'MessageTooLargeError');
    },
  },
  sendEventBatch: {
    'NotImplementedError over MQTT, by the client itself': async (t) => {
      const client = await opened(t, mqtt((await made('module-batch')).string));
      await named(client.sendEventBatch([new Message('m')]), 'NotImplementedError');
    },
  },
  sendOutputEvent: {
    'acknowledged, with the output\'s name': async (t) => {
      const client = await opened(t, mqtt((await made('module-output')).string));
      assert.equal((await client.sendOutputEvent('out/1', new Message('m'))).constructor.name, 'MessageEnqueued');
    },
    'NotImplementedError over HTTP, by the client itself': async () => {
      const client = over(Http)((await made('module-output-http')).string);
      client.setRetryPolicy(new NoRetry());
      await named(client.sendOutputEvent('out', new Message('m')), 'NotImplementedError');
    },
  },
  sendOutputEventBatch: {
    'NotImplementedError over MQTT, by the client itself': async (t) => {
      const client = await opened(t, mqtt((await made('module-output-batch')).string));
      await named(client.sendOutputEventBatch('out', [new Message('m')]), 'NotImplementedError');
    },
  },
  setOptions: {
    'a model ID, which the twin then names': async (t) => {
      const { string } = await made('module-model');
      const client = mqtt(string);
      await client.setOptions({ modelId: 'dtmi:com:example:Filter;1' });
      await opened(t, client);
      assert.equal((await registry().getModuleTwin('module-model', 'm')).responseBody.modelId, 'dtmi:com:example:Filter;1');
    },
    'ArgumentError for a certificate on a module with keys': async () => {
      const client = mqtt((await made('module-options-wrong')).string);
      client.setRetryPolicy(new NoRetry());
      await named(client.setOptions({ cert: 'c', key: 'k' }), 'ArgumentError');
    },
  },
  setTransportOptions: {
    'nothing that MQTT would need': async () => { await mqtt((await made('module-transport')).string).setTransportOptions({ interval: 1 }); },
  },
  complete: {
    'nothing is to be settled over MQTT': async (t) => {
      const client = await opened(t, mqtt((await made('module-complete')).string));
      assert.equal((await client.complete(new Message('m'))).constructor.name, 'MessageCompleted');
    },
  },
  reject: {
    'NotImplementedError over MQTT, by the client itself': async (t) => {
      const client = await opened(t, mqtt((await made('module-reject')).string));
      await named(client.reject(new Message('m')), 'NotImplementedError');
    },
  },
  abandon: {
    'NotImplementedError over MQTT, by the client itself': async (t) => {
      const client = await opened(t, mqtt((await made('module-abandon')).string));
      await named(client.abandon(new Message('m')), 'NotImplementedError');
    },
  },
  getTwin: {
    'desired and reported properties; changes come at once': async (t) => {
      const { string } = await made('module-twin');
      await registry().updateModuleTwin('module-twin', 'm', { properties: { desired: { rate: 1 } } }, '*');
      const twin = await (await opened(t, mqtt(string))).getTwin();
      assert.equal(twin.properties.desired.rate, 1);
      await called((done) => twin.properties.reported.update({ state: { on: true } }, done));
      assert.deepEqual((await registry().getModuleTwin('module-twin', 'm')).responseBody.properties.reported.state, { on: true });
      const rates = [];
      twin.on('properties.desired.rate', (rate) => rates.push(rate));
      await new Promise((resolve) => setTimeout(resolve, 300));
      await registry().updateModuleTwin('module-twin', 'm', { properties: { desired: { rate: 2 } } }, '*');
      await eventually(async () => rates.includes(2), 'the new rate');
    },
    'an error for reported properties that a twin cannot hold': async (t) => {
      const twin = await (await opened(t, mqtt((await made('module-twin-bad')).string))).getTwin();
      await assert.rejects(called((done) => twin.properties.reported.update({ 'a b': 1 }, done)));
    },
  },
  setRetryPolicy: {
    'is the client\'s own': async () => {
      const client = mqtt(wrongKey((await made('module-retry')).string));
      let asked = 0;
      client.setRetryPolicy({ shouldRetry: () => { asked++; return false; }, nextRetryTimeout: () => 0 });
      await unauthorized(client.open());
      assert.equal(asked, 1);
    },
  },
  updateSharedAccessSignature: {
    'the connection goes on with the new token': async (t) => {
      const { string } = await made('module-renew');
      const client = await opened(t, ModuleClient.fromSharedAccessSignature(token('module-renew', string, now() + 60), Mqtt));
      await called((done) => client.updateSharedAccessSignature(token('module-renew', string), done));
      await client.sendEvent(new Message('m'));
    },
    'the connection ends for a token that is not good, though the client says it was updated': async (t) => {
      const { string } = await made('module-renew-bad');
      const client = await opened(t, ModuleClient.fromSharedAccessSignature(token('module-renew-bad', string), Mqtt));
      await called((done) => client.updateSharedAccessSignature(token('module-renew-bad', wrongKey(string)), done));
      await eventually(async () => (await registry().getModule('module-renew-bad', 'm')).responseBody.connectionState === 'Disconnected', 'Disconnected');
    },
  },
  onMethod: {
    'a call from the service, and the answer': async (t) => {
      const { string } = await made('module-method');
      const client = await opened(t, mqtt(string));
      client.onMethod('echo', (request, response) => response.send(200, { said: request.payload }, () => {}));
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { result } = await iothub.Client.fromConnectionString(hubString()).invokeDeviceMethod('module-method', 'm', { methodName: 'echo', payload: 'x' });
      assert.deepEqual(result, { status: 200, payload: { said: 'x' } });
    },
  },
});

notOffered('azure-iot-device', 'ModuleClient', {
  invokeMethod: { 'refused: modules call each other through an edge device\'s edgeHub, a hub in the cloud has no such call': async () => {
    const { string } = await made('module-invoke');
    const client = mqtt(`${string};GatewayHostName=${hub}`);
    await assert.rejects(client.invokeMethod('module-invoke', 'm', { methodName: 'x', connectTimeoutInSeconds: 5, responseTimeoutInSeconds: 5 }), (err) => {
      assert.ok([400, 401].includes(err.response?.statusCode), err.stack);
      return true;
    });
  } },
});

methods('azure-iot-device', 'IotEdgeAuthenticationProvider', {
  getTrustBundle: {
    'the certificates that the workload API hands out': async (t) => {
      const provider = new IotEdgeAuthenticationProvider(authConfig(await workload(t, await made('edge-trust'))));
      assert.match(await called((done) => provider.getTrustBundle(done)), /BEGIN CERTIFICATE/);
    },
  },
  getDeviceCredentials: {
    'a token signed by the workload API, good for the hub': async (t) => {
      const provider = new IotEdgeAuthenticationProvider(authConfig(await workload(t, await made('edge-token'))));
      const { sharedAccessSignature } = await provider.getDeviceCredentials();
      provider.stop();
      await opened(t, ModuleClient.fromSharedAccessSignature(sharedAccessSignature, Mqtt));
    },
    'an error for a generation that is not the module\'s': async (t) => {
      const config = authConfig(await workload(t, await made('edge-generation')));
      await assert.rejects(new IotEdgeAuthenticationProvider({ ...config, generationId: '1' }).getDeviceCredentials());
    },
  },
  setTokenRenewalValues: {
    'how long tokens live': async (t) => {
      const provider = new IotEdgeAuthenticationProvider(authConfig(await workload(t, await made('edge-times'))));
      provider.setTokenRenewalValues(120, 30);
      const { sharedAccessSignature } = await provider.getDeviceCredentials();
      provider.stop();
      assert.ok(Math.abs(Number(SharedAccessSignature.parse(sharedAccessSignature).se) - now() - 120) < 5);
      await opened(t, ModuleClient.fromSharedAccessSignature(sharedAccessSignature, Mqtt));
    },
    'ArgumentError for a margin longer than the life': async (t) => {
      const provider = new IotEdgeAuthenticationProvider(authConfig(await workload(t, await made('edge-times-bad'))));
      assert.throws(() => provider.setTokenRenewalValues(30, 60), { name: 'ArgumentError' });
    },
  },
  stop: {
    'no further token is asked for': async (t) => {
      const provider = new IotEdgeAuthenticationProvider(authConfig(await workload(t, await made('edge-stop'))));
      await provider.getDeviceCredentials();
      provider.stop();
    },
  },
  fromConnectionString: {
    'inherited: a provider with the module\'s own key': async (t) => {
      const { string } = await made('edge-string');
      const provider = IotEdgeAuthenticationProvider.fromConnectionString(string);
      await opened(t, ModuleClient.fromAuthenticationProvider(provider, Mqtt));
    },
  },
});
