// azure-iot-security-symmetric-key, -x509 and -tpm, the last with a software TPM; and registrations by TPM.
'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { Client } = require('azure-iot-device');
const { Mqtt: DeviceMqtt } = require('azure-iot-device-mqtt');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { Http } = require('azure-iot-provisioning-device-http');
const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
const { TpmAuthenticationProvider } = require('azure-iot-security-tpm');
const { X509Security } = require('azure-iot-security-x509');
const { Message, SharedAccessSignature } = require('azure-iot-common');
const { NoRetry, called, global, hub, named, newKey, opened, registry, scope, service, unauthorized } = require('../cloud');
const { issue } = require('../certificates');
const { softwareTPM } = require('../tpm');
const { methods } = require('../table');

methods('azure-iot-security-symmetric-key', 'SymmetricKeySecurityClient', {
  getRegistrationId: { 'as given': async () => assert.equal(await new SymmetricKeySecurityClient('keys', newKey()).getRegistrationId(), 'keys') },
  createSharedAccessSignature: {
    'a token that DPS takes': async () => {
      const key = newKey();
      await service().createOrUpdateIndividualEnrollment({ registrationId: 'keys-token', attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: key, secondaryKey: newKey() } } });
      const sas = (await new SymmetricKeySecurityClient('keys-token', key).createSharedAccessSignature(scope)).toString();
      assert.match(sas, new RegExp(`sr=${scope}/registrations/keys-token&`));
      const transport = new Http();
      transport.setSharedAccessSignature(sas);
      const [result] = await called((done) => transport.registrationRequest({ registrationId: 'keys-token', provisioningHost: global, idScope: scope }, done));
      assert.equal(result.status, 'assigning');
    },
    'a ReferenceError without an ID scope': () => assert.rejects(new SymmetricKeySecurityClient('keys', newKey()).createSharedAccessSignature(''), { name: 'ReferenceError' }),
  },
});

methods('azure-iot-security-x509', 'X509Security', {
  getCertificate: { 'the certificate and key that a registration uses': async () => {
    const leaf = issue('security-x509');
    assert.deepEqual(await called((done) => new X509Security('security-x509', { cert: leaf.cert, key: leaf.key }).getCertificate(done)), { cert: leaf.cert, key: leaf.key });
  } },
  getRegistrationId: { 'as given': () => assert.equal(new X509Security('security-x509', { cert: '', key: '' }).getRegistrationId(), 'security-x509') },
});

// Two TPMs, made when the first row asks for one. Each has one line to its commands, so rows take turns.
let pair;
const tpms = () => (pair ??= Promise.all([softwareTPM(2321), softwareTPM(2331)]));
const first = async (registrationId) => (await tpms())[0].client(registrationId);
const second = async (registrationId) => (await tpms())[1].client(registrationId);

const keys = async (client) => [await called((done) => client.getEndorsementKey(done)), await called((done) => client.getStorageRootKey(done))];

// enroll makes an individual enrollment for the TPM's endorsement key.
async function enroll(client, registrationId, more = {}) {
  const [endorsementKey] = await keys(client);
  await service().createOrUpdateIndividualEnrollment({ registrationId, attestation: { type: 'tpm', tpm: { endorsementKey: endorsementKey.toString('base64') } }, iotHubs: [hub], ...more });
}
const registration = (client) => ProvisioningDeviceClient.create(global, scope, new Http(), client);

// challenge asks DPS for the nonce that only this TPM can open.
async function challenge(client, registrationId) {
  const transport = new Http();
  transport.setTpmInformation(...await keys(client));
  const request = { registrationId, provisioningHost: global, idScope: scope };
  return { transport, request, blob: await called((done) => transport.getAuthenticationChallenge(request, done)) };
}

// answer signs with the key in the TPM what DPS wants to see.
async function answer(client, registrationId) {
  const audience = encodeURIComponent(`${scope}/registrations/${registrationId}`);
  const expiry = Math.floor(Date.now() / 1000) + 3600;
  const signature = await called((done) => client.signWithIdentity(Buffer.from(`${audience}\n${expiry}`), done));
  return `SharedAccessSignature sr=${audience}&sig=${encodeURIComponent(signature.toString('base64'))}&se=${expiry}&skn=registration`;
}

