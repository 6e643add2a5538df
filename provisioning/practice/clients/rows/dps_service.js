// azure-iot-provisioning-service: enrollments, groups and registration records.
'use strict';
const assert = require('node:assert/strict');
const { ProvisioningServiceClient } = require('azure-iot-provisioning-service');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { Http } = require('azure-iot-provisioning-device-http');
const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
const { bearer, called, deriveKey, dps, dpsString, global, hub, hubString, newKey, refused, scope, secondHub, service, wrongKey } = require('../cloud');
const { issue } = require('../certificates');
const { methods } = require('../table');

const stranger = () => ProvisioningServiceClient.fromConnectionString(wrongKey(dpsString()));
const nobody = () => ProvisioningServiceClient.fromConnectionString(dpsString().replace('provisioningserviceowner', 'nobody'));

async function refusesStrangers(call) {
  await refused(call(stranger()), 401);
  await refused(call(nobody()), 401);
}

const symmetric = (keys) => ({ type: 'symmetricKey', ...(keys && { symmetricKey: keys }) });
const enroll = async (registrationId, more = {}) => (await service().createOrUpdateIndividualEnrollment({ registrationId, attestation: symmetric(), ...more })).responseBody;
const enrollGroup = async (enrollmentGroupId, more = {}) => (await service().createOrUpdateEnrollmentGroup({ enrollmentGroupId, attestation: symmetric(), ...more })).responseBody;

// register has a device of a group register by its derived key.
async function register(groupId, registrationId) {
  const { symmetricKey } = (await service().getEnrollmentGroupAttestationMechanism(groupId)).responseBody;
  const key = deriveKey(symmetricKey.primaryKey, registrationId);
  return ProvisioningDeviceClient.create(global, scope, new Http(), new SymmetricKeySecurityClient(registrationId, key)).register();
}

// every reads all pages of a query.
async function every(query) {
  const rows = [];
  let pages = 0;
  while (query.hasMoreResults) {
    // Called without a place to go on from, the promise form of next begins again.
    rows.push(...(await query.next(query.continuationToken)).responseBody);
    pages++;
  }
  return { rows, pages };
}

