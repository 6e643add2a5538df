// azure-iot-provisioning-device: registrations by symmetric key and X.509 over every transport.
'use strict';
const assert = require('node:assert/strict');
const { Client, X509AuthenticationProvider } = require('azure-iot-device');
const { Mqtt: DeviceMqtt } = require('azure-iot-device-mqtt');
const { PollingStateMachine, ProvisioningDeviceClient, translateError } = require('azure-iot-provisioning-device');
const { Http } = require('azure-iot-provisioning-device-http');
const { Mqtt, MqttWs } = require('azure-iot-provisioning-device-mqtt');
const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
const { X509Security } = require('azure-iot-security-x509');
const { anHourFromNow, SharedAccessSignature } = require('azure-iot-common');
const { deriveKey, deviceString, global, hub, named, newKey, opened, registry, scope, secondHub, service } = require('../cloud');
const { issue } = require('../certificates');
const { methods } = require('../table');

const transports = { http: Http, mqtt: Mqtt, ws: MqttWs };
const symmetric = (keys) => ({ type: 'symmetricKey', ...(keys && { symmetricKey: keys }) });

// enrolled makes an individual enrollment with keys and gives its first.
async function enrolled(registrationId, more = {}) {
  const keys = { primaryKey: newKey(), secondaryKey: newKey() };
  await service().createOrUpdateIndividualEnrollment({ registrationId, attestation: symmetric(keys), ...more });
  return keys.primaryKey;
}

// group makes an enrollment group with keys and gives its first.
async function group(enrollmentGroupId, more = {}) {
  const keys = { primaryKey: newKey(), secondaryKey: newKey() };
  await service().createOrUpdateEnrollmentGroup({ enrollmentGroupId, attestation: symmetric(keys), ...more });
  return keys.primaryKey;
}

const byKey = (registrationId, key, transport = new Http(), host = global) => ProvisioningDeviceClient.create(host, scope, transport, new SymmetricKeySecurityClient(registrationId, key));
const byCertificate = (registrationId, { chain, key }, transport = new Http()) => ProvisioningDeviceClient.create(global, scope, transport, new X509Security(registrationId, { cert: chain, key }));

// unregistered expects a registration to be refused, over HTTP with status 401 and over MQTT before or after CONNECT.
async function unregistered(client) {
  await assert.rejects(client.register(), (err) => {
    assert.doesNotMatch(err.stack, /ECONNREFUSED/);
    assert.ok(err.response?.statusCode === 401 || /Not authorized/.test(err.message), err.stack);
    return true;
  });
}

methods('azure-iot-provisioning-device', 'ProvisioningDeviceClient', {
  create: {
    'a registration of the security client\'s kind; the instance\'s own host does as well as the global one': async () => {
      const key = await enrolled('create-own-host');
      const client = byKey('create-own-host', key, new Http(), 'dps.practice.test');
      assert.equal(client.constructor.name, 'SymmetricKeyRegistration');
      assert.equal((await client.register()).status, 'assigned');
    },
    'refused for another ID scope': async () => {
      const key = await enrolled('create-scope');
      const client = ProvisioningDeviceClient.create(global, '0ne00NOSUCH', new Http(), new SymmetricKeySecurityClient('create-scope', key));
      await assert.rejects(client.register(), (err) => [401, 404].includes(err.response?.statusCode));
    },
    'ArgumentError for a security client that is none': () => {
      assert.throws(() => ProvisioningDeviceClient.create(global, scope, new Http(), {}), { name: 'ArgumentError' });
    },
  },
});

// Registrations wait for the cloud between two looks; the cases of a row go together.
const together = (list) => Promise.all(list.map((one) => one()));