methods('azure-iot-security-tpm', 'TpmSecurityClient', {
  getEndorsementKey: { 'the TPM\'s own, as DPS enrolls it': async () => {
    const [endorsement] = await keys(await first());
    assert.equal(endorsement.length, 316);
    await enroll(await first(), 'tpm-ek');
    assert.equal((await service().getIndividualEnrollmentAttestationMechanism('tpm-ek')).responseBody.tpm.endorsementKey, endorsement.toString('base64'));
    await service().deleteIndividualEnrollment('tpm-ek');
  } },
  getStorageRootKey: { 'the TPM\'s own': async () => assert.equal((await keys(await first()))[1].length, 284) },
  getRegistrationId: {
    'as given, or made from the endorsement key': async () => {
      assert.equal(await called(async (done) => (await first('tpm-given')).getRegistrationId(done)), 'tpm-given');
      const made = await called(async (done) => (await first()).getRegistrationId(done));
      assert.match(made, /^[a-z2-7]{52}$/);
    },
  },
  activateIdentityKey: {
    'the nonce of the practice DPS opens in the TPM': async () => {
      const client = await first('tpm-activate');
      await enroll(client, 'tpm-activate');
      const { blob } = await challenge(client, 'tpm-activate');
      await called((done) => client.activateIdentityKey(blob, done));
      await service().deleteIndividualEnrollment('tpm-activate');
    },
    'an error for a nonce that lacks its last part': async () => {
      const client = await first('tpm-short');
      await enroll(client, 'tpm-short');
      const { blob } = await challenge(client, 'tpm-short');
      await assert.rejects(called((done) => client.activateIdentityKey(blob.subarray(0, -2), done)), /unmarshal/);
      await service().deleteIndividualEnrollment('tpm-short');
    },
  },
  signWithIdentity: {
    'a token that DPS takes after its challenge': async () => {
      const client = await first('tpm-sign');
      await enroll(client, 'tpm-sign');
      const { transport, request, blob } = await challenge(client, 'tpm-sign');
      await called((done) => client.activateIdentityKey(blob, done));
      const sas = await answer(client, 'tpm-sign');
      await called((done) => transport.respondToAuthenticationChallenge(request, sas, done));
      const [result] = await called((done) => transport.registrationRequest(request, done));
      assert.equal(result.status, 'assigning');
      await service().deleteIndividualEnrollment('tpm-sign');
    },
  },
});

methods('azure-iot-provisioning-device-http', 'Http', {
  setTpmInformation: {
    'the keys by which DPS knows the TPM': async () => {
      const client = await first('tpm-information');
      await enroll(client, 'tpm-information');
      assert.ok((await challenge(client, 'tpm-information')).blob.length > 700);
      await service().deleteIndividualEnrollment('tpm-information');
    },
    'no challenge for another TPM\'s keys': async () => {
      await enroll(await first('tpm-stranger'), 'tpm-stranger');
      await assert.rejects(challenge(await second('tpm-stranger'), 'tpm-stranger'));
      await service().deleteIndividualEnrollment('tpm-stranger');
    },
  },
  getAuthenticationChallenge: {
    '401 with a nonce of six parts': async () => {
      const client = await first('tpm-challenge');
      await enroll(client, 'tpm-challenge');
      const { blob } = await challenge(client, 'tpm-challenge');
      let parts = 0;
      for (let at = 0; at < blob.length; parts++) at += 2 + blob.readUInt16BE(at);
      assert.equal(parts, 6);
      await service().deleteIndividualEnrollment('tpm-challenge');
    },
    'no challenge for an enrollment that is disabled or not there': async () => {
      const client = await first('tpm-off');
      await assert.rejects(challenge(client, 'tpm-off'));
      await enroll(client, 'tpm-off', { provisioningStatus: 'disabled' });
      await assert.rejects(challenge(client, 'tpm-off'));
      await service().deleteIndividualEnrollment('tpm-off');
    },
  },
  respondToAuthenticationChallenge: {
    '401 for an answer signed with another key': async () => {
      const client = await first('tpm-forged');
      await enroll(client, 'tpm-forged');
      const { transport, request } = await challenge(client, 'tpm-forged');
      const audience = encodeURIComponent(`${scope}/registrations/tpm-forged`);
      const forged = SharedAccessSignature.create(audience, 'registration', crypto.randomBytes(32).toString('base64'), Math.floor(Date.now() / 1000) + 60).toString();
      await called((done) => transport.respondToAuthenticationChallenge(request, forged, done));
      await assert.rejects(called((done) => transport.registrationRequest(request, done)), (err) => err.response.statusCode === 401);
      await service().deleteIndividualEnrollment('tpm-forged');
    },
  },
});

