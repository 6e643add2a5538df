// azure-iothub: direct methods, digital twins, and all that its Client does over AMQP.
'use strict';
const assert = require('node:assert/strict');
const iothub = require('azure-iothub');
const { Message } = require('azure-iot-common');
const { Client: DeviceClient, ModuleClient } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { NoRetry, bearer, device, hub, hubString, hubToken, module_, named, now, refused, wrongKey } = require('../cloud');
const { methods, notOffered } = require('../table');

// serviceClient gives up at the first failure, where it would try for four minutes.
function serviceClient(string = hubString()) {
  const client = iothub.Client.fromConnectionString(string);
  client.setRetryPolicy(new NoRetry());
  return client;
}

// answering opens a device or module that answers the method "double".
async function answering(t, client, on) {
  client.setRetryPolicy(new NoRetry());
  await client.open();
  t.after(() => client.close());
  const asked = [];
  client[on]('double', (request, response) => {
    asked.push(request);
    response.send(200, { result: request.payload.number * 2 }, () => {});
  });
  client[on]('silent', () => {});
  // The subscription is on its way; a first call that is too early finds no listener.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return asked;
}

const double = (number) => ({ methodName: 'double', payload: { number }, responseTimeoutInSeconds: 10, connectTimeoutInSeconds: 5 });
const offline = async (call) => {
  const err = await named(call, 'Error');
  assert.equal(err.response.statusCode, 404);
  assert.match(err.responseBody, /404103|DeviceNotOnline/);
};

methods('azure-iothub', 'Client', {
  fromConnectionString: {
    'a client for direct methods': async () => {
      await device('service-string');
      await offline(serviceClient().invokeDeviceMethod('service-string', { methodName: 'm' }));
    },
    '401 with another key': () => refused(serviceClient(wrongKey(hubString())).invokeDeviceMethod('x', { methodName: 'm' }), 401, 'IotHubUnauthorizedAccess'),
  },
  fromSharedAccessSignature: {
    'a client for direct methods as long as the token lives': async () => {
      await device('service-token');
      const client = iothub.Client.fromSharedAccessSignature(hubToken(now() + 60));
      client.setRetryPolicy(new NoRetry());
      await offline(client.invokeDeviceMethod('service-token', { methodName: 'm' }));
    },
    '401 when it has expired': async () => {
      const client = iothub.Client.fromSharedAccessSignature(hubToken(now() - 60));
      client.setRetryPolicy(new NoRetry());
      await refused(client.invokeDeviceMethod('x', { methodName: 'm' }), 401);
    },
  },
  fromTokenCredential: {
    '401: tokens of Entra ID are not played': async () => {
      const client = iothub.Client.fromTokenCredential(hub, bearer);
      client.setRetryPolicy(new NoRetry());
      await refused(client.invokeDeviceMethod('x', { methodName: 'm' }), 401);
    },
  },
  invokeDeviceMethod: {
    'the device\'s own answer': async (t) => {
      const { string } = await device('method');
      const asked = await answering(t, DeviceClient.fromConnectionString(string, Mqtt), 'onDeviceMethod');
      const { result } = await serviceClient().invokeDeviceMethod('method', double(21));
      assert.deepEqual(result, { status: 200, payload: { result: 42 } });
      assert.deepEqual(asked.map((request) => [request.methodName, request.payload]), [['double', { number: 21 }]]);
    },
    'the module\'s own answer': async (t) => {
      await device('method-module');
      const { string } = await module_('method-module', 'm');
      await answering(t, ModuleClient.fromConnectionString(string, Mqtt), 'onMethod');
      const { result } = await serviceClient().invokeDeviceMethod('method-module', 'm', double(4));
      assert.deepEqual(result, { status: 200, payload: { result: 8 } });
    },
    '404 DeviceNotOnline when it is not connected, 404 DeviceNotFound when there is none': async () => {
      await device('method-offline');
      await offline(serviceClient().invokeDeviceMethod('method-offline', { methodName: 'm' }));
      await refused(serviceClient().invokeDeviceMethod('method-none', { methodName: 'm' }), 404, 'DeviceNotFound');
    },
    '504 when it does not answer in time': async (t) => {
      const { string } = await device('method-silent');
      await answering(t, DeviceClient.fromConnectionString(string, Mqtt), 'onDeviceMethod');
      await refused(serviceClient().invokeDeviceMethod('method-silent', { methodName: 'silent', responseTimeoutInSeconds: 5 }), 504);
    },
    '400 for a time limit or a name that cannot be': async () => {
      await device('method-bad');
      await refused(serviceClient().invokeDeviceMethod('method-bad', { methodName: 'm', responseTimeoutInSeconds: 301 }), 400);
      await refused(serviceClient().invokeDeviceMethod('method-bad', { methodName: 'm', responseTimeoutInSeconds: 4 }), 400);
    },
    '401 with another key': () => refused(serviceClient(wrongKey(hubString())).invokeDeviceMethod('method', double(1)), 401),
  },
  setRetryPolicy: {
    'is the client\'s own: with no repeats a refusal comes at once': async () => {
      const client = iothub.Client.fromConnectionString(wrongKey(hubString()));
      let asked = 0;
      client.setRetryPolicy({ shouldRetry: () => { asked++; return false; }, nextRetryTimeout: () => 0 });
      await refused(client.invokeDeviceMethod('x', { methodName: 'm' }), 401);
      assert.equal(asked, 1);
    },
    'an ArgumentError for what is no policy': () => assert.throws(() => serviceClient().setRetryPolicy({}), { name: 'ArgumentError' }),
  },
  close: {
    'ends a client that was never opened': async () => { await serviceClient().close(); },
  },
});

