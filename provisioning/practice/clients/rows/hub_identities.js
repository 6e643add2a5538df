// azure-iothub: identities of devices and modules, one by one and in bulk.
'use strict';
const assert = require('node:assert/strict');
const iothub = require('azure-iothub');
const { bearer, called, device, hub, hubString, hubToken, module_, newKey, now, refused, named, registry, strangers, wrongKey } = require('../cloud');
const { methods } = require('../table');

// bulk gives the result of a bulk call. With errors in it the hub may answer 200 or 400.
async function bulk(call) {
  try {
    return (await call).responseBody;
  } catch (err) {
    assert.equal(err.response?.statusCode, 400, err.stack);
    return JSON.parse(err.responseBody);
  }
}

async function refusesStrangers(call) {
  for (const stranger of strangers()) await refused(call(stranger), 401, 'IotHubUnauthorizedAccess');
}

methods('azure-iothub', 'Registry', {
  fromConnectionString: {
    'a registry that may do what the policy may': async () => {
      await iothub.Registry.fromConnectionString(hubString()).list();
    },
    '401 with another key, or at another hub of the cloud': async () => {
      await refused(iothub.Registry.fromConnectionString(wrongKey(hubString())).list(), 401, 'IotHubUnauthorizedAccess');
      await refused(iothub.Registry.fromConnectionString(hubString().replace(hub, 'line2.practice.test')).list(), 401);
    },
  },
  fromSharedAccessSignature: {
    'a registry as long as the token lives': async () => {
      await iothub.Registry.fromSharedAccessSignature(hubToken(now() + 60)).list();
    },
    '401 when it has expired': async () => {
      await refused(iothub.Registry.fromSharedAccessSignature(hubToken(now() - 1)).list(), 401, 'IotHubUnauthorizedAccess');
    },
  },
  fromTokenCredential: {
    '401: tokens of Entra ID are not played': async () => {
      await refused(iothub.Registry.fromTokenCredential(hub, bearer).list(), 401);
    },
  },
  create: {
    '200, keys made when none are given': async () => {
      const { responseBody, httpResponse } = await registry().create({ deviceId: 'create' });
      assert.equal(httpResponse.statusCode, 200);
      const { authentication, status, connectionState, deviceId, generationId, etag } = responseBody;
      assert.deepEqual([deviceId, status, connectionState, authentication.type], ['create', 'enabled', 'Disconnected', 'sas']);
      const { primaryKey, secondaryKey } = authentication.symmetricKey;
      assert.ok(Buffer.from(primaryKey, 'base64').length >= 16 && primaryKey !== secondaryKey);
      assert.ok(generationId && etag);
    },
    'own keys, status, thumbprints and CA authentication are kept': async () => {
      const keys = { primaryKey: newKey(), secondaryKey: newKey() };
      const own = await registry().create({ deviceId: 'create-own', status: 'disabled', statusReason: 'spare', authentication: { symmetricKey: keys } });
      assert.deepEqual(own.responseBody.authentication.symmetricKey, keys);
      assert.deepEqual([own.responseBody.status, own.responseBody.statusReason], ['disabled', 'spare']);
      const thumbprints = { primaryThumbprint: 'AB'.repeat(32), secondaryThumbprint: 'cd'.repeat(20) };
      const cert = await registry().create({ deviceId: 'create-x509', authentication: { x509Thumbprint: thumbprints } });
      assert.equal(cert.responseBody.authentication.type, 'selfSigned');
      assert.deepEqual(cert.responseBody.authentication.x509Thumbprint, thumbprints);
      const ca = await registry().create({ deviceId: 'create-ca', authentication: { type: 'certificateAuthority' } });
      assert.equal(ca.responseBody.authentication.type, 'certificateAuthority');
    },
    'an edge device gets its scope, $edgeAgent and $edgeHub; a child takes its parent\'s scope': async () => {
      const edge = await registry().create({ deviceId: 'create-edge', capabilities: { iotEdge: true } });
      assert.match(edge.responseBody.deviceScope, /^ms-azure-iot-edge:\/\/create-edge-\d+$/);
      const modules = await registry().getModulesOnDevice('create-edge');
      assert.deepEqual(modules.responseBody.map((m) => m.moduleId).sort(), ['$edgeAgent', '$edgeHub']);
      const leaf = await registry().create({ deviceId: 'create-leaf', deviceScope: edge.responseBody.deviceScope });
      assert.deepEqual(leaf.responseBody.parentScopes, [edge.responseBody.deviceScope]);
    },
    '409 DeviceAlreadyExists': async () => {
      await device('create-twice');
      await refused(registry().create({ deviceId: 'create-twice' }), 409, 'DeviceAlreadyExists');
    },
    '400 for an ID, a key, a thumbprint that cannot be': async () => {
      await refused(registry().create({ deviceId: 'no spaces' }), 400);
      await refused(registry().create({ deviceId: 'x'.repeat(129) }), 400);
      await refused(registry().create({ deviceId: 'create-short', authentication: { symmetricKey: { primaryKey: 'c2hvcnQ=', secondaryKey: 'c2hvcnQ=' } } }), 400);
      await refused(registry().create({ deviceId: 'create-thumb', authentication: { x509Thumbprint: { primaryThumbprint: 'AB:CD' } } }), 400);
    },
    '401 with another key, an expired token, an unknown policy': () => refusesStrangers((r) => r.create({ deviceId: 'create-no' })),
  },
  update: {
    '200, the whole identity replaced': async () => {
      const made = await device('update', { status: 'enabled' });
      const { string, ...identity } = made;
      const { responseBody } = await registry().update({ ...identity, status: 'disabled', statusReason: 'repair' });
      assert.deepEqual([responseBody.status, responseBody.statusReason], ['disabled', 'repair']);
      assert.notEqual(responseBody.etag, made.etag);
      assert.deepEqual(responseBody.authentication.symmetricKey, made.authentication.symmetricKey);
    },
    '400 when an edge device\'s scope is changed': async () => {
      const { string, ...edge } = await device('update-edge', { capabilities: { iotEdge: true } });
      await refused(registry().update({ ...edge, deviceScope: 'ms-azure-iot-edge://update-edge-1' }), 400);
    },
    '404 DeviceNotFound': async () => {
      await refused(registry().update({ deviceId: 'update-none', status: 'disabled' }), 404, 'DeviceNotFound');
    },
    '401 for strangers': () => refusesStrangers((r) => r.update({ deviceId: 'update' })),
  },
  get: {
    '200, with keys': async () => {
      const made = await device('get:1.a+b%c_d#e*f?g!h(i),=@;$\'');
      const { responseBody } = await registry().get(made.deviceId);
      assert.deepEqual(responseBody.authentication, made.authentication);
    },
    '404 DeviceNotFound; letters\' case matters': async () => {
      await device('get-case');
      await refused(registry().get('Get-Case'), 404, 'DeviceNotFound');
    },
    '401 for strangers': () => refusesStrangers((r) => r.get('get-case')),
  },
  list: {
    '200, an array of identities': async () => {
      await device('list');
      const { responseBody } = await registry().list();
      assert.ok(responseBody.some((d) => d.deviceId === 'list'));
    },
    '401 for strangers': () => refusesStrangers((r) => r.list()),
  },
  delete: {
    '204, with modules and twin': async () => {
      const made = await device('delete');
      await module_('delete', 'm');
      const { httpResponse } = await registry().delete('delete');
      assert.equal(httpResponse.statusCode, 204);
      await refused(registry().get('delete'), 404, 'DeviceNotFound');
      await refused(registry().getTwin('delete'), 404, 'DeviceNotFound');
      const again = await device('delete');
      assert.notEqual(again.generationId, made.generationId);
      assert.deepEqual((await registry().getModulesOnDevice('delete')).responseBody, []);
    },
    '404 DeviceNotFound': () => refused(registry().delete('delete-none'), 404, 'DeviceNotFound'),
    '401 for strangers': () => refusesStrangers((r) => r.delete('list')),
  },
  addDevices: {
    '200, up to a hundred at once': async () => {
      const devices = Array.from({ length: 100 }, (_, i) => ({ deviceId: `bulk-${i}`, status: i % 2 ? 'enabled' : 'disabled' }));
      const result = await bulk(registry().addDevices(devices));
      assert.deepEqual([result.isSuccessful, result.errors.length], [true, 0]);
      assert.equal((await registry().get('bulk-98')).responseBody.status, 'disabled');
    },
    'an error for each device that exists, the others are made': async () => {
      await device('bulk-there');
      const result = await bulk(registry().addDevices([{ deviceId: 'bulk-there' }, { deviceId: 'bulk-new' }]));
      assert.equal(result.isSuccessful, false);
      assert.deepEqual(result.errors.map((e) => [e.deviceId, e.errorCode]), [['bulk-there', 'DeviceAlreadyExists']]);
      await registry().get('bulk-new');
    },
    '400 when a device stands twice': async () => {
      await refused(registry().addDevices([{ deviceId: 'bulk-twice' }, { deviceId: 'bulk-twice' }]), 400);
    },
    'the client takes no more than a hundred': () => named(registry().addDevices(Array(101).fill({ deviceId: 'x' })), 'ArgumentError'),
    '401 for strangers': () => refusesStrangers((r) => r.addDevices([{ deviceId: 'bulk-no' }])),
  },
  updateDevices: {
    '200, with and without regard to etags': async () => {
      const made = await device('bulk-update');
      const keep = { deviceId: made.deviceId, authentication: made.authentication };
      assert.equal((await bulk(registry().updateDevices([{ ...keep, status: 'disabled' }], true))).isSuccessful, true);
      const { responseBody } = await registry().get('bulk-update');
      assert.equal(responseBody.status, 'disabled');
      assert.equal((await bulk(registry().updateDevices([{ ...keep, status: 'enabled', etag: responseBody.etag }], false))).isSuccessful, true);
      assert.equal((await registry().get('bulk-update')).responseBody.status, 'enabled');
    },
    'errors PreconditionFailed and DeviceNotFound': async () => {
      await device('bulk-stale');
      const stale = await bulk(registry().updateDevices([{ deviceId: 'bulk-stale', status: 'disabled', etag: 'MTIz' }], false));
      assert.deepEqual(stale.errors.map((e) => e.errorCode), ['PreconditionFailed']);
      const none = await bulk(registry().updateDevices([{ deviceId: 'bulk-none', status: 'disabled' }], true));
      assert.deepEqual(none.errors.map((e) => e.errorCode), ['DeviceNotFound']);
    },
    '401 for strangers': () => refusesStrangers((r) => r.updateDevices([{ deviceId: 'bulk-stale' }], true)),
  },
  removeDevices: {
    '200, with and without regard to etags': async () => {
      const made = await device('bulk-remove');
      await device('bulk-remove-any');
      assert.equal((await bulk(registry().removeDevices([{ deviceId: made.deviceId, etag: made.etag }], false))).isSuccessful, true);
      assert.equal((await bulk(registry().removeDevices([{ deviceId: 'bulk-remove-any' }], true))).isSuccessful, true);
      await refused(registry().get('bulk-remove'), 404, 'DeviceNotFound');
    },
    'errors PreconditionFailed and DeviceNotFound': async () => {
      await device('bulk-remove-stale');
      const result = await bulk(registry().removeDevices([{ deviceId: 'bulk-remove-stale', etag: 'MTIz' }, { deviceId: 'bulk-remove-none', etag: 'MTIz' }], false));
      assert.deepEqual(result.errors.map((e) => [e.deviceId, e.errorCode]).sort(), [['bulk-remove-none', 'DeviceNotFound'], ['bulk-remove-stale', 'PreconditionFailed']]);
    },
    '401 for strangers': () => refusesStrangers((r) => r.removeDevices([{ deviceId: 'bulk-1' }], true)),
  },
  getRegistryStatistics: {
    'counts of all, enabled and disabled devices': async () => {
      await device('statistics', { status: 'disabled' });
      const { totalDeviceCount, enabledDeviceCount, disabledDeviceCount } = (await registry().getRegistryStatistics()).responseBody;
      assert.ok(disabledDeviceCount >= 1);
      assert.equal(totalDeviceCount, enabledDeviceCount + disabledDeviceCount);
    },
    '401 for strangers': () => refusesStrangers((r) => r.getRegistryStatistics()),
  },
  addModule: {
    '200, keys made when none are given': async () => {
      await device('modules');
      const made = await module_('modules', 'filter', { managedBy: 'somebody' });
      assert.deepEqual([made.moduleId, made.deviceId, made.managedBy, made.connectionState], ['filter', 'modules', 'somebody', 'Disconnected']);
      assert.ok(made.generationId && made.etag && made.authentication.symmetricKey.primaryKey);
    },
    '409 ModuleAlreadyExistsOnDevice': async () => {
      await device('modules-twice');
      await module_('modules-twice', 'm');
      await refused(registry().addModule({ deviceId: 'modules-twice', moduleId: 'm' }), 409, 'ModuleAlreadyExistsOnDevice');
    },
    '400 for a name that begins with $': async () => {
      await device('modules-system');
      await refused(registry().addModule({ deviceId: 'modules-system', moduleId: '$edgeAgent' }), 400);
    },
    '401 on a device that is missing or disabled, as the hub does it': async () => {
      await refused(registry().addModule({ deviceId: 'modules-none', moduleId: 'm' }), 401, 'IotHubUnauthorizedAccess');
      await device('modules-off', { status: 'disabled' });
      await refused(registry().addModule({ deviceId: 'modules-off', moduleId: 'm' }), 401, 'IotHubUnauthorizedAccess');
    },
    '401 for strangers': () => refusesStrangers((r) => r.addModule({ deviceId: 'modules', moduleId: 'no' })),
  },
  getModulesOnDevice: {
    '200, an array': async () => {
      await device('modules-list');
      assert.deepEqual((await registry().getModulesOnDevice('modules-list')).responseBody, []);
      await module_('modules-list', 'one');
      assert.deepEqual((await registry().getModulesOnDevice('modules-list')).responseBody.map((m) => m.moduleId), ['one']);
    },
    '401 on a missing device': () => refused(registry().getModulesOnDevice('modules-list-none'), 401, 'IotHubUnauthorizedAccess'),
    '401 for strangers': () => refusesStrangers((r) => r.getModulesOnDevice('modules-list')),
  },
  getModule: {
    '200, with keys': async () => {
      await device('module-get');
      const made = await module_('module-get', 'm');
      assert.deepEqual((await registry().getModule('module-get', 'm')).responseBody.authentication, made.authentication);
    },
    '404 ModuleNotFound': async () => {
      await device('module-get-none');
      const err = await named(registry().getModule('module-get-none', 'm'), 'Error');
      assert.deepEqual([err.response.statusCode, err.response.headers['iothub-errorcode']], [404, 'ModuleNotFound']);
    },
    '401 for strangers': () => refusesStrangers((r) => r.getModule('module-get', 'm')),
  },
  updateModule: {
    '200 with its etag or by force; what is left out is cleared': async () => {
      await device('module-update');
      const { string, ...made } = await module_('module-update', 'm', { managedBy: 'somebody' });
      const { responseBody } = await registry().updateModule({ ...made, managedBy: 'another' });
      assert.equal(responseBody.managedBy, 'another');
      const cleared = await registry().updateModule({ deviceId: 'module-update', moduleId: 'm', authentication: made.authentication }, true);
      assert.ok(!cleared.responseBody.managedBy);
    },
    '412 for a stale etag, 404 for a missing module': async () => {
      await device('module-stale');
      const { string, ...made } = await module_('module-stale', 'm');
      await refused(registry().updateModule({ ...made, etag: 'MTIz' }), 412, 'PreconditionFailed');
      await refused(registry().updateModule({ deviceId: 'module-stale', moduleId: 'none' }, true), 404, 'ModuleNotFound');
    },
    '401 for strangers': () => refusesStrangers((r) => r.updateModule({ deviceId: 'module-update', moduleId: 'm' }, true)),
  },
  removeModule: {
    '204 by name or with its etag': async () => {
      await device('module-remove');
      await module_('module-remove', 'a');
      const { string, ...b } = await module_('module-remove', 'b');
      assert.equal((await registry().removeModule('module-remove', 'a')).httpResponse.statusCode, 204);
      // With a module in place of two names the client takes a callback only.
      await called((done) => registry().removeModule(b, done));
      assert.deepEqual((await registry().getModulesOnDevice('module-remove')).responseBody, []);
    },
    '412 for a stale etag, 404 for a missing module': async () => {
      await device('module-remove-stale');
      const { string, ...made } = await module_('module-remove-stale', 'm');
      await refused(called((done) => registry().removeModule({ ...made, etag: 'MTIz' }, done)), 412, 'PreconditionFailed');
      await refused(registry().removeModule('module-remove-stale', 'none'), 404, 'ModuleNotFound');
    },
    '401 for strangers': () => refusesStrangers((r) => r.removeModule('module-update', 'm')),
  },
});

