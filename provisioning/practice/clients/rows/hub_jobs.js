// azure-iothub: jobs that import and export identities by way of a storage account, and scheduled jobs over many devices.
'use strict';
const assert = require('node:assert/strict');
const iothub = require('azure-iothub');
const { Client: DeviceClient } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { NoRetry, bearer, device, eventually, hub, hubString, hubToken, newKey, now, refused, registry, strangers, wrongKey } = require('../cloud');
const { storage } = require('../storage');
const { methods } = require('../table');

async function refusesStrangers(call) {
  for (const stranger of strangers()) await refused(call(stranger), 401, 'IotHubUnauthorizedAccess');
}

const ended = ['completed', 'failed', 'cancelled'];

// result waits for an import or export job's end.
function result(jobId) {
  return eventually(async () => {
    const job = await registry().getJob(jobId);
    return ended.includes(job.status) && job;
  }, 'the end of the job');
}

// alone starts a job when no other runs: the hub does one at a time.
function alone(start) {
  return eventually(async () => {
    try {
      return await start();
    } catch (err) {
      if (err.response?.headers['iothub-errorcode'] === 'JobQuotaExceeded') return undefined;
      throw err;
    }
  }, 'a job of our own');
}

const lines = (text) => text.trim().split(/\r?\n/).map((line) => JSON.parse(line));

methods('azure-iothub', 'Registry', {
  exportDevicesToBlob: {
    'devices.txt in the container, a line for each device, with keys or without': async (t) => {
      const made = await device('export-one');
      for (const excludeKeys of [false, true]) {
        const container = await storage.container(t);
        const job = await alone(() => registry().exportDevicesToBlob(container.uri('rwdl'), excludeKeys));
        assert.equal((await result(job.jobId)).status, 'completed');
        const line = lines(await container.read('devices.txt')).find((d) => d.id === 'export-one');
        assert.equal(line.status, 'enabled');
        const key = line.authentication?.symmetricKey?.primaryKey;
        if (excludeKeys) assert.ok(!key);
        else assert.equal(key, made.authentication.symmetricKey.primaryKey);
      }
    },
    'a container that cannot be written ends the job as failed': async (t) => {
      const container = await storage.container(t);
      const job = await alone(() => registry().exportDevicesToBlob(container.uri('r'), true));
      const ended = await result(job.jobId);
      assert.equal(ended.status, 'failed');
      assert.ok(ended.failureReason);
    },
    '401 for strangers': () => refusesStrangers((r) => r.exportDevicesToBlob('http://127.0.0.1:1/a/b', true)),
  },
  importDevicesFromBlob: {
    'identities made, changed and deleted as the lines of devices.txt say; failed lines in importErrors.log': async (t) => {
      await device('import-gone');
      await device('import-off');
      const keys = { primaryKey: newKey(), secondaryKey: newKey() };
      const container = await storage.container(t);
      await container.write('devices.txt', [
        { id: 'import-new', importMode: 'create', status: 'enabled', authentication: { symmetricKey: keys }, tags: { site: 'north' }, properties: { desired: { rate: 5 } } },
        { id: 'import-off', importMode: 'update', status: 'disabled' },
        { id: 'import-gone', importMode: 'delete' },
        { id: 'import-never', importMode: 'update', status: 'enabled' },
      ].map((line) => JSON.stringify(line)).join('\r\n'));
      const job = await alone(() => registry().importDevicesFromBlob(container.uri('rwdl'), container.uri('rwdl')));
      assert.equal((await result(job.jobId)).status, 'completed');
      assert.deepEqual((await registry().get('import-new')).responseBody.authentication.symmetricKey, keys);
      const twin = (await registry().getTwin('import-new')).responseBody;
      assert.deepEqual([twin.tags.site, twin.properties.desired.rate], ['north', 5]);
      assert.equal((await registry().get('import-off')).responseBody.status, 'disabled');
      await refused(registry().get('import-gone'), 404, 'DeviceNotFound');
      assert.match(await container.read('importErrors.log'), /import-never/);
    },
    '400 for a container that cannot be reached': async () => {
      await refused(alone(() => registry().importDevicesFromBlob('http://127.0.0.1:1/none/none?sv=x', 'http://127.0.0.1:1/none/none?sv=x')), 400);
    },
    '401 for strangers': () => refusesStrangers((r) => r.importDevicesFromBlob('http://127.0.0.1:1/a/b', 'http://127.0.0.1:1/a/b')),
  },
  exportDevicesToBlobByIdentity: {
    '400: the practice hub has no managed identity': async () => {
      await refused(registry().exportDevicesToBlobByIdentity(storage.address('none'), true), 400);
      await refused(registry().exportDevicesToBlobByIdentity(storage.address('none'), true, '/subscriptions/s/userAssignedIdentities/i'), 400);
    },
    '401 for strangers': () => refusesStrangers((r) => r.exportDevicesToBlobByIdentity(storage.address('none'), true)),
  },
  importDevicesFromBlobByIdentity: {
    '400: the practice hub has no managed identity': async () => {
      await refused(registry().importDevicesFromBlobByIdentity(storage.address('none'), storage.address('none')), 400);
    },
    '401 for strangers': () => refusesStrangers((r) => r.importDevicesFromBlobByIdentity(storage.address('none'), storage.address('none'))),
  },
  listJobs: {
    '200, import and export jobs': async (t) => {
      const container = await storage.container(t);
      const { jobId } = await alone(() => registry().exportDevicesToBlob(container.uri('rwdl'), true));
      assert.ok((await registry().listJobs()).responseBody.some((job) => job.jobId === jobId && job.type === 'export'));
      await result(jobId);
    },
    '401 for strangers': () => refusesStrangers((r) => r.listJobs()),
  },
  getJob: {
    '200, from enqueued to completed': async (t) => {
      const container = await storage.container(t);
      const { jobId, status } = await alone(() => registry().exportDevicesToBlob(container.uri('rwdl'), true));
      assert.ok(['enqueued', 'running', 'completed'].includes(status));
      const job = await result(jobId);
      assert.deepEqual([job.jobId, job.type, job.status], [jobId, 'export', 'completed']);
      assert.ok(job.startTimeUtc && job.endTimeUtc);
    },
    '404 JobNotFound': async () => {
      await assert.rejects(registry().getJob('none'), (err) => err.response.statusCode === 404 && err.response.headers['iothub-errorcode'] === 'JobNotFound');
    },
    '401 for strangers': () => refusesStrangers((r) => r.getJob('none')),
  },
  cancelJob: {
    'a job that runs ends as cancelled, one that ended stays as it is': async (t) => {
      const container = await storage.container(t);
      const { jobId } = await alone(() => registry().exportDevicesToBlob(container.uri('rwdl'), true));
      await registry().cancelJob(jobId);
      assert.ok(['cancelled', 'completed'].includes((await result(jobId)).status));
    },
    '404 JobNotFound': () => assert.rejects(registry().cancelJob('none'), (err) => err.response.statusCode === 404),
    '401 for strangers': () => refusesStrangers((r) => r.cancelJob('none')),
  },
});