const noAmqp = 'no AMQP: the connection is refused';

notOffered('azure-iothub', 'Client', {
  open: { [noAmqp]: () => named(serviceClient().open(), 'NotConnectedError') },
  send: { [`${noAmqp}; the practice cloud's own command and window send messages to devices`]: () => named(serviceClient().send('x', new Message('m')), 'NotConnectedError') },
  getFeedbackReceiver: { [noAmqp]: () => named(serviceClient().getFeedbackReceiver(), 'NotConnectedError') },
  getFileNotificationReceiver: { [noAmqp]: () => named(serviceClient().getFileNotificationReceiver(), 'NotConnectedError') },
});

function transportConfig() {
  const { HostName, SharedAccessKeyName, SharedAccessKey } = iothub.ConnectionString.parse(hubString());
  return { host: HostName, keyName: SharedAccessKeyName, sharedAccessSignature: iothub.SharedAccessSignature.create(HostName, SharedAccessKeyName, SharedAccessKey, now() + 60) };
}

// The WebSocket transport reaches port 443, where AMQP is not among the sub-protocols.
for (const [name, failure] of [['Amqp', 'NotConnectedError'], ['AmqpWs', undefined]]) {
  const transport = () => new iothub[name](transportConfig());
  const fails = async (call) => {
    if (failure) await named(call, failure);
    else await assert.rejects(call);
  };
  const words = name === 'Amqp' ? noAmqp : 'no AMQP over WebSocket: the upgrade is refused';
  notOffered('azure-iothub', name, {
    connect: { [words]: () => fails(transport().connect()) },
    send: { [words]: () => fails(transport().send('x', new Message('m'))) },
    getFeedbackReceiver: { [words]: () => fails(transport().getFeedbackReceiver()) },
    getFileNotificationReceiver: { [words]: () => fails(transport().getFileNotificationReceiver()) },
    disconnect: { 'nothing is connected; it ends at once': async () => { await transport().disconnect(); } },
    updateSharedAccessSignature: { 'kept for a connection that never comes': async () => {
      await transport().updateSharedAccessSignature(hubToken(now() + 60));
    } },
    getToken: { 'the credential\'s own token; there is nothing to use it for': async () => {
      const { token } = await new iothub[name]({ host: hub, keyName: '', tokenCredential: bearer, tokenScope: 's' }).getToken();
      assert.equal(token, 'not-a-token');
    } },
  });
}

methods('azure-iothub', 'IoTHubTokenCredentials', {
  signRequest: {
    'a token that the hub takes': async () => {
      const headers = new Map();
      await new iothub.IoTHubTokenCredentials(hubString()).signRequest({ headers });
      const [token] = headers.values();
      await iothub.Registry.fromSharedAccessSignature(token).list();
    },
    '401 for one of another key': async () => {
      const headers = new Map();
      await new iothub.IoTHubTokenCredentials(wrongKey(hubString())).signRequest({ headers });
      await refused(iothub.Registry.fromSharedAccessSignature([...headers.values()][0]).list(), 401);
    },
  },
  getHubName: {
    'the host of the connection string': () => assert.equal(new iothub.IoTHubTokenCredentials(hubString()).getHubName(), hub),
  },
});

const digitalTwins = () => new iothub.DigitalTwinClient(new iothub.IoTHubTokenCredentials(hubString()));
const noModels = '404: a digital twin is seen through its model, which the practice cloud does not fetch; twins and direct methods are there';
const missing = async (call) => {
  await assert.rejects(call, (err) => err.statusCode === 404);
};

notOffered('azure-iothub', 'DigitalTwinClient', {
  getDigitalTwin: { [noModels]: () => missing(digitalTwins().getDigitalTwin('x')) },
  updateDigitalTwin: { [noModels]: () => missing(digitalTwins().updateDigitalTwin('x', [{ op: 'add', path: '/a', value: 1 }])) },
  invokeComponentCommand: { [noModels]: () => missing(digitalTwins().invokeComponentCommand('x', 'c', 'reboot', {})) },
  invokeCommand: { [noModels]: () => missing(digitalTwins().invokeCommand('x', 'reboot', {})) },
});
