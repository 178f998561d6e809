// SPDX-License-Identifier: MIT
// export.js QUERY FILE: a CSV file by csv-stringify, the rows streamed as the server sends them. BENCH_MODULES: where
// the libraries are.
'use strict';

const fs = require('node:fs');
const { createRequire } = require('node:module');
const { pipeline } = require('node:stream/promises');

const load = createRequire(`${process.env.BENCH_MODULES}/`);
const mysql = load('mysql2');
const { stringify } = load('csv-stringify');

async function main([query, file]) {
    const connection = mysql.createConnection({
        socketPath: process.env.BENCH_SOCKET,
        user: process.env.BENCH_USER,
        password: process.env.BENCH_PASSWORD,
        database: process.env.BENCH_SITE,
        dateStrings: true,
    });
    const rows = connection.query({ sql: query, rowsAsArray: true }).stream({ highWaterMark: 1000 });
    await pipeline(rows, stringify(), fs.createWriteStream(file));
    connection.end();
}

main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exit(1);
});