methods('azure-iot-provisioning-device', 'SymmetricKeyRegistration', {
  register: {
    'an individual enrollment, over HTTP, MQTT and WebSocket; the device then connects to its hub': async (t) => {
      await together(Object.entries(transports).map(([name, transport]) => async () => {
        const key = await enrolled(`reg-${name}`, { deviceId: `Device-${name}`, initialTwin: { tags: { from: name }, properties: { desired: { rate: 3 } } }, iotHubs: [hub] });
        const result = await byKey(`reg-${name}`, key, new transport()).register();
        assert.deepEqual([result.registrationId, result.deviceId, result.assignedHub, result.status, result.substatus], [`reg-${name}`, `Device-${name}`, hub, 'assigned', 'initialAssignment']);
        const twin = (await registry().getTwin(`Device-${name}`)).responseBody;
        assert.deepEqual([twin.tags, twin.properties.desired.rate], [{ from: name }, 3]);
        await opened(t, Client.fromConnectionString(deviceString(result.deviceId, key, result.assignedHub), DeviceMqtt));
      }));
    },
    'a group, by derived key': async (t) => {
      const groupKey = await group('reg-group');
      await together(Object.entries(transports).map(([name, transport]) => async () => {
        const key = deriveKey(groupKey, `reg-group-${name}`);
        const result = await byKey(`reg-group-${name}`, key, new transport()).register();
        assert.equal(result.deviceId, `reg-group-${name}`);
        await opened(t, Client.fromConnectionString(deviceString(result.deviceId, key, result.assignedHub), DeviceMqtt));
      }));
    },
    'an edge device; several hubs, static and hashed': async () => {
      const edge = await enrolled('reg-edge', { capabilities: { iotEdge: true }, iotHubs: [hub] });
      const second = await enrolled('reg-second', { allocationPolicy: 'static', iotHubs: [secondHub] });
      const groupKey = await group('reg-hashed', { allocationPolicy: 'hashed', iotHubs: [hub, secondHub] });
      const ids = Array.from({ length: 8 }, (_, i) => `reg-hashed-${i}`);
      const [edgeResult, secondResult, ...hashed] = await together([
        () => byKey('reg-edge', edge).register(), () => byKey('reg-second', second).register(),
        ...ids.map((id) => () => byKey(id, deriveKey(groupKey, id)).register()),
      ]);
      assert.equal((await registry().get(edgeResult.deviceId)).responseBody.capabilities.iotEdge, true);
      assert.equal(secondResult.assignedHub, secondHub);
      assert.deepEqual([...new Set(hashed.map((r) => r.assignedHub))].sort(), [hub, secondHub]);
    },
    'once more: migrated, reset or kept, as the enrollment says': async () => {
      const policies = { migrate: { updateHubAssignment: true, migrateDeviceData: true }, reset: { updateHubAssignment: true, migrateDeviceData: false }, keep: { updateHubAssignment: false, migrateDeviceData: false } };
      const seen = {};
      await together(Object.entries(policies).map(([name, reprovisionPolicy]) => async () => {
        const id = `again-${name}`;
        const key = await enrolled(id, { allocationPolicy: 'static', iotHubs: [hub], reprovisionPolicy });
        await byKey(id, key).register();
        const { responseBody } = await service().getIndividualEnrollment(id);
        await service().createOrUpdateIndividualEnrollment({ ...responseBody, attestation: symmetric({ primaryKey: key, secondaryKey: key }), iotHubs: [secondHub] });
        const result = await byKey(id, key).register();
        seen[name] = [result.assignedHub, result.substatus];
      }));
      assert.deepEqual(seen, {
        migrate: [secondHub, 'deviceDataMigrated'], reset: [secondHub, 'deviceDataReset'], keep: [hub, 'reprovisionedToInitialAssignment'],
      });
    },
    'refused with another key, for a disabled enrollment, for one that is not there': async () => {
      await enrolled('reg-wrong');
      const off = await enrolled('reg-off', { provisioningStatus: 'disabled' });
      await group('reg-wrong-group');
      await together(Object.values(transports).flatMap((transport) => [
        () => unregistered(byKey('reg-wrong', newKey(), new transport())),
        () => unregistered(byKey('reg-off', off, new transport())),
        () => unregistered(byKey('reg-nowhere', newKey(), new transport())),
      ]));
    },
    'a disabled individual enrollment bars the device from its group, too': async () => {
      const groupKey = await group('reg-barred-group');
      await enrolled('reg-barred', { provisioningStatus: 'disabled' });
      await unregistered(byKey('reg-barred', deriveKey(groupKey, 'reg-barred')));
    },
  },
  setProvisioningPayload: {
    'registers all the same': async () => {
      await together(Object.entries(transports).map(([name, transport]) => async () => {
        const client = byKey(`payload-${name}`, await enrolled(`payload-${name}`), new transport());
        client.setProvisioningPayload({ model: 'm', serial: 7 });
        assert.equal((await client.register()).status, 'assigned');
      }));
    },
  },
  cancel: {
    'a registration under way ends with OperationCancelledError over MQTT, goes on over HTTP': async () => {
      const client = byKey('cancel', await enrolled('cancel'), new Mqtt());
      const under = client.register();
      await client.cancel().catch(() => {});
      await under.catch((err) => assert.match(err.name, /OperationCancelledError|NotConnectedError|Error/));
      const plain = byKey('cancel-http', await enrolled('cancel-http'));
      const going = plain.register();
      await plain.cancel();
      assert.equal((await going).status, 'assigned');
    },
  },
});

