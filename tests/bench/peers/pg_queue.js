// SPDX-License-Identifier: MIT
// pg_queue.js: no-op jobs through the queues for PostgreSQL that a Node site would pick. By the environment:
// BENCH_MODE (those of `modes` below), BENCH_JOBS, PGHOST and the like, BENCH_MODULES (where the libraries are).
// The jobs wait before the first worker starts; a worker process for each core. Prints how many, and the seconds.
'use strict';

const { fork } = require('node:child_process');
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
            await run({ preset: { worker: { ...preset.worker, logger } }, taskList: { noop: async () => {} } });
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

async function work(mode) {
    process.send('ready');
    await new Promise((resolve) => process.once('message', resolve));
    await mode.work();
}

const mode = modes[process.env.BENCH_MODE]();
(process.argv[2] === 'work' ? work(mode) : measure(mode)).catch((error) => {
    console.error(error);
    process.exit(1);
});
