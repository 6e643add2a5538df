// azure-iothub: twins, queries, configurations and edge deployments.
'use strict';
const assert = require('node:assert/strict');
const iothub = require('azure-iothub');
const { device, eventually, module_, named, refused, registry, strangers } = require('../cloud');
const { methods } = require('../table');

async function refusesStrangers(call) {
  for (const stranger of strangers()) await refused(call(stranger), 401, 'IotHubUnauthorizedAccess');
}

// ids gives the device IDs that a query finds, all pages of it.
async function ids(sql, pageSize) {
  const query = registry().createQuery(sql, pageSize);
  const found = [];
  let pages = 0;
  while (query.hasMoreResults) {
    // Called without a place to go on from, the promise form of next begins again.
    const { result } = await query.next(query.continuationToken);
    found.push(...result.map((row) => row.deviceId));
    pages++;
  }
  return { found: found.sort(), pages };
}

methods('azure-iothub', 'Registry', {
  getTwin: {
    '200: tags, properties with metadata and versions, the identity\'s state': async () => {
      const made = await device('twin');
      const twin = (await registry().getTwin('twin')).responseBody;
      assert.ok(twin instanceof iothub.Twin);
      assert.deepEqual([twin.deviceId, twin.status, twin.connectionState, twin.authenticationType, twin.deviceEtag], ['twin', 'enabled', 'Disconnected', 'sas', made.etag]);
      assert.deepEqual([twin.properties.desired.$version, twin.properties.reported.$version], [1, 1]);
      assert.ok(twin.properties.desired.$metadata.$lastUpdated && twin.etag && twin.version);
    },
    '404 DeviceNotFound': () => refused(registry().getTwin('twin-none'), 404, 'DeviceNotFound'),
    '401 for strangers': () => refusesStrangers((r) => r.getTwin('twin')),
  },
  getModuleTwin: {
    '200': async () => {
      await device('twin-module');
      await module_('twin-module', 'm');
      const twin = (await registry().getModuleTwin('twin-module', 'm')).responseBody;
      assert.deepEqual([twin.deviceId, twin.moduleId], ['twin-module', 'm']);
    },
    '404 for a missing module': async () => {
      await device('twin-module-none');
      await refused(registry().getModuleTwin('twin-module-none', 'm'), 404);
    },
    '401 for strangers': () => refusesStrangers((r) => r.getModuleTwin('twin-module', 'm')),
  },
  updateTwin: {
    'merged: null deletes, arrays are replaced; versions and etag move': async () => {
      await device('twin-merge');
      const first = (await registry().updateTwin('twin-merge', { tags: { site: { hall: 1, row: 'a' } }, properties: { desired: { list: [1, 2], rate: 5 } } }, '*')).responseBody;
      const second = (await registry().updateTwin('twin-merge', { tags: { site: { row: null, rack: 7 } }, properties: { desired: { list: [3] } } }, first.etag)).responseBody;
      assert.deepEqual(second.tags, { site: { hall: 1, rack: 7 } });
      assert.deepEqual([second.properties.desired.list, second.properties.desired.rate], [[3], 5]);
      assert.deepEqual([first.properties.desired.$version, second.properties.desired.$version], [2, 3]);
      assert.notEqual(first.etag, second.etag);
    },
    '412 for a stale etag': async () => {
      await device('twin-stale');
      const { etag } = (await registry().getTwin('twin-stale')).responseBody;
      await registry().updateTwin('twin-stale', { tags: { a: 1 } }, etag);
      await refused(registry().updateTwin('twin-stale', { tags: { a: 2 } }, etag), 412, 'PreconditionFailed');
    },
    '400 for names, depth, numbers and sizes that a twin cannot hold': async () => {
      await device('twin-bad');
      const deep = (levels) => (levels === 0 ? 1 : { a: deep(levels - 1) });
      for (const desired of [{ 'a.b': 1 }, { $a: 1 }, { 'a b': 1 }, { a: deep(12) }, { a: 2 ** 53 }, { a: 'x'.repeat(4097) },
        Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, 'x'.repeat(4000)]))]) {
        await refused(registry().updateTwin('twin-bad', { properties: { desired } }, '*'), 400);
      }
      await refused(registry().updateTwin('twin-bad', { tags: { a: 'x'.repeat(4000), b: 'x'.repeat(4000), c: 'x'.repeat(4000) } }, '*'), 400);
    },
    '404 DeviceNotFound': () => refused(registry().updateTwin('twin-none', { tags: { a: 1 } }, '*'), 404, 'DeviceNotFound'),
    '401 for strangers': () => refusesStrangers((r) => r.updateTwin('twin', { tags: { a: 1 } }, '*')),
  },
  updateModuleTwin: {
    'merged': async () => {
      await device('twin-module-merge');
      await module_('twin-module-merge', 'm');
      const { properties } = (await registry().updateModuleTwin('twin-module-merge', 'm', { properties: { desired: { rate: 1 } } }, '*')).responseBody;
      assert.deepEqual([properties.desired.rate, properties.desired.$version], [1, 2]);
    },
    '412 for a stale etag, 404 for a missing module': async () => {
      await device('twin-module-stale');
      await module_('twin-module-stale', 'm');
      await refused(registry().updateModuleTwin('twin-module-stale', 'm', { tags: {} }, 'AAAAAAAAAAA='), 412, 'PreconditionFailed');
      await refused(registry().updateModuleTwin('twin-module-stale', 'none', { tags: {} }, '*'), 404);
    },
    '401 for strangers': () => refusesStrangers((r) => r.updateModuleTwin('twin-module-merge', 'm', { tags: {} }, '*')),
  },
  createQuery: {
    'the SQL that portal, command line and SDKs use': async () => {
      const r = registry();
      for (const n of [1, 2, 3, 4]) {
        await device(`query-${n}`, { capabilities: { iotEdge: n === 1 }, status: n === 4 ? 'disabled' : 'enabled' });
        await r.updateTwin(`query-${n}`, { tags: { query: { n, odd: n % 2 === 1, words: ['all', `w${n}`] } }, properties: { desired: { rate: n * 1.5 } } }, '*');
      }
      const mine = 'is_defined(tags.query.n)';
      await eventually(async () => (await ids(`SELECT * FROM devices WHERE ${mine}`)).found.length === 4, 'four devices with the tag');
      const expect = {
        'tags.query.n >= 2 AND NOT tags.query.n = 3': [2, 4],
        'tags.query.n IN [1, 4]': [1, 4],
        "(tags.query.n < 2 OR tags.query.n > 3) AND status = 'enabled'": [1],
        'capabilities.iotEdge = true': [1],
        "array_contains(tags.query.words, 'w3')": [3],
        "startswith(deviceId, 'query-')": [1, 2, 3, 4],
        'properties.desired.rate <> 1.5': [2, 3, 4],
      };
      for (const [where, numbers] of Object.entries(expect)) {
        const { found } = await ids(`select * from devices where ${mine} and (${where})`);
        assert.deepEqual(found, numbers.map((n) => `query-${n}`), where);
      }
    },
    'modules, projections and groups': async () => {
      const r = registry();
      await device('query-parts');
      await module_('query-parts', 'one');
      await r.updateModuleTwin('query-parts', 'one', { tags: { part: 'queried' } }, '*');
      const modules = await eventually(async () => {
        const { result } = await r.createQuery("SELECT * FROM devices.modules WHERE deviceId = 'query-parts'").next();
        return result.length > 0 && result;
      }, 'a module');
      assert.deepEqual(modules.map((m) => [m.deviceId, m.moduleId]), [['query-parts', 'one']]);
      const projected = (await r.createQuery("SELECT deviceId, status AS state FROM devices WHERE deviceId = 'query-parts'").next()).result;
      assert.deepEqual(projected, [{ deviceId: 'query-parts', state: 'enabled' }]);
      const grouped = (await r.createQuery('SELECT status, COUNT() AS number FROM devices GROUP BY status').next()).result;
      assert.ok(grouped.every((row) => row.number > 0 && row.status));
    },
    'the client refuses what is no text': () => assert.throws(() => registry().createQuery(7), { name: 'TypeError' }),
  },
  addConfiguration: {
    'a configuration that reaches the twins of its targets': async () => {
      await device('config-target');
      await registry().updateTwin('config-target', { tags: { config: 'add' } }, '*');
      const { responseBody, httpResponse } = await registry().addConfiguration({
        id: 'config-add', priority: 5, labels: { made: 'by npm' }, targetCondition: "tags.config='add'",
        content: { deviceContent: { 'properties.desired.settings': { rate: 3 } } },
        metrics: { queries: { there: "SELECT deviceId FROM devices WHERE tags.config='add'" } },
      });
      assert.ok([200, 201].includes(httpResponse.statusCode));
      assert.ok(responseBody.etag && responseBody.createdTimeUtc);
      assert.equal(responseBody.schemaVersion, '1.0');
      await eventually(async () => (await registry().getTwin('config-target')).responseBody.properties.desired.settings?.rate === 3, 'the setting in the twin');
    },
    'an edge deployment that reaches $edgeAgent, and a layered one over it': async () => {
      await device('config-edge', { capabilities: { iotEdge: true } });
      await registry().updateTwin('config-edge', { tags: { config: 'edge' } }, '*');
      const module = (image) => ({ type: 'docker', status: 'running', restartPolicy: 'always', settings: { image, createOptions: '{}' } });
      await registry().addConfiguration({
        id: 'config-edge-base', priority: 1, targetCondition: "tags.config='edge'",
        content: { modulesContent: {
          $edgeAgent: { 'properties.desired': { schemaVersion: '1.1', runtime: { type: 'docker', settings: {} },
            systemModules: { edgeAgent: { type: 'docker', settings: { image: 'agent:1.5' } }, edgeHub: { ...module('hub:1.5') } }, modules: { base: module('base:1') } } },
          $edgeHub: { 'properties.desired': { schemaVersion: '1.1', routes: {}, storeAndForwardConfiguration: { timeToLiveSecs: 7200 } } },
        } },
      });
      await registry().addConfiguration({
        id: 'config-edge-layer', priority: 2, targetCondition: "tags.config='edge'",
        content: { modulesContent: { $edgeAgent: { 'properties.desired.modules.layer': module('layer:1') } } },
      });
      const desired = await eventually(async () => {
        const twin = (await registry().getModuleTwin('config-edge', '$edgeAgent')).responseBody;
        return twin.properties.desired.modules?.layer && twin.properties.desired;
      }, 'the layer in $edgeAgent');
      assert.deepEqual(Object.keys(desired.modules).sort(), ['base', 'layer']);
      assert.equal((await registry().getModuleTwin('config-edge', '$edgeHub')).responseBody.properties.desired.storeAndForwardConfiguration.timeToLiveSecs, 7200);
    },
    '409 ConfigurationAlreadyExists; 400 for an ID or content that cannot be': async () => {
      const content = { deviceContent: { 'properties.desired.x': 1 } };
      await registry().addConfiguration({ id: 'config-twice', content, targetCondition: '', priority: 1 });
      await refused(registry().addConfiguration({ id: 'config-twice', content, targetCondition: '', priority: 1 }), 409, 'ConfigurationAlreadyExists');
      await refused(registry().addConfiguration({ id: 'Config-Upper', content, targetCondition: '', priority: 1 }), 400);
      await refused(registry().addConfiguration({ id: 'config-content', content: { deviceContent: { settings: 1 } }, targetCondition: '', priority: 1 }), 400);
      await refused(registry().addConfiguration({ id: 'config-target-bad', content, targetCondition: 'tags.a == (', priority: 1 }), 400);
    },
    '401 for strangers': () => refusesStrangers((r) => r.addConfiguration({ id: 'config-no', content: { deviceContent: {} } })),
  },
  getConfiguration: {
    '200 with its metrics': async () => {
      await registry().addConfiguration({ id: 'config-get', content: { deviceContent: { 'properties.desired.x': 1 } }, targetCondition: "tags.none='x'", priority: 1 });
      const { responseBody } = await registry().getConfiguration('config-get');
      assert.deepEqual([responseBody.id, responseBody.priority, responseBody.content.deviceContent['properties.desired.x']], ['config-get', 1, 1]);
      assert.ok('systemMetrics' in responseBody && 'metrics' in responseBody);
    },
    '404 ConfigurationNotFound': async () => {
      const err = await named(registry().getConfiguration('config-none'), 'Error');
      assert.deepEqual([err.response.statusCode, err.response.headers['iothub-errorcode']], [404, 'ConfigurationNotFound']);
    },
    '401 for strangers': () => refusesStrangers((r) => r.getConfiguration('config-get')),
  },
  getConfigurations: {
    '200, an array': async () => {
      await registry().addConfiguration({ id: 'config-list', content: { deviceContent: { 'properties.desired.x': 1 } }, targetCondition: "tags.none='x'", priority: 1 });
      assert.ok((await registry().getConfigurations()).responseBody.some((c) => c.id === 'config-list'));
    },
    '401 for strangers': () => refusesStrangers((r) => r.getConfigurations()),
  },
  updateConfiguration: {
    'target, priority and labels change; new content is taken and ignored, as the hub does it': async () => {
      const made = (await registry().addConfiguration({ id: 'config-update', content: { deviceContent: { 'properties.desired.x': 1 } }, targetCondition: "tags.none='x'", priority: 1 })).responseBody;
      const changed = (await registry().updateConfiguration({ ...made, priority: 9, content: { deviceContent: { 'properties.desired.x': 2 } } })).responseBody;
      assert.equal(changed.priority, 9);
      const read = (await registry().getConfiguration('config-update')).responseBody;
      assert.deepEqual([read.priority, read.content.deviceContent['properties.desired.x']], [9, 1]);
      await registry().updateConfiguration({ ...made, etag: undefined, priority: 3 }, true);
    },
    '412 for a stale etag, 404 for a missing one': async () => {
      const made = (await registry().addConfiguration({ id: 'config-stale', content: { deviceContent: { 'properties.desired.x': 1 } }, targetCondition: "tags.none='x'", priority: 1 })).responseBody;
      await refused(registry().updateConfiguration({ ...made, etag: 'MTIz' }), 412, 'PreconditionFailed');
      await refused(registry().updateConfiguration({ ...made, id: 'config-none' }, true), 404, 'ConfigurationNotFound');
    },
    '401 for strangers': () => refusesStrangers((r) => r.updateConfiguration({ id: 'config-stale', content: {} }, true)),
  },
  removeConfiguration: {
    '204': async () => {
      await registry().addConfiguration({ id: 'config-remove', content: { deviceContent: { 'properties.desired.x': 1 } }, targetCondition: "tags.none='x'", priority: 1 });
      assert.equal((await registry().removeConfiguration('config-remove')).httpResponse.statusCode, 204);
      await refused(registry().getConfiguration('config-remove'), 404, 'ConfigurationNotFound');
    },
    '404 ConfigurationNotFound': () => refused(registry().removeConfiguration('config-none'), 404, 'ConfigurationNotFound'),
    '401 for strangers': () => refusesStrangers((r) => r.removeConfiguration('config-stale')),
  },
  applyConfigurationContentOnDevice: {
    '204, the modules\' desired properties replaced': async () => {
      await device('apply', { capabilities: { iotEdge: true } });
      const agent = { schemaVersion: '1.1', runtime: { type: 'docker', settings: {} }, systemModules: {}, modules: { m: { type: 'docker', settings: { image: 'm:1' } } } };
      const { httpResponse } = await registry().applyConfigurationContentOnDevice('apply', {
        modulesContent: { $edgeAgent: { 'properties.desired': agent }, $edgeHub: { 'properties.desired': { schemaVersion: '1.1', routes: {} } }, m: { 'properties.desired': { rate: 2 } } },
      });
      assert.equal(httpResponse.statusCode, 204);
      assert.equal((await registry().getModuleTwin('apply', '$edgeAgent')).responseBody.properties.desired.modules.m.settings.image, 'm:1');
      assert.equal((await registry().getModuleTwin('apply', 'm')).responseBody.properties.desired.rate, 2);
    },
    '400 without $edgeAgent or for a device that is not an edge device': async () => {
      await device('apply-edge', { capabilities: { iotEdge: true } });
      await device('apply-leaf');
      await refused(registry().applyConfigurationContentOnDevice('apply-edge', { modulesContent: { m: { 'properties.desired': {} } } }), 400);
      await refused(registry().applyConfigurationContentOnDevice('apply-leaf', { modulesContent: { $edgeAgent: { 'properties.desired': {} } } }), 400);
    },
    '404 DeviceNotFound': async () => {
      await refused(registry().applyConfigurationContentOnDevice('apply-none', { modulesContent: { $edgeAgent: { 'properties.desired': {} } } }), 404, 'DeviceNotFound');
    },
    '401 for strangers': () => refusesStrangers((r) => r.applyConfigurationContentOnDevice('apply', { modulesContent: {} })),
  },
});

