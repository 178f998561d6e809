// SPDX-License-Identifier: MIT
// jobs.mjs: arangojs, unchanged, makes, follows, takes, cancels and deletes jobs of the demo's slow endpoint.
// Usage: node jobs.mjs BASE_URL USER PASSWORD

import assert from 'node:assert/strict';

import { Database } from 'arangojs';

const [url, username, password] = process.argv.slice(2);
const db = new Database({ url, auth: { username, password } });
const slow = db.route('demo/slow');
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

const start = (query, body) =>
    db.createJob(() => (body ? slow.post('', body, query) : slow.get('', query)));

async function until(condition) {
    while (!(await condition())) {
        await pause();
    }
}

await db.deleteAllJobResults();

// the response is that of the site
const job = await start({ seconds: 0.2 }, { hello: 'world' });
assert.match(job.id, /^[1-9]\d*$/);
assert.equal(job.isLoaded, false);
await until(() => job.getCompleted());
assert.deepEqual(await db.listCompletedJobs(), [job.id]);
const { parsedBody } = await job.load();
assert.equal(job.isLoaded, true);
assert.equal(parsedBody.method, 'POST');
assert.deepEqual(JSON.parse(Buffer.from(parsedBody.body, 'base64')), { hello: 'world' });
assert.equal('x-arango-async' in parsedBody.headers, false);
await assert.rejects(db.job(job.id).load(), { code: 404 });

// one that runs: pending, empty, cancelled
const long = await start({ seconds: 60 });
assert.equal(await long.getCompleted(), false);
assert.equal(await long.load(), undefined);
assert.deepEqual(await db.listPendingJobs(), [long.id]);
await long.cancel();
await until(() => long.getCompleted());
await assert.rejects(db.job(long.id).load(), { code: 410 });

// an error of the site is the job's error
const bad = await start({ status: 418 });
await until(() => bad.getCompleted());
await assert.rejects(db.job(bad.id).load(), { code: 418 });

// results that nobody wants
const [one, two] = [await start({ seconds: 0 }), await start({ seconds: 0 })];
await until(async () => (await one.getCompleted()) && (await two.getCompleted()));
await one.deleteResult();
await assert.rejects(one.deleteResult(), { code: 404 });
await db.deleteExpiredJobResults(Date.now() - 3600_000);
assert.deepEqual(await db.listCompletedJobs(), [two.id]);
await db.deleteExpiredJobResults(Date.now() + 3600_000.5);
assert.deepEqual(await db.listCompletedJobs(), []);
console.log('arangojs is content');
