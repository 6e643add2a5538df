// azure-iot-provisioning-device-http and -mqtt: the transports themselves.
'use strict';
const assert = require('node:assert/strict');
const { anHourFromNow, SharedAccessSignature } = require('azure-iot-common');
const http = require('azure-iot-provisioning-device-http');
const mqtt = require('azure-iot-provisioning-device-mqtt');
const { called, global, newKey, scope, service } = require('../cloud');
const { issue } = require('../certificates');
const { methods } = require('../table');

const packages = [['azure-iot-provisioning-device-http', 'Http', http.Http], ['azure-iot-provisioning-device-mqtt', 'Mqtt', mqtt.Mqtt], ['azure-iot-provisioning-device-mqtt', 'MqttWs', mqtt.MqttWs]];

for (const [packageName, name, Transport] of packages) {
  const id = (what) => `transport-${name.toLowerCase()}-${what}`;
  const request = (what, more) => ({ registrationId: id(what), provisioningHost: global, idScope: scope, ...more });

  // keyed enrolls a device with keys and gives a transport that has a token made with the key.
  async function keyed(t, what, otherKey) {
    const keys = { primaryKey: newKey(), secondaryKey: newKey() };
    await service().createOrUpdateIndividualEnrollment({ registrationId: id(what), attestation: { type: 'symmetricKey', symmetricKey: keys } });
    const transport = new Transport();
    transport.setSharedAccessSignature(token(what, otherKey ?? keys.primaryKey));
    t.after(() => called((done) => transport.disconnect(done)).catch(() => {}));
    return transport;
  }
  const token = (what, key, expiry = anHourFromNow()) => SharedAccessSignature.create(`${scope}/registrations/${id(what)}`, 'registration', key, expiry).toString();
  // started gives the operation and how long to wait before the next look, in milliseconds.
  async function started(transport, what, more) {
    const results = await called((done) => transport.registrationRequest(request(what, more), done));
    return [results[0], results[2]];
  }
  // finished looks until the operation has ended.
  async function finished(transport, what, operationId) {
    for (;;) {
      const [result, , wait] = await called((done) => transport.queryOperationStatus(request(what), operationId, done));
      if (result.status !== 'assigning') return result;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  const refused = (call) => assert.rejects(call, (err) => err.response?.statusCode === 401 || (/Not authorized/.test(err.message) && !/ECONNREFUSED/.test(err.stack)));

  methods(packageName, name, {
    registrationRequest: {
      'assigning first, with an operation to ask for and a time to wait': async (t) => {
        const [result, wait] = await started(await keyed(t, 'request'), 'request', { payload: { model: 'm' } });
        assert.equal(result.status, 'assigning');
        assert.ok(result.operationId && wait >= 1000);
      },
      'refused with another key or an expired token': async (t) => {
        await refused(started(await keyed(t, 'request-wrong', newKey()), 'request-wrong'));
        const transport = await keyed(t, 'request-old');
        const { symmetricKey } = (await service().getIndividualEnrollmentAttestationMechanism(id('request-old'))).responseBody;
        transport.setSharedAccessSignature(token('request-old', symmetricKey.primaryKey, 1));
        await refused(started(transport, 'request-old'));
      },
    },
    queryOperationStatus: {
      'assigned in the end, with the whole record': async (t) => {
        const transport = await keyed(t, 'query');
        const [{ operationId }] = await started(transport, 'query');
        const { status, registrationState } = await finished(transport, 'query', operationId);
        assert.deepEqual([status, registrationState.status, registrationState.deviceId, registrationState.substatus], ['assigned', 'assigned', id('query'), 'initialAssignment']);
        assert.ok(registrationState.assignedHub && registrationState.createdDateTimeUtc && registrationState.etag);
      },
      'an error for an operation that is not there': async (t) => {
        const transport = await keyed(t, 'query-none');
        await started(transport, 'query-none');
        await assert.rejects(called((done) => transport.queryOperationStatus(request('query-none'), '4.none.none', done)));
      },
    },
    setSharedAccessSignature: {
      'proves the device': async (t) => { await started(await keyed(t, 'sas'), 'sas'); },
      'refused for a token of another registration': async (t) => {
        const transport = await keyed(t, 'sas-other');
        const { symmetricKey } = (await service().getIndividualEnrollmentAttestationMechanism(id('sas-other'))).responseBody;
        transport.setSharedAccessSignature(token('another', symmetricKey.primaryKey));
        await refused(started(transport, 'sas-other'));
      },
    },
    setAuthentication: {
      'a certificate proves the device': async (t) => {
        const leaf = issue(id('x509'));
        await service().createOrUpdateIndividualEnrollment({ registrationId: id('x509'), attestation: { type: 'x509', x509: { clientCertificates: { primary: { certificate: leaf.cert } } } } });
        const transport = new Transport();
        t.after(() => called((done) => transport.disconnect(done)).catch(() => {}));
        transport.setAuthentication({ cert: leaf.cert, key: leaf.key });
        assert.equal((await started(transport, 'x509'))[0].status, 'assigning');
      },
      'refused for a certificate that is not enrolled': async (t) => {
        const leaf = issue(id('x509-none'));
        const transport = new Transport();
        t.after(() => called((done) => transport.disconnect(done)).catch(() => {}));
        transport.setAuthentication({ cert: leaf.cert, key: leaf.key });
        await refused(started(transport, 'x509-none'));
      },
    },
    setTransportOptions: {
      'the cloud\'s own time to wait goes before the client\'s': async (t) => {
        const transport = await keyed(t, 'options');
        transport.setTransportOptions({ pollingInterval: 7 });
        const [, wait] = await started(transport, 'options');
        assert.ok(wait >= 1000 && wait % 1000 === 0);
      },
    },
    cancel: {
      'nothing under way is no failure': async () => { await called((done) => new Transport().cancel(done)); },
    },
    disconnect: {
      'ends the connection': async (t) => {
        const transport = await keyed(t, 'disconnect');
        await started(transport, 'disconnect');
        await called((done) => transport.disconnect(done));
      },
    },
  });
}