methods('azure-iot-provisioning-device', 'X509Registration', {
  register: {
    'an individual certificate, over HTTP, MQTT and WebSocket; the device then connects to its hub': async (t) => {
      await together(Object.entries(transports).map(([name, transport]) => async () => {
        const id = `x509-${name}`;
        const leaf = issue(id);
        await service().createOrUpdateIndividualEnrollment({ registrationId: id, iotHubs: [hub], attestation: { type: 'x509', x509: { clientCertificates: { primary: { certificate: leaf.cert } } } } });
        const result = await byCertificate(id, leaf, new transport()).register();
        assert.deepEqual([result.registrationId, result.deviceId, result.status], [id, id, 'assigned']);
        const { authentication } = (await registry().get(id)).responseBody;
        assert.deepEqual([authentication.type, authentication.x509Thumbprint.primaryThumbprint.toUpperCase()], ['selfSigned', leaf.sha256]);
        await opened(t, Client.fromAuthenticationProvider(X509AuthenticationProvider.fromX509Options(id, hub, { cert: leaf.cert, key: leaf.key }), DeviceMqtt));
      }));
    },
    'a group by its intermediate, the chain sent along': async () => {
      const root = issue('x509-root', { authority: true });
      const middle = issue('x509-middle', { authority: true, issuer: root });
      await service().createOrUpdateEnrollmentGroup({ enrollmentGroupId: 'x509-group', attestation: { type: 'x509', x509: { signingCertificates: { primary: { certificate: middle.cert } } } } });
      await together(Object.entries(transports).map(([name, transport]) => async () => {
        const id = `x509-group-${name}`;
        const result = await byCertificate(id, issue(id, { issuer: middle }), new transport()).register();
        assert.deepEqual([result.deviceId, result.status], [id, 'assigned']);
      }));
    },
    'a group by its root, through the intermediate': async () => {
      const root = issue('x509-top', { authority: true });
      const middle = issue('x509-between', { authority: true, issuer: root });
      await service().createOrUpdateEnrollmentGroup({ enrollmentGroupId: 'x509-by-root', attestation: { type: 'x509', x509: { signingCertificates: { primary: { certificate: root.cert } } } } });
      assert.equal((await byCertificate('x509-deep', issue('x509-deep', { issuer: middle })).register()).status, 'assigned');
    },
    'refused: another certificate of the name, a chain that ends elsewhere, a name that is not the certificate\'s': async () => {
      const [leaf, forged] = [issue('x509-forged'), issue('x509-forged')];
      await service().createOrUpdateIndividualEnrollment({ registrationId: 'x509-forged', attestation: { type: 'x509', x509: { clientCertificates: { primary: { certificate: leaf.cert } } } } });
      const stranger = issue('x509-stranger', { authority: true });
      const known = issue('x509-known', { authority: true });
      await service().createOrUpdateEnrollmentGroup({ enrollmentGroupId: 'x509-known', attestation: { type: 'x509', x509: { signingCertificates: { primary: { certificate: known.cert } } } } });
      await together(Object.values(transports).flatMap((transport) => [
        () => unregistered(byCertificate('x509-forged', forged, new transport())),
        () => unregistered(byCertificate('x509-alien', issue('x509-alien', { issuer: stranger }), new transport())),
        () => unregistered(byCertificate('x509-another', issue('x509-not-another', { issuer: known }), new transport())),
      ]));
    },
  },
  setProvisioningPayload: {
    'registers all the same': async () => {
      const leaf = issue('x509-payload');
      await service().createOrUpdateIndividualEnrollment({ registrationId: 'x509-payload', attestation: { type: 'x509', x509: { clientCertificates: { primary: { certificate: leaf.cert } } } } });
      const client = byCertificate('x509-payload', leaf);
      client.setProvisioningPayload({ a: 1 });
      assert.equal((await client.register()).status, 'assigned');
    },
  },
  cancel: {
    'nothing under way is no failure': async () => { await byCertificate('x509-cancel', issue('x509-cancel')).cancel(); },
  },
});

// requested is a registration request with a transport that has the token for it.
async function requested(registrationId, transport) {
  const key = await enrolled(registrationId);
  transport.setSharedAccessSignature(SharedAccessSignature.create(`${scope}/registrations/${registrationId}`, 'registration', key, anHourFromNow()).toString());
  return { registrationId, provisioningHost: global, idScope: scope };
}

methods('azure-iot-provisioning-device', 'PollingStateMachine', {
  register: {
    'looks until the device is assigned': async () => {
      const transport = new Http();
      const result = await new PollingStateMachine(transport).register(await requested('machine', transport));
      assert.deepEqual([result.status, result.registrationState.deviceId], ['assigned', 'machine']);
    },
    'InvalidOperationError for a second registration under way': async () => {
      const transport = new Http();
      const request = await requested('machine-twice', transport);
      const machine = new PollingStateMachine(transport);
      const first = machine.register(request);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await named(machine.register(request), 'InvalidOperationError');
      await first;
    },
  },
  cancel: {
    'a registration under way ends with OperationCancelledError': async () => {
      const transport = new Http();
      const machine = new PollingStateMachine(transport);
      const under = machine.register(await requested('machine-cancel', transport));
      const ended = named(under, 'OperationCancelledError');
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await machine.cancel();
      await ended;
    },
  },
  disconnect: {
    'ends the transport': async () => {
      const transport = new Mqtt();
      const machine = new PollingStateMachine(transport);
      await machine.register(await requested('machine-disconnect', transport));
      await machine.disconnect();
    },
  },
});

methods('azure-iot-provisioning-device', '', {
  translateError: {
    'the errors of the cloud\'s statuses': () => {
      const names = [400, 401, 404, 429, 500].map((status) => translateError('m', status, {}, {}).name);
      assert.deepEqual(names, ['ArgumentError', 'UnauthorizedError', 'DeviceNotFoundError', 'IotHubQuotaExceededError', 'InternalServerError']);
    },
  },
});
