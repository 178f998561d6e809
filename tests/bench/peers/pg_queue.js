// SPDX-License-Identifier: MIT
// pg_queue.js: no-op jobs through the queues for PostgreSQL that a Node site would pick. By the environment:
// BENCH_MODE (those of `modes` below), BENCH_JOBS, PGHOST and the like, BENCH_MODULES (where the libraries are).
// The jobs wait before the first worker starts; a worker process for each core. Prints how many, and the seconds.
// With BENCH_LISTEN instead, a Unix socket: an HTTP server whose POST adds a job for graphile-worker in another
// process, and whose GET says when that has begun which, in nanoseconds since 1970.
'use strict';

const { fork } = require('node:child_process');
const http = require('node:http');
const { createRequire } = require('node:module');
const os = require('node:os');

const load = createRequire(`${process.env.BENCH_MODULES}/`);
const { Pool } = load('pg');
const { Logger, makeWorkerUtils, run } = load('graphile-worker');
const PgBoss = load('pg-boss');
const jobs = Number(process.env.BENCH_JOBS);
const CONNECTIONS = 12; // of one process

// --- graphile-worker: as its own performance tests set it, without and with what batches -------------------------

function graphile(more) {
    const preset = {
        worker: {
            connectionString: 'postgres:///bench',
            concurrentJobs: 24,
            maxPoolSize: CONNECTIONS,
            taskDirectory: process.env.BENCH_MODULES,
            ...more,
        },
    };
    return {
        async fill(pool) {
            const utils = await makeWorkerUtils({ preset });
            await utils.migrate();
            await utils.release();
            await pool.query('TRUNCATE graphile_worker._private_jobs CASCADE');
            await pool.query(
                'SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(SELECT json_populate_record(' +
                    `NULL::graphile_worker.job_spec, '{"identifier": "noop"}') FROM generate_series(1, $1)))`,
                [jobs],
            );
        },
        async work() {
            const logger = new Logger(() => () => {});
            const noop = async (payload, { job }) => {
                if (process.env.BENCH_LISTEN) {
                    const now = Math.round((performance.timeOrigin + performance.now()) * 1e6);
                    process.send({ begun: { [job.id]: now } });
                }
            };
            await run({ preset: { worker: { ...preset.worker, logger } }, taskList: { noop } });
        },
        async left(pool) {
            const { rows } = await pool.query('SELECT count(*) FROM graphile_worker._private_jobs');
            return Number(rows[0].count);
        },
    };
}

// --- pg-boss -----------------------------------------------------------------------------------------------------

function boss(options, workers) {
    const open = async () => {
        const one = new PgBoss({ database: 'bench', host: process.env.PGHOST, user: process.env.PGUSER, max: CONNECTIONS });
        one.on('error', (error) => console.error(error));
        await one.start();
        return one;
    };
    return {
        async fill() {
            const one = await open();
            await one.createQueue('noop');
            for (let at = 0; at < jobs; at += 1000) {
                const batch = Array.from({ length: Math.min(1000, jobs - at) }, () => ({ name: 'noop' }));
                await one.insert(batch);
            }
            await one.stop({ graceful: false });
        },
        async work() {
            const one = await open();
            for (let i = 0; i < workers; i++) {
                await one.work('noop', options, async () => {});
            }
        },
        async left(pool) {
            const { rows } = await pool.query("SELECT count(*) FROM pgboss.job WHERE name = 'noop' AND state < 'completed'");
            return Number(rows[0].count);
        },
    };
}

const modes = {
    graphile: () => graphile({}),
    'graphile-batches': () =>
        graphile({ localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }),
    'pg-boss': () => boss({ pollingIntervalSeconds: 0.5 }, 100), // a job each time; more often it cannot
    'pg-boss-batches': () => boss({ pollingIntervalSeconds: 0.5, batchSize: 500 }, 8),
};

async function measure(mode) {
    const pool = new Pool({ database: 'bench', max: 1 });
    await mode.fill(pool);
    await pool.query('VACUUM ANALYZE');
    const children = os.cpus().map(() => fork(__filename, ['work']));
    await Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve))));
    const begin = process.hrtime.bigint();
    children.forEach((child) => child.send('go'));
    while ((await mode.left(pool)) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
    children.forEach((child) => child.kill('SIGKILL'));
    await pool.end();
    console.log(jobs, seconds.toFixed(3));
}

function listen(path) {
    const begun = {};
    const pool = new Pool({ database: 'bench', max: CONNECTIONS });
    const child = fork(__filename, ['work']);
    child.on('message', (message) => Object.assign(begun, message.begun));
    child.send('go');
    const server = http.createServer(async (request, response) => {
        const answer = (status, value) => {
            response.writeHead(status, { 'Content-Type': 'application/json' });
            response.end(JSON.stringify(value));
        };
        if (request.method === 'GET') {
            return answer(200, begun);
        }
        const { rows } = await pool.query("SELECT id FROM graphile_worker.add_job('noop', '{}')");
        return answer(202, { id: rows[0].id });
    });
    server.listen(path);
}

async function work(mode) {
    process.once('disconnect', () => process.exit());
    process.send('ready');
    await new Promise((resolve) => process.once('message', resolve));
    await mode.work();
}

async function main() {
    const mode = modes[process.env.BENCH_MODE]();
    if (process.argv[2] === 'work') {
        return work(mode);
    }
    if (!process.env.BENCH_LISTEN) {
        return measure(mode);
    }
    const pool = new Pool({ database: 'bench', max: 1 });
    await mode.fill(pool);
    await pool.end();
    return listen(process.env.BENCH_LISTEN);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