methods('azure-iot-provisioning-device', 'TpmRegistration', {
  register: {
    'with the TPM\'s nonce challenge; the device then connects with the key in its TPM': async (t) => {
      const client = await first('tpm-register');
      await enroll(client, 'tpm-register', { deviceId: 'tpm-device' });
      const { registrationState } = await registration(client).register();
      assert.deepEqual([registrationState.status, registrationState.deviceId, registrationState.assignedHub], ['assigned', 'tpm-device', hub]);
      assert.equal((await registry().get('tpm-device')).responseBody.authentication.type, 'sas');
      const device = await opened(t, Client.fromAuthenticationProvider(TpmAuthenticationProvider.fromTpmSecurityClient('tpm-device', hub, client), DeviceMqtt));
      await device.sendEvent(new Message('from a TPM'));
      await service().deleteIndividualEnrollment('tpm-register');
    },
    'refused for another TPM than the enrolled one, or none enrolled': async () => {
      await enroll(await first('tpm-wrong'), 'tpm-wrong');
      await named(registration(await second('tpm-wrong')).register(), 'FormatError');
      await service().deleteIndividualEnrollment('tpm-wrong');
      await named(registration(await first('tpm-none')).register(), 'FormatError');
    },
  },
  setProvisioningPayload: { 'registers all the same': async () => {
    const client = await first('tpm-payload');
    await enroll(client, 'tpm-payload');
    const device = registration(client);
    device.setProvisioningPayload({ a: 1 });
    assert.equal((await device.register()).registrationState.status, 'assigned');
    await service().deleteIndividualEnrollment('tpm-payload');
  } },
  cancel: { 'nothing under way is no failure': async () => { await registration(await first('tpm-cancel')).cancel(); } },
});

// provided registers the first TPM and gives a provider for the device that it has become.
async function provided(deviceId) {
  const client = await first(deviceId);
  await enroll(client, deviceId);
  await registration(client).register();
  await service().deleteIndividualEnrollment(deviceId);
  return TpmAuthenticationProvider.fromTpmSecurityClient(deviceId, hub, client);
}

methods('azure-iot-security-tpm', 'TpmAuthenticationProvider', {
  fromTpmSecurityClient: {
    'a provider that opens a connection': async (t) => {
      await opened(t, Client.fromAuthenticationProvider(await provided('tpm-provider'), DeviceMqtt));
    },
    'UnauthorizedError for a device that has another key': async () => {
      await registry().create({ deviceId: 'tpm-provider-other' });
      const client = Client.fromAuthenticationProvider(TpmAuthenticationProvider.fromTpmSecurityClient('tpm-provider-other', hub, await first()), DeviceMqtt);
      client.setRetryPolicy(new NoRetry());
      await unauthorized(client.open());
    },
  },
  getDeviceCredentials: { 'a token signed in the TPM': async () => {
    const provider = await provided('tpm-credentials');
    const { deviceId, sharedAccessSignature } = await called((done) => provider.getDeviceCredentials(done));
    provider.stop();
    assert.equal(deviceId, 'tpm-credentials');
    assert.match(sharedAccessSignature, /^SharedAccessSignature sr=/);
  } },
  updateSharedAccessSignature: { 'InvalidOperationError, by the client itself': async () => {
    const provider = TpmAuthenticationProvider.fromTpmSecurityClient('d', hub, await first());
    assert.throws(() => provider.updateSharedAccessSignature('x'), { name: 'InvalidOperationError' });
  } },
  stop: { 'no further token is signed': async () => {
    const provider = await provided('tpm-stop');
    await called((done) => provider.getDeviceCredentials(done));
    provider.stop();
  } },
});
