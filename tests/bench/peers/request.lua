-- SPDX-License-Identifier: MIT
-- request.lua: what wrk sends; environment: BENCH_METHOD, BENCH_PATH (in front of the id), BENCH_IDS (ids are random
-- from 1 to this, 0: none), BENCH_BODY, BENCH_AUTHORIZATION, BENCH_PREFER, BENCH_USERS (each request is of one of so many,
-- 0: all are of the same). Prints one line that web.py reads.
local method, path = os.getenv("BENCH_METHOD"), os.getenv("BENCH_PATH")
local ids, body = tonumber(os.getenv("BENCH_IDS")), os.getenv("BENCH_BODY")
local headers = {["Authorization"] = os.getenv("BENCH_AUTHORIZATION")}
if os.getenv("BENCH_PREFER") ~= "" then headers["Prefer"] = os.getenv("BENCH_PREFER") end
if body == "" then body = nil else headers["Content-Type"] = "application/json" end
local users = tonumber(os.getenv("BENCH_USERS"))
local threads = 0

-- a thread's own seed: they would all ask for the same ids otherwise
function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

function init(args)
    math.randomseed(os.time() * 100 + number)
    if ids == 0 and users == 0 then fixed = wrk.format(method, path, headers, body) end
end

function request()
    if fixed then return fixed end
    if users > 0 then headers["Bench-User"] = math.random(1, users) end
    return wrk.format(method, ids > 0 and path .. math.random(1, ids) or path, headers, body)
end

function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