methods('azure-iot-provisioning-service', 'ProvisioningServiceClient', {
  fromConnectionString: {
    'a client that may do what the policy may': async () => { await service().createEnrollmentGroupQuery({ query: '*' }).next(); },
    '401 with another key, or with a hub\'s': async () => {
      await refused(stranger().getEnrollmentGroup('x'), 401);
      const hubs = hubString().replace(hub, dps);
      await refused(ProvisioningServiceClient.fromConnectionString(hubs).getEnrollmentGroup('x'), 401);
    },
  },
  fromTokenCredential: {
    '401: tokens of Entra ID are not played': async () => {
      await refused(ProvisioningServiceClient.fromTokenCredential(dps, bearer).getEnrollmentGroup('x'), 401);
    },
  },
  createOrUpdateIndividualEnrollment: {
    'keys of 64 bytes made when none are given; defaults filled in': async () => {
      const made = await enroll('Ind-Create', { deviceId: 'ind-device', initialTwin: { tags: { a: 1 }, properties: { desired: { rate: 2 } } } });
      assert.equal(made.registrationId, 'ind-create');
      assert.deepEqual([made.provisioningStatus, made.reprovisionPolicy], ['enabled', { updateHubAssignment: true, migrateDeviceData: true }]);
      assert.deepEqual(made.initialTwin.tags, { a: 1 });
      assert.ok(made.etag && made.createdDateTimeUtc && made.lastUpdatedDateTimeUtc);
      const { symmetricKey } = (await service().getIndividualEnrollmentAttestationMechanism('ind-create')).responseBody;
      assert.equal(Buffer.from(symmetricKey.primaryKey, 'base64').length, 64);
    },
    'X.509, TPM, custom allocation, an edge device, several hubs': async () => {
      const leaf = issue('ind-x509');
      const x509 = await enroll('ind-x509', { attestation: { type: 'x509', x509: { clientCertificates: { primary: { certificate: leaf.cert } } } } });
      const { info } = x509.attestation.x509.clientCertificates.primary;
      assert.deepEqual([info.sha256Thumbprint.toUpperCase(), info.sha1Thumbprint.toUpperCase()], [leaf.sha256, leaf.sha1]);
      assert.match(info.subjectName, /CN=ind-x509/);
      const rich = await enroll('ind-rich', {
        capabilities: { iotEdge: true }, iotHubs: [hub, secondHub], allocationPolicy: 'custom', provisioningStatus: 'disabled',
        customAllocationDefinition: { webhookUrl: 'https://localhost/allocate', apiVersion: '2021-10-01' }, reprovisionPolicy: { updateHubAssignment: false, migrateDeviceData: false },
      });
      assert.deepEqual([rich.capabilities.iotEdge, rich.allocationPolicy, rich.provisioningStatus, rich.iotHubs.length], [true, 'custom', 'disabled', 2]);
    },
    'an update with its etag': async () => {
      const made = await enroll('ind-update');
      const changed = (await service().createOrUpdateIndividualEnrollment({ ...made, provisioningStatus: 'disabled' })).responseBody;
      assert.equal(changed.provisioningStatus, 'disabled');
      assert.notEqual(changed.etag, made.etag);
    },
    '412 for a stale etag': async () => {
      const made = await enroll('ind-stale');
      await service().createOrUpdateIndividualEnrollment({ ...made, provisioningStatus: 'disabled' });
      await refused(service().createOrUpdateIndividualEnrollment({ ...made, provisioningStatus: 'enabled' }), 412);
    },
    '400 for an ID, key, certificate or hub that cannot be': async () => {
      await refused(enroll('no spaces'), 400);
      await refused(enroll('ind-key', { attestation: symmetric({ primaryKey: 'c2hvcnQ=', secondaryKey: 'c2hvcnQ=' }) }), 400);
      await refused(enroll('ind-cert', { attestation: { type: 'x509', x509: { clientCertificates: { primary: { certificate: 'none' } } } } }), 400);
      await refused(enroll('ind-tpm', { attestation: { type: 'tpm', tpm: { endorsementKey: 'bm9uZQ==' } } }), 400);
      await refused(enroll('ind-hub', { iotHubs: ['elsewhere.practice.test'] }), 400);
      await refused(enroll('ind-none', { attestation: { type: 'none' } }), 400);
    },
    '401 for strangers': () => refusesStrangers((s) => s.createOrUpdateIndividualEnrollment({ registrationId: 'ind-no', attestation: symmetric() })),
  },
  getIndividualEnrollment: {
    '200, without keys; letters\' case does not matter': async () => {
      await enroll('ind-get');
      const { responseBody } = await service().getIndividualEnrollment('IND-GET');
      assert.equal(responseBody.registrationId, 'ind-get');
      assert.ok(!responseBody.attestation.symmetricKey?.primaryKey);
    },
    '404': () => refused(service().getIndividualEnrollment('ind-none'), 404),
    '401 for strangers': () => refusesStrangers((s) => s.getIndividualEnrollment('ind-get')),
  },
  getIndividualEnrollmentAttestationMechanism: {
    '200, with keys': async () => {
      const keys = { primaryKey: newKey(), secondaryKey: newKey() };
      await enroll('ind-mechanism', { attestation: symmetric(keys) });
      const { responseBody } = await service().getIndividualEnrollmentAttestationMechanism('ind-mechanism');
      assert.deepEqual([responseBody.type, responseBody.symmetricKey], ['symmetricKey', keys]);
    },
    '404': () => refused(service().getIndividualEnrollmentAttestationMechanism('ind-none'), 404),
    '401 for strangers': () => refusesStrangers((s) => s.getIndividualEnrollmentAttestationMechanism('ind-mechanism')),
  },
  deleteIndividualEnrollment: {
    'by ID, with its etag, or as the enrollment itself': async () => {
      await enroll('ind-delete-1');
      const two = await enroll('ind-delete-2');
      const three = await enroll('ind-delete-3');
      await service().deleteIndividualEnrollment('ind-delete-1');
      await service().deleteIndividualEnrollment('ind-delete-2', two.etag);
      await service().deleteIndividualEnrollment(three);
      for (const n of [1, 2, 3]) await refused(service().getIndividualEnrollment(`ind-delete-${n}`), 404);
    },
    '412 for a stale etag, 404 when there is none': async () => {
      const made = await enroll('ind-delete-stale');
      await service().createOrUpdateIndividualEnrollment({ ...made, provisioningStatus: 'disabled' });
      await refused(service().deleteIndividualEnrollment(made), 412);
      await refused(service().deleteIndividualEnrollment('ind-none'), 404);
    },
    '401 for strangers': () => refusesStrangers((s) => s.deleteIndividualEnrollment('ind-get')),
  },
  createIndividualEnrollmentQuery: {
    'all enrollments, page after page': async () => {
      for (const n of [1, 2, 3]) await enroll(`ind-query-${n}`);
      const { rows, pages } = await every(service().createIndividualEnrollmentQuery({ query: '*' }, 2));
      assert.ok(pages > 1);
      assert.equal(rows.filter((e) => e.registrationId.startsWith('ind-query-')).length, 3);
      assert.equal(new Set(rows.map((e) => e.registrationId)).size, rows.length);
    },
    'SQL as the portal sends it': async () => {
      await enroll('ind-query-sql', { provisioningStatus: 'disabled' });
      const { rows } = await every(service().createIndividualEnrollmentQuery({ query: 'SELECT * FROM enrollments' }));
      assert.ok(rows.some((e) => e.registrationId === 'ind-query-sql'));
    },
    '400 for what is no query': () => refused(service().createIndividualEnrollmentQuery({ query: 'DROP enrollments' }).next(), 400),
    '401 for strangers': () => refusesStrangers((s) => s.createIndividualEnrollmentQuery({ query: '*' }).next()),
  },
  runBulkEnrollmentOperation: {
    'up to ten are made, changed and deleted': async () => {
      const run = (mode, enrollments) => called((done) => service().runBulkEnrollmentOperation({ mode, enrollments }, done));
      const enrollments = Array.from({ length: 10 }, (_, i) => ({ registrationId: `ind-bulk-${i}`, attestation: symmetric() }));
      const [made] = await run('create', enrollments);
      assert.deepEqual([made.isSuccessful, made.errors.length], [true, 0]);
      const one = (await service().getIndividualEnrollment('ind-bulk-1')).responseBody;
      await run('updateIfMatchEtag', [{ ...one, provisioningStatus: 'disabled' }]);
      assert.equal((await service().getIndividualEnrollment('ind-bulk-1')).responseBody.provisioningStatus, 'disabled');
      const [gone] = await run('delete', enrollments.map(({ registrationId, attestation }) => ({ registrationId, attestation })));
      assert.equal(gone.isSuccessful, true);
      await refused(service().getIndividualEnrollment('ind-bulk-1'), 404);
    },
    'an error for each that could not be': async () => {
      await enroll('ind-bulk-there');
      const [result] = await called((done) => service().runBulkEnrollmentOperation({
        mode: 'create', enrollments: [{ registrationId: 'ind-bulk-there', attestation: symmetric() }, { registrationId: 'ind-bulk-new', attestation: symmetric() }],
      }, done));
      assert.equal(result.isSuccessful, false);
      assert.deepEqual(result.errors.map((e) => e.registrationId), ['ind-bulk-there']);
      assert.match(String(result.errors[0].errorCode), /^409\d{3}$/);
    },
    '400 for more than ten, or a mode that is none': async () => {
      const eleven = Array.from({ length: 11 }, (_, i) => ({ registrationId: `ind-eleven-${i}`, attestation: symmetric() }));
      await refused(called((done) => service().runBulkEnrollmentOperation({ mode: 'create', enrollments: eleven }, done)), 400);
      await refused(called((done) => service().runBulkEnrollmentOperation({ mode: 'destroy', enrollments: eleven.slice(0, 1) }, done)), 400);
    },
    '401 for strangers': () => refusesStrangers((s) => called((done) => s.runBulkEnrollmentOperation({ mode: 'create', enrollments: [] }, done))),
  },
  createOrUpdateEnrollmentGroup: {
    'by symmetric key, or by the certificate of an intermediate': async () => {
      const made = await enrollGroup('group-create', { initialTwin: { tags: { line: 1 } } });
      assert.deepEqual([made.enrollmentGroupId, made.provisioningStatus], ['group-create', 'enabled']);
      const authority = issue('group-ca', { authority: true });
      const x509 = await enrollGroup('group-x509', { attestation: { type: 'x509', x509: { signingCertificates: { primary: { certificate: authority.cert } } } } });
      assert.equal(x509.attestation.x509.signingCertificates.primary.info.sha256Thumbprint.toUpperCase(), authority.sha256);
    },
    'an update with its etag; 412 for a stale one': async () => {
      const made = await enrollGroup('group-update');
      const changed = (await service().createOrUpdateEnrollmentGroup({ ...made, provisioningStatus: 'disabled' })).responseBody;
      assert.equal(changed.provisioningStatus, 'disabled');
      await refused(service().createOrUpdateEnrollmentGroup({ ...made, provisioningStatus: 'enabled' }), 412);
    },
    '400 for TPM, which is for individuals only, and for a CA that was not uploaded': async () => {
      await refused(enrollGroup('group-tpm', { attestation: { type: 'tpm', tpm: { endorsementKey: 'AAAA' } } }), 400);
      await refused(enrollGroup('group-ca-none', { attestation: { type: 'x509', x509: { caReferences: { primary: 'none' } } } }), 400);
    },
    '401 for strangers': () => refusesStrangers((s) => s.createOrUpdateEnrollmentGroup({ enrollmentGroupId: 'group-no', attestation: symmetric() })),
  },
  getEnrollmentGroup: {
    '200, without keys': async () => {
      await enrollGroup('group-get');
      const { responseBody } = await service().getEnrollmentGroup('group-get');
      assert.equal(responseBody.enrollmentGroupId, 'group-get');
      assert.ok(!responseBody.attestation.symmetricKey?.primaryKey);
    },
    '404': () => refused(service().getEnrollmentGroup('group-none'), 404),
    '401 for strangers': () => refusesStrangers((s) => s.getEnrollmentGroup('group-get')),
  },
  getEnrollmentGroupAttestationMechanism: {
    '200, with keys': async () => {
      const keys = { primaryKey: newKey(), secondaryKey: newKey() };
      await enrollGroup('group-mechanism', { attestation: symmetric(keys) });
      assert.deepEqual((await service().getEnrollmentGroupAttestationMechanism('group-mechanism')).responseBody.symmetricKey, keys);
    },
    '404': () => refused(service().getEnrollmentGroupAttestationMechanism('group-none'), 404),
    '401 for strangers': () => refusesStrangers((s) => s.getEnrollmentGroupAttestationMechanism('group-mechanism')),
  },
  deleteEnrollmentGroup: {
    'by ID, with its etag, or as the group itself': async () => {
      await enrollGroup('group-delete-1');
      const two = await enrollGroup('group-delete-2');
      await service().deleteEnrollmentGroup('group-delete-1');
      await service().deleteEnrollmentGroup(two);
      await refused(service().getEnrollmentGroup('group-delete-1'), 404);
      await refused(service().getEnrollmentGroup('group-delete-2'), 404);
    },
    '412 for a stale etag, 404 when there is none': async () => {
      const made = await enrollGroup('group-delete-stale');
      await service().createOrUpdateEnrollmentGroup({ ...made, provisioningStatus: 'disabled' });
      await refused(service().deleteEnrollmentGroup(made.enrollmentGroupId, made.etag), 412);
      await refused(service().deleteEnrollmentGroup('group-none'), 404);
    },
    '401 for strangers': () => refusesStrangers((s) => s.deleteEnrollmentGroup('group-get')),
  },
  createEnrollmentGroupQuery: {
    'all groups, page after page': async () => {
      for (const n of [1, 2, 3]) await enrollGroup(`group-query-${n}`);
      const { rows, pages } = await every(service().createEnrollmentGroupQuery({ query: '*' }, 1));
      assert.ok(pages > 2);
      assert.equal(rows.filter((g) => g.enrollmentGroupId.startsWith('group-query-')).length, 3);
    },
    '400 for what is no query': () => refused(service().createEnrollmentGroupQuery({ query: '' }).next(), 400),
    '401 for strangers': () => refusesStrangers((s) => s.createEnrollmentGroupQuery({ query: '*' }).next()),
  },
  getDeviceRegistrationState: {
    'where a device was assigned': async () => {
      await enrollGroup('group-state');
      await register('group-state', 'state-device');
      const state = (await service().getDeviceRegistrationState('state-device')).responseBody;
      assert.deepEqual([state.registrationId, state.status, state.deviceId, state.substatus], ['state-device', 'assigned', 'state-device', 'initialAssignment']);
      assert.ok([hub, secondHub].includes(state.assignedHub));
    },
    '404 for one that never registered': () => refused(service().getDeviceRegistrationState('state-none'), 404),
    '401 for strangers': () => refusesStrangers((s) => s.getDeviceRegistrationState('state-device')),
  },
  createEnrollmentGroupDeviceRegistrationStateQuery: {
    'the registrations of a group': async () => {
      await enrollGroup('group-states');
      await Promise.all(['states-a', 'states-b'].map((id) => register('group-states', id)));
      const { rows } = await every(service().createEnrollmentGroupDeviceRegistrationStateQuery({ query: '*' }, 'group-states', 1));
      assert.deepEqual(rows.map((r) => r.registrationId).sort(), ['states-a', 'states-b']);
    },
    '404 for a group that is not there': () => refused(service().createEnrollmentGroupDeviceRegistrationStateQuery({ query: '*' }, 'group-none').next(), 404),
    '401 for strangers': () => refusesStrangers((s) => s.createEnrollmentGroupDeviceRegistrationStateQuery({ query: '*' }, 'group-states').next()),
  },
  deleteDeviceRegistrationState: {
    'by ID or as the record itself': async () => {
      await enrollGroup('group-forget');
      await Promise.all(['forget-a', 'forget-b'].map((id) => register('group-forget', id)));
      await service().deleteDeviceRegistrationState('forget-a');
      await service().deleteDeviceRegistrationState((await service().getDeviceRegistrationState('forget-b')).responseBody);
      for (const id of ['forget-a', 'forget-b']) await refused(service().getDeviceRegistrationState(id), 404);
    },
    '412 for a stale etag, 404 when there is none': async () => {
      await enrollGroup('group-forget-stale');
      await register('group-forget-stale', 'forget-stale');
      await refused(service().deleteDeviceRegistrationState('forget-stale', '"stale"'), 412);
      await refused(service().deleteDeviceRegistrationState('forget-none'), 404);
    },
    '401 for strangers': () => refusesStrangers((s) => s.deleteDeviceRegistrationState('state-device')),
  },
});

methods('azure-iot-provisioning-service', 'Query', {
  next: {
    'one page': async () => {
      await enroll('ind-page');
      const query = service().createIndividualEnrollmentQuery({ query: '*' }, 1);
      assert.equal((await query.next()).responseBody.length, 1);
    },
    '400 for what is no query': () => refused(service().createIndividualEnrollmentQuery({ query: 'SELECT' }).next(), 400),
  },
});