methods('azure-iothub', 'Query', {
  next: {
    'page after page': async () => {
      for (const n of [1, 2, 3, 4, 5]) await device(`page-${n}`);
      await eventually(async () => (await ids("SELECT deviceId FROM devices WHERE startswith(deviceId, 'page-')")).found.length === 5, 'five devices');
      const { found, pages } = await ids("SELECT deviceId FROM devices WHERE startswith(deviceId, 'page-')", 2);
      assert.deepEqual([found.length, pages], [5, 3]);
      assert.equal(new Set(found).size, 5);
    },
    '400 for what is no query, is beyond the subset or goes on from a made-up place': async () => {
      for (const sql of ['SELECT', 'DELETE FROM devices', 'SELECT * FROM elsewhere', "SELECT * FROM devices WHERE deviceId = 'a", 'SELECT * FROM devices WHERE no_such_function(deviceId)']) {
        await refused(registry().createQuery(sql).next(), 400);
      }
      await refused(registry().createQuery('SELECT * FROM devices').next('bm9uc2Vuc2U='), 400);
    },
    '401 for strangers': () => refusesStrangers((r) => r.createQuery('SELECT * FROM devices').next()),
  },
  nextAsTwin: {
    'twins that can be read and changed': async () => {
      await device('page-twin');
      const [twin] = await eventually(async () => {
        const { result } = await registry().createQuery("SELECT * FROM devices WHERE deviceId = 'page-twin'").nextAsTwin();
        return result.length > 0 && result;
      }, 'the twin');
      assert.ok(twin instanceof iothub.Twin);
      await twin.update({ tags: { seen: true } });
      assert.equal((await registry().getTwin('page-twin')).responseBody.tags.seen, true);
    },
    '400 for what is no query': () => refused(registry().createQuery('SELECT').nextAsTwin(), 400),
  },
});

