# SPDX-License-Identifier: MIT
"""Exports over several connections: the file is that of one connection, whatever the keys look like and
whatever happens meanwhile."""

import csv
import io
import signal

import pymysql
import pytest

from stack import wait_until

# the key's type, how it is made from seq, how many rows
SHAPES = {
    "dense": ("INT", "seq", 30000),
    "negative": ("INT", "CAST(seq AS SIGNED) - 15000", 30000),
    "gaps": ("BIGINT", "seq * 1000003", 20000),
    "clusters": ("BIGINT", "CAST(seq AS SIGNED) + 1000000000000 * (CAST(seq DIV 7000 AS SIGNED) - 3)", 30000),
    "dense behind sparse": ("BIGINT", "IF(seq < 2000, seq * 100000000, 1000000000000 + seq)", 30000),
    "sparse behind dense": ("BIGINT", "IF(seq < 20000, seq, seq * 4000000000)", 21000),
    "both ends": ("BIGINT", "IF(seq MOD 2, CAST(-9223372036854775808 AS SIGNED) + CAST(seq AS SIGNED) - 1, 9223372036854775809 - seq)", 20000),
    "unsigned ends": ("BIGINT UNSIGNED", "IF(seq MOD 2, seq - 1, 18446744073709551615 - (seq - 2))", 20000),
    "zerofill": ("INT(10) UNSIGNED ZEROFILL", "seq * 7", 12000),
    "tiny": ("TINYINT UNSIGNED", "seq - 1", 256),
    "one": ("INT", "seq", 1),
    "none": ("INT", "seq", 0),
}


def exports(site, query="SELECT * FROM t", key=("id",), connections=(1, 3), **settings):
    """The outcomes with so many connections each."""
    outcomes = []
    for number in connections:
        site.exports.clear()
        site.export("t", query, key, connections=number, page_rows=settings.pop("page_rows", 200), **settings)
        outcomes.append(site.run())
    return outcomes


def check_same(outcomes):
    for outcome in outcomes:
        assert outcome.end == "success", (outcome.code, outcome.message, outcome.log)
    assert len({outcome.data for outcome in outcomes}) == 1
    assert len({(outcome.info["sha256"], outcome.info["rows"]) for outcome in outcomes}) == 1


@pytest.mark.parametrize("kind,value,rows", SHAPES.values(), ids=SHAPES)
def test_the_file_is_the_same(site, kind, value, rows):
    site.sql(f"CREATE TABLE t (id {kind} PRIMARY KEY, name VARCHAR(80), n INT)",
             f"INSERT INTO t SELECT {value}, REPEAT('n', seq MOD 80), seq FROM seq_1_to_{max(rows, 1)} WHERE {rows}")
    outcomes = exports(site, connections=(1, 2, 5))
    check_same(outcomes)
    assert outcomes[0].info["rows"] == rows


def test_one_connection_after_the_other_reads(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))",
             "INSERT INTO t SELECT seq, REPEAT('x', 200) FROM seq_1_to_40000")
    one, four = exports(site, "SELECT id, v, CONNECTION_ID() AS c FROM t", connections=(1, 4))
    used = {row[2] for row in csv.reader(io.StringIO(four.data.decode()))} - {"c"}
    assert 2 <= len(used) <= 4
    assert len({row[2] for row in csv.reader(io.StringIO(one.data.decode()))} - {"c"}) == 1


def test_only_some_rows_match(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, owner_id INT, v CHAR(90), KEY (owner_id, id))",
             "INSERT INTO t SELECT seq, IF(seq BETWEEN 20000 AND 30000, 1, seq MOD 50), 'x' FROM seq_1_to_50000")
    check_same(exports(site, "SELECT * FROM t WHERE owner_id = :owner"))


def test_long_values(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)",
             "INSERT INTO t SELECT 5 * seq, IF(seq MOD 997 = 0 OR seq BETWEEN 3000 AND 3006, REPEAT(seq, 300000), seq)"
             " FROM seq_1_to_6000")
    check_same(exports(site))


@pytest.mark.parametrize("key,kind", [("a, id", "INT"), ("name", "VARCHAR(20)"), ("id", "DECIMAL(20,0)")])
def test_other_keys_are_read_by_one(site, key, kind):
    site.sql(f"CREATE TABLE t (id {kind if key == 'id' else 'INT'}, a INT, name VARCHAR(20), PRIMARY KEY ({key}))",
             "INSERT INTO t SELECT seq, seq MOD 7, CONCAT('n', seq) FROM seq_1_to_3000")
    outcomes = exports(site, key=key.split(", "))
    check_same(outcomes)
    assert any("one connection" in line for line in outcomes[1].log)


def test_bad_keys_are_seen(site):
    site.sql("CREATE TABLE t (id INT, v CHAR(200), KEY (id))", "INSERT INTO t SELECT seq, 'x' FROM seq_1_to_20000",
             "INSERT INTO t VALUES (15000, 'twin')")
    for outcome in exports(site):
        assert (outcome.end, outcome.code) == ("failed_final", "invalid_key"), outcome.message
        assert "is not unique" in outcome.message


