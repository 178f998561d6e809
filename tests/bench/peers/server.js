// SPDX-License-Identifier: MIT
// server.js: the same page as a Node server: mysql2's pool with prepared statements, a process per core.
"use strict";
const cluster = require("node:cluster");
const http = require("node:http");
const os = require("node:os");

if (cluster.isPrimary) {
    for (let i = 0; i < os.cpus().length; i++) cluster.fork();
    process.on("SIGTERM", () => process.exit(0));
} else {
    process.on("disconnect", () => process.exit(0));
    const mysql = require(process.env.BENCH_MODULES + "/mysql2/promise");
    const pool = mysql.createPool({
        socketPath: process.env.BENCH_SOCKET, user: process.env.BENCH_USER, password: process.env.BENCH_PASSWORD,
        database: process.env.BENCH_DATABASE, connectionLimit: 16,
    });
    const answer = (response, status, value) => {
        response.writeHead(status, {"Content-Type": "application/json"});
        response.end(JSON.stringify(value));
    };
    const read = async (request, response) => {
        const id = Number(request.url.slice(request.url.lastIndexOf("/") + 1));
        const [rows] = await pool.execute("SELECT * FROM tasks WHERE id = ? AND created_by = 1", [id]);
        answer(response, rows.length ? 200 : 404, rows[0] ?? null);
    };
    const create = async (body, response) => {
        const task = JSON.parse(body);
        const [made] = await pool.execute("INSERT INTO tasks (type, data, created_by) VALUES ('peer', ?, 1)",
            [JSON.stringify(task.data ?? {})]);
        answer(response, 202, {id: made.insertId, type: "peer", status: "fresh"});
    };
    http.createServer((request, response) => {
        const failed = (error) => { console.error(error); answer(response, 500, null); };
        if (request.method === "POST") {
            let body = "";
            request.on("data", (chunk) => { body += chunk; });
            request.on("end", () => create(body, response).catch(failed));
        } else {
            read(request, response).catch(failed);
        }
    }).listen(process.env.BENCH_LISTEN);
}