methods('azure-iothub', 'Twin', {
  get: {
    'reads the twin anew': async () => {
      await device('twin-object');
      const twin = (await registry().getTwin('twin-object')).responseBody;
      await registry().updateTwin('twin-object', { tags: { later: 1 } }, '*');
      const { result } = await twin.get();
      assert.equal(result.tags.later, 1);
    },
    '404 when the device is gone': async () => {
      await device('twin-object-gone');
      const twin = (await registry().getTwin('twin-object-gone')).responseBody;
      await registry().delete('twin-object-gone');
      await refused(twin.get(), 404, 'DeviceNotFound');
    },
  },
  update: {
    'merges with the etag it has': async () => {
      await device('twin-object-update');
      const twin = (await registry().getTwin('twin-object-update')).responseBody;
      const { result } = await twin.update({ properties: { desired: { rate: 4 } } });
      assert.equal(result.properties.desired.rate, 4);
      await twin.update({ tags: { again: true } });
    },
    '412 when somebody was faster': async () => {
      await device('twin-object-stale');
      const twin = (await registry().getTwin('twin-object-stale')).responseBody;
      await registry().updateTwin('twin-object-stale', { tags: { a: 1 } }, '*');
      await refused(twin.update({ tags: { a: 2 } }), 412, 'PreconditionFailed');
    },
  },
  toJSON: {
    'the twin without the registry behind it': async () => {
      await device('twin-object-json');
      const twin = (await registry().getTwin('twin-object-json')).responseBody;
      const text = JSON.stringify(twin.toJSON());
      assert.equal(JSON.parse(text).deviceId, 'twin-object-json');
      assert.ok(!text.includes('SharedAccess'));
    },
  },
});