methods('azure-iothub', 'ConnectionString', {
  parse: {
    'the parts of the policy\'s connection string': () => {
      const parts = iothub.ConnectionString.parse(hubString());
      assert.deepEqual([parts.HostName, parts.SharedAccessKeyName], [hub, 'iothubowner']);
      assert.ok(parts.SharedAccessKey.endsWith('='));
    },
    'an ArgumentError without a host': () => {
      assert.throws(() => iothub.ConnectionString.parse('SharedAccessKey=a2V5'), { name: 'ArgumentError' });
    },
  },
});

methods('azure-iothub', 'SharedAccessSignature', {
  create: {
    'a token that the hub takes': async () => {
      const { HostName, SharedAccessKeyName, SharedAccessKey } = iothub.ConnectionString.parse(hubString());
      const token = iothub.SharedAccessSignature.create(HostName, SharedAccessKeyName, SharedAccessKey, now() + 60).toString();
      await iothub.Registry.fromSharedAccessSignature(token).list();
    },
    '401 for one of another key, or with a device\'s key for that device only': async () => {
      const forged = iothub.SharedAccessSignature.create(hub, 'iothubowner', newKey(), now() + 60).toString();
      await refused(iothub.Registry.fromSharedAccessSignature(forged).list(), 401);
      const { deviceId, authentication } = await device('token-device');
      const small = iothub.SharedAccessSignature.create(hub, deviceId, authentication.symmetricKey.primaryKey, now() + 60).toString();
      await refused(iothub.Registry.fromSharedAccessSignature(small).list(), 401);
    },
  },
  parse: {
    'a token\'s parts; signed anew it still opens the hub': async () => {
      const token = iothub.SharedAccessSignature.parse(hubToken(now() + 60));
      assert.deepEqual([token.sr, token.skn], [hub, 'iothubowner']);
      await iothub.Registry.fromSharedAccessSignature(token.toString()).list();
    },
    'a FormatError for what is none': () => {
      assert.throws(() => iothub.SharedAccessSignature.parse('Bearer x'), { name: 'FormatError' });
    },
  },
});

methods('azure-iothub', '', {
  versionQueryString: {
    'api-version 2021-04-12': () => assert.equal(iothub.versionQueryString(), '?api-version=2021-04-12'),
  },
});