def test_bad_keys_are_seen_behind_long_values(site):
    site.sql("CREATE TABLE t (id INT, v LONGTEXT, KEY (id))", "INSERT INTO t SELECT seq, 'x' FROM seq_1_to_6000",
             "UPDATE t SET v = REPEAT('x', 2000000) WHERE id = 5000", "INSERT INTO t SELECT * FROM t WHERE id = 5000")
    for outcome in exports(site):
        assert (outcome.end, outcome.code) == ("failed_final", "invalid_key"), outcome.message


def test_rows_come_and_go(site):
    """None twice, in order, and all that were there all the time."""
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))",
             "INSERT INTO t SELECT 4 * seq, 'x' FROM seq_1_to_50000")
    site.export("t", "SELECT id FROM t", ["id"], page_rows=100, connections=4)
    process = site.start()
    for n in range(10):
        site.sql(f"DELETE FROM t WHERE id MOD 8 = 4 AND id BETWEEN {n * 20000} AND {n * 20000 + 9000}",
                 f"INSERT IGNORE INTO t SELECT 4 * seq + 1, 'new' FROM seq_{n * 5000 + 1}_to_{n * 5000 + 500}",
                 f"INSERT INTO t SELECT 200001 + 100 * {n} + seq, 'tail' FROM seq_1_to_50")
    outcome = site.end(process)
    assert outcome.end == "success", outcome.message
    ids = [int(line) for line in outcome.data.split()[1:]]
    assert ids == sorted(set(ids))
    assert set(range(8, 200001, 8)) <= set(ids)


def test_connections_that_are_lost(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))",
             "INSERT INTO t SELECT 3 * seq, REPEAT('x', 200) FROM seq_1_to_3000")
    whole, = exports(site, "SELECT id, v, 0 AS s FROM t", connections=(1,))
    whole = whole.data.decode()
    site.exports.clear()
    site.export("t", "SELECT id, v, SLEEP(0.0003) AS s FROM t", ["id"], page_rows=50, connections=3)
    process = site.start()
    lost, size = 0, 0

    def written():
        return sum(path.stat().st_size for path in site.files.glob("tmp/*.part"))
    while process.poll() is None:
        # some rows between two losses: without any it gives up at last
        wait_until(lambda: process.poll() is not None or written() > size, every=0.003)
        size = written()
        for number, in site.sql("SELECT id FROM information_schema.processlist WHERE info LIKE '%SLEEP(%'"
                                " AND id <> CONNECTION_ID() ORDER BY RAND() LIMIT 1"):
            try:
                site.sql(f"KILL CONNECTION {number}")
                lost += 1
            except pymysql.Error:
                pass  # it has ended by itself
    outcome = site.end(process)
    assert lost and outcome.end == "success", (outcome.code, outcome.message, outcome.log)
    # a row whose SLEEP was interrupted says 1: compare what does not depend on it
    assert [line.rsplit(",", 1)[0] for line in outcome.data.decode().split("\r\n")] == \
        [line.rsplit(",", 1)[0] for line in whole.split("\r\n")]


def test_too_few_connections(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))", "INSERT INTO t SELECT seq, 'x' FROM seq_1_to_20000",
             "DROP USER IF EXISTS few", "CREATE USER few IDENTIFIED BY '' WITH MAX_USER_CONNECTIONS 2",
             "GRANT SELECT ON site.* TO few")
    whole, = exports(site, connections=(1,))
    site.source["user"] = "few"
    outcome, = exports(site, connections=(6,))
    check_same([whole, outcome])
    assert "only 2 of 6 connections" in site.stderr


def test_killed_and_taken_up(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))", "INSERT INTO t SELECT 3 * seq, 'x' FROM seq_1_to_4000",
             "CREATE TABLE pace (id INT PRIMARY KEY, pause DOUBLE)", "INSERT INTO pace VALUES (1, 0)")
    site.checkpoint = "20ms"
    query = "SELECT t.id, v, SLEEP(pause) AS s FROM t, pace WHERE pace.id = 1"
    whole, = exports(site, query, connections=(1,))
    site.sql("UPDATE pace SET pause = 0.0005")
    site.exports.clear()
    site.export("t", query, ["id"], page_rows=100, connections=3, count="none")
    for fence in (1, 2, 3):
        process = site.start(options=["-f", str(fence)])
        wait_until(lambda: list((site.files / "tmp").glob(f"1-{fence}-*.ckpt")) or process.poll() is not None, every=0.003)
        process.send_signal(signal.SIGTERM if fence == 2 else signal.SIGKILL)
        process.communicate()
    site.sql("UPDATE pace SET pause = 0")
    outcome = site.run(options=["-f", "4"])
    assert any("going on behind row" in line for line in outcome.log)
    check_same([whole, outcome])


def test_stopped_while_all_are_at_work(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))",
             "INSERT INTO t SELECT seq, REPEAT('x', 200) FROM seq_1_to_60000")
    site.export("t", "SELECT id, v, SLEEP(IF(id > 20000, 0.005, 0)) AS s FROM t", ["id"], page_rows=50, connections=4)
    process = site.start()
    busy = "SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep' AND id <> CONNECTION_ID()"
    wait_until(lambda: len(site.sql(busy)) >= 2)
    process.terminate()
    assert site.end(process, timeout=10).end == "stopped"
    wait_until(lambda: not site.sql(busy), 3)