const jobs = (string = hubString()) => iothub.JobClient.fromConnectionString(string);

// done waits for a scheduled job's end.
function done(jobId) {
  return eventually(async () => {
    const { jobStatus } = await jobs().getJob(jobId);
    return ended.includes(jobStatus.status) && jobStatus;
  }, 'the end of the scheduled job');
}

// one schedules a job when the tier's limit of running jobs allows it.
function one(start) {
  return eventually(async () => {
    try {
      return await start();
    } catch (err) {
      if ([403, 429].includes(err.response?.statusCode)) return undefined;
      throw err;
    }
  }, 'a scheduled job of our own');
}

const tomorrow = () => new Date(Date.now() + 24 * 3600e3);

methods('azure-iothub', 'JobClient', {
  fromConnectionString: {
    'a client for scheduled jobs': async () => { await jobs().createQuery().next(); },
    '401 with another key': () => refused(jobs(wrongKey(hubString())).createQuery().next(), 401),
  },
  fromSharedAccessSignature: {
    'a client for scheduled jobs as long as the token lives': async () => {
      await iothub.JobClient.fromSharedAccessSignature(hubToken(now() + 60)).createQuery().next();
    },
    '401 when it has expired': () => refused(iothub.JobClient.fromSharedAccessSignature(hubToken(now() - 60)).createQuery().next(), 401),
  },
  fromTokenCredential: {
    '401: tokens of Entra ID are not played': () => refused(iothub.JobClient.fromTokenCredential(hub, bearer).createQuery().next(), 401),
  },
  scheduleTwinUpdate: {
    'changes the twins of all devices that the condition finds': async () => {
      await device('job-twin');
      await registry().updateTwin('job-twin', { tags: { job: 'twin' } }, '*');
      const { jobStatus } = await one(() => jobs().scheduleTwinUpdate('job-twin', "tags.job = 'twin'", { etag: '*', tags: { job: 'twin', done: true }, properties: { desired: { rate: 8 } } }, new Date(), 60));
      assert.deepEqual([jobStatus.jobId, jobStatus.type], ['job-twin', 'scheduleUpdateTwin']);
      const end = await done('job-twin');
      assert.deepEqual([end.status, end.deviceJobStatistics.succeededCount], ['completed', 1]);
      const twin = (await registry().getTwin('job-twin')).responseBody;
      assert.deepEqual([twin.tags.done, twin.properties.desired.rate], [true, 8]);
    },
    '400 for a condition that is none, 409 for an ID that was used': async () => {
      await refused(one(() => jobs().scheduleTwinUpdate('job-bad', 'tags.job = (', { tags: { a: 1 } }, new Date(), 60)), 400);
      await one(() => jobs().scheduleTwinUpdate('job-again', "deviceId = 'none'", { tags: { a: 1 } }, new Date(), 60));
      await refused(one(() => jobs().scheduleTwinUpdate('job-again', "deviceId = 'none'", { tags: { a: 1 } }, new Date(), 60)), 409);
    },
    '401 with another key': () => refused(jobs(wrongKey(hubString())).scheduleTwinUpdate('job-no', "deviceId = 'x'", { tags: {} }, new Date(), 60), 401),
  },
  scheduleDeviceMethod: {
    'calls the method on each device that is connected': async (t) => {
      const { string } = await device('job-method');
      await device('job-method-offline');
      for (const id of ['job-method', 'job-method-offline']) await registry().updateTwin(id, { tags: { job: 'method' } }, '*');
      const client = DeviceClient.fromConnectionString(string, Mqtt);
      client.setRetryPolicy(new NoRetry());
      await client.open();
      t.after(() => client.close());
      const asked = [];
      client.onDeviceMethod('flash', (request, response) => {
        asked.push(request.payload);
        response.send(200, { ok: true }, () => {});
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      await one(() => jobs().scheduleDeviceMethod('job-method', "tags.job = 'method'", { methodName: 'flash', payload: { times: 2 }, responseTimeoutInSeconds: 5 }, new Date(), 60));
      const end = await done('job-method');
      assert.deepEqual(asked, [{ times: 2 }]);
      assert.deepEqual([end.deviceJobStatistics.succeededCount, end.deviceJobStatistics.failedCount], [1, 1]);
    },
    '400 for a condition that is none': async () => {
      await refused(one(() => jobs().scheduleDeviceMethod('job-method-bad', 'tags.job = (', { methodName: 'm' }, new Date(), 60)), 400);
    },
    '401 with another key': () => refused(jobs(wrongKey(hubString())).scheduleDeviceMethod('job-no', "deviceId = 'x'", { methodName: 'm' }, new Date(), 60), 401),
  },
  getJob: {
    '200; for an ID that is not there, too, with status unknown': async () => {
      await one(() => jobs().scheduleTwinUpdate('job-get', "deviceId = 'none'", { tags: { a: 1 } }, tomorrow(), 60));
      const { jobStatus } = await jobs().getJob('job-get');
      assert.deepEqual([jobStatus.jobId, jobStatus.status], ['job-get', 'scheduled']);
      await jobs().cancelJob('job-get');
      assert.equal((await jobs().getJob('job-none')).jobStatus.status, 'unknown');
    },
    '401 with another key': () => refused(jobs(wrongKey(hubString())).getJob('job-get'), 401),
  },
  cancelJob: {
    'a scheduled job ends as cancelled': async () => {
      await one(() => jobs().scheduleTwinUpdate('job-cancel', "deviceId = 'none'", { tags: { a: 1 } }, tomorrow(), 60));
      await jobs().cancelJob('job-cancel');
      assert.equal((await jobs().getJob('job-cancel')).jobStatus.status, 'cancelled');
    },
    '404 JobNotFound': async () => {
      await assert.rejects(jobs().cancelJob('job-none'), (err) => err.response.statusCode === 404);
    },
    '401 with another key': () => refused(jobs(wrongKey(hubString())).cancelJob('job-cancel'), 401),
  },
  createQuery: {
    'jobs by type and status': async () => {
      await one(() => jobs().scheduleTwinUpdate('job-query', "deviceId = 'none'", { tags: { a: 1 } }, tomorrow(), 60));
      const { result: found } = await jobs().createQuery('scheduleUpdateTwin', 'scheduled').next();
      assert.ok(found.some((job) => job.jobId === 'job-query'));
      assert.ok(found.every((job) => job.type === 'scheduleUpdateTwin' && job.status === 'scheduled'));
      await jobs().cancelJob('job-query');
    },
    '401 with another key': () => refused(jobs(wrongKey(hubString())).createQuery().next(), 401),
  },
});
