# SPDX-License-Identifier: MIT
"""Reading page by page: keys of every kind, what is refused, what a page costs."""

import csv
import io

import pytest

from formats import csv_file, read


def rows_of(outcome):
    assert outcome.end == "success", (outcome.code, outcome.message)
    return list(csv.reader(io.StringIO(outcome.data.decode(), newline=""), strict=True))[1:]


def check_order(site, query, key, **settings):
    """The export has all rows, in the key's order, whatever the size of a page."""
    names, kinds, rows = read(site, f"SELECT * FROM ({query}) q ORDER BY "
                              + ", ".join(f"q.`{k}`" for k in key))
    expected = csv_file(names, kinds, rows)
    for size in (1, 2, 3, 1000):
        site.exports.clear()
        site.export("t", query, key, page_rows=size, formula_guard="no", **settings)
        outcome = site.run()
        assert outcome.end == "success", (outcome.code, outcome.message)
        assert outcome.data == expected, size


# the key's column and its values, in no order
KEYS = [
    ("INT", ["3", "-5", "0", "2147483647", "-2147483648"]),
    ("INT(6) UNSIGNED ZEROFILL", ["5", "40", "300", "4294967295"]),
    ("BIGINT UNSIGNED", ["18446744073709551615", "18446744073709551614", "9223372036854775808",
                         "9223372036854775807", "0"]),
    ("DECIMAL(65,30)", ["1.000000000000000000000000000001", "1.000000000000000000000000000002",
                        "-12345678901234567890123456789012345.5", "0", "-0.000000000000000000000000000001"]),
    ("BIT(64)", ["0", "1", "b'" + "1" * 64 + "'", "b'1" + "0" * 63 + "'", "256"]),
    ("DATE", ["'0000-00-00'", "'2024-02-29'", "'1000-01-01'", "'9999-12-31'"]),
    ("DATETIME(6)", ["'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:00.000002'", "'0000-00-00'",
                     "'9999-12-31 23:59:59.999999'"]),
    ("TIMESTAMP(6)", ["'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:00.000002'", "'1970-01-02 00:00:00'"]),
    ("TIME(6)", ["'-838:59:59'", "'-00:00:00.000001'", "'00:00:00'", "'00:00:00.000001'", "'838:59:59'"]),
    ("YEAR", ["0", "1901", "2155", "2024"]),
    ("VARCHAR(50) COLLATE utf8mb4_unicode_ci", ["'b'", "'A'", "'c'", "'Ö'", "'z'", "'😀'", "''", "'ab'", "'a b'"]),
    ("VARCHAR(50) COLLATE utf8mb4_bin", ["'b'", "'B'", "'a'", "'A'", "'Ö'", "'😀'", "''", "'''='"]),
    ("VARCHAR(50) CHARACTER SET latin1 COLLATE latin1_german1_ci", ["'ß'", "'t'", "'Ü'", "'a'", "'€'"]),
    ("VARCHAR(50) CHARACTER SET utf16", ["'ß'", "'t'", "'Ü'", "'a'", "'😀'"]),
    ("VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin", ["'B'", "'a'", "'%'", "'_'", "'\\\\'"]),
    ("CHAR(36) CHARACTER SET ascii", ["UUID()", "UUID()", "UUID()"]),
    ("VARCHAR(700) COLLATE utf8mb4_bin", ["CONCAT(REPEAT('x', 600), 'b')", "CONCAT(REPEAT('x', 600), 'a')",
                                          "REPEAT('x', 600)", "CONCAT(REPEAT('x', 600), 'aa')"]),
    ("VARBINARY(20)", ["X'00'", "X''", "X'FF'", "X'0000'", "X'00FF'", "X'27'", "X'61'", "X'41'"]),
    ("BINARY(16)", ["UNHEX(MD5(1))", "UNHEX(MD5(2))", "UNHEX(MD5(3))"]),
    ("UUID", ["UUID()", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-4fff-bfff-ffffffffffff'"]),
    ("INET6", ["'::1'", "'2001:db8::1'", "'::ffff:192.0.2.1'"]),
]


@pytest.mark.parametrize("kind,values", KEYS, ids=[k for k, _ in KEYS])
@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "sorted"])
def test_key_of_type(site, kind, values, indexed):
    site.sql("SET sql_mode = ''",
             f"CREATE TABLE t (n INT, k {kind} NOT NULL{', UNIQUE (k)' if indexed else ''})",
             "INSERT INTO t VALUES " + ", ".join(f"({n}, {v})" for n, v in enumerate(values)))
    check_order(site, "SELECT n, k FROM t", ["k"])


def test_composite_keys(site):
    site.sql("CREATE TABLE t (a VARCHAR(5), b DECIMAL(5,2), c INT, v INT, PRIMARY KEY (a, b, c))",
             "INSERT INTO t SELECT ELT(1 + seq MOD 3, 'x', 'Y', 'z'), seq MOD 4 / 4, seq, seq FROM seq_1_to_100")
    check_order(site, "SELECT * FROM t", ["a", "b", "c"])
    check_order(site, "SELECT v, c, b, a FROM t", ["b", "c"])
    check_order(site, "SELECT a, b, COUNT(*) AS n FROM t GROUP BY a, b", ["a", "b"])


def test_pages_of_a_composite_key_read_only_their_rows(site):
    site.sql("CREATE TABLE t (a INT, b INT, c INT, PRIMARY KEY (a, b, c))",
             "INSERT INTO t SELECT 1, seq DIV 15000, seq FROM seq_1_to_30000", "ANALYZE TABLE t")
    site.export("t", "SELECT * FROM t", ["a", "b", "c"], page_rows=500, count="none")

    def rows_read():
        status = dict(site.sql("SHOW GLOBAL STATUS LIKE 'Handler_read%'"))
        return int(status["Handler_read_next"]) + int(status["Handler_read_rnd_next"])

    before = rows_read()
    assert len(rows_of(site.run())) == 30000
    assert rows_read() - before < 32000


def test_key_in_another_case_and_place(site):
    site.sql("CREATE TABLE t (Id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (2, 1), (1, 2)")
    site.export("t", "SELECT v, Id FROM t", ["iD"], page_rows=1)
    assert rows_of(site.run()) == [["2", "1"], ["1", "2"]]


REFUSED = [
    ("not unique", "SELECT 1 AS k UNION ALL SELECT 1", ["k"], "is not unique"),
    ("not unique, composite", "SELECT 1 AS k, 2 AS l UNION ALL SELECT 1, 2", ["k", "l"], "is not unique"),
    ("not unique by its collation", "SELECT _utf8mb4'a' COLLATE utf8mb4_general_ci AS k UNION ALL SELECT 'A'",
     ["k"], "is not unique"),
    ("not unique, long", "SELECT 1 AS k, REPEAT('a', 2000000) AS v UNION ALL SELECT 1, REPEAT('b', 2000000)", ["k"],
     "is not unique"),
    ("NULL", "SELECT 1 AS k UNION SELECT NULL", ["k"], "is NULL in a row"),
    ("NULL within", "SELECT 1 AS k, 2 AS l UNION SELECT 2, NULL UNION SELECT 2, 3", ["k", "l"], "is NULL in a row"),
    ("FLOAT", "SELECT CAST(1 AS FLOAT) AS k", ["k"], "FLOAT and DOUBLE"),
    ("DOUBLE", "SELECT 1e0 AS k", ["k"], "FLOAT and DOUBLE"),
    ("missing", "SELECT 1 AS a", ["k"], 'the key column "k" is not in the result'),
    ("ENUM", "SELECT e AS k FROM t", ["k"], "ENUM and SET"),
    ("long text", "SELECT j AS k FROM t", ["k"], "too long"),
]


@pytest.mark.parametrize("query,key,message", [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_refused_keys(site, query, key, message, size):
    site.sql("CREATE TABLE t (e ENUM('z', 'a'), j LONGTEXT)", "INSERT INTO t VALUES ('z', 'x')")
    if "collation" in message or (size > 1 and "COLLATE" in query):
        pytest.skip("both rows stand in one page: nothing is lost")
    site.export("t", query, key, page_rows=size)
    outcome = site.run()
    assert (outcome.end, outcome.code) == ("failed_final", "invalid_key")
    assert message in outcome.message and "SELECT" not in outcome.message
    assert site.left() == []


@pytest.fixture
def zone(site):
    """zone(NAME) for the sessions that begin from now on, for as long as the test lasts."""
    before = site.sql("SELECT @@GLOBAL.time_zone")[0][0]
    yield lambda name: site.sql(f"SET GLOBAL time_zone = '{name}'")
    site.sql(f"SET GLOBAL time_zone = '{before}'")


def test_timestamp_keys_need_a_zone_without_summer_time(site, zone):
    site.sql("CREATE TABLE t (k TIMESTAMP PRIMARY KEY)", "INSERT INTO t VALUES ('2024-01-01')")
    site.export("t", "SELECT k FROM t", ["k"])
    for name, end in (("+00:00", "success"), ("-05:00", "success"), ("SYSTEM", None)):
        zone(name)
        outcome = site.run()
        if end is None:
            end = "success" if site.sql("SELECT @@system_time_zone")[0][0] == "UTC" else "failed_final"
        assert outcome.end == end, outcome.message


@pytest.mark.parametrize("key", [["id"], []])
@pytest.mark.parametrize("name", ["+02:00", "-05:00", "+00:00", "SYSTEM"])
def test_an_instant_is_the_same_in_every_zone(site, zone, name, key):
    zone(name)
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP(6) NULL, local DATETIME(6))",
             "INSERT INTO t SELECT seq, FROM_UNIXTIME(1780272000 + seq - 5), NULL FROM seq_1_to_10",
             "UPDATE t SET local = at")  # the fifth is 2026-06-01T00:00:00Z
    for column in ("at", "local"):
        site.export(column, f"SELECT id, @@time_zone FROM t WHERE (:since IS NULL OR {column} >= :since)"
                    f" AND {column} < :until" + ("" if key else " ORDER BY id"), key,
                    'param "since" { type = datetime }\n'
                    'param "until" { type = datetime default = "9999-12-31T23:59:59Z" }', page_rows=2)
        for params, first, last in [({"since": "2026-06-01T00:00:00Z"}, 5, 10), ({}, 1, 10),
                                    ({"since": "2026-05-31T20:00:00.000001-04:00"}, 6, 10),
                                    ({"since": "0001-01-01T00:00:00Z", "until": "2026-06-01T02:00:01+02:00"}, 1, 5)]:
            rows = rows_of(site.run(data={"export": column, "params": params}))
            assert [int(row[0]) for row in rows] == list(range(first, last + 1)), (column, params)
            assert {row[1].lstrip("'") for row in rows} == {name}  # queries find the server's own


def test_a_source_has_a_time_zone_of_its_own(site, zone):
    zone("+02:00")
    site.source["time_zone"] = "-03:30"
    site.sql("CREATE TABLE t (k TIMESTAMP PRIMARY KEY)", "SET time_zone = '+00:00'",
             "INSERT INTO t VALUES ('2026-06-01 00:00:00'), ('2026-06-01 00:00:01')")
    site.export("t", "SELECT k FROM t WHERE k > :since", ["k"], 'param "since" { type = datetime }')
    data = {"export": "t", "params": {"since": "2026-06-01T00:00:00Z"}}
    assert rows_of(site.run(data=data)) == [["2026-05-31 20:30:01"]]
    site.source["time_zone"] = "Nowhere/At all"
    outcome = site.run(data=data)
    assert (outcome.end, outcome.code) == ("failed", "query_failed") and "Nowhere" in site.stderr


def test_owner_and_parameters_are_values(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, owner_id BIGINT, s VARCHAR(99), d DATE, dt DATETIME(6), n DECIMAL(20,10),"
             " f DOUBLE)",
             "INSERT INTO t VALUES (1, 7, 'it''s; -- \"x\"', '2024-02-29', '2024-02-29 10:00:00.5', 0.1, 0.1),"
             " (2, 8, 'a', '2024-03-01', '2024-03-01', 5, 5), (3, 7, ':owner', '2025-01-01', '2025-01-01', 1e9, 1e9)")
    site.export("mine", "SELECT id FROM t WHERE owner_id = :owner", ["id"])
    assert rows_of(site.run(data={"export": "mine"}, owner=7)) == [["1"], ["3"]]
    assert rows_of(site.run(data={"export": "mine"}, owner=8)) == [["2"]]
    assert rows_of(site.run(data={"export": "mine"}, owner=9)) == []
    params = [("string", "s = :p", "it's; -- \"x\"", "1"), ("string", "s = :p", "' OR '1'='1", None),
              ("date", "d = :p", "2024-02-29", "1"), ("datetime", "dt = :p", "2024-02-29T11:00:00.5+01:00", "1"),
              ("number", "n = :p", 0.1, "1"), ("number", "f = :p", 0.1, "1"), ("number", "n = :p", 1e9, "3"),
              ("integer", "id = :p", 3, "3"), ("boolean", "(id = 2) = :p AND id = 2", True, "2"),
              ("string", "s = CONCAT(:p, 'owner')", ":", "3")]
    for n, (kind, where, value, expected) in enumerate(params):
        site.export(f"p{n}", f"SELECT id, ':owner' AS text, :owner AS o FROM t WHERE {where} /* :owner */", ["id"],
                    f'param "p" {{ type = {kind} required = yes }}')
        outcome = site.run(data={"export": f"p{n}", "params": {"p": value}}, owner=5)
        assert rows_of(outcome) == ([[expected, ":owner", "5"]] if expected else []), (kind, value)


def test_the_same_row_is_never_read_twice_while_the_table_grows(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))",
             "INSERT INTO t SELECT 2 * seq, 'x' FROM seq_1_to_60000")
    site.export("t", "SELECT id FROM t", ["id"], page_rows=100)
    process = site.start()
    for n in range(20):
        site.sql(f"INSERT IGNORE INTO t SELECT 2 * seq + 1, 'new' FROM seq_{n * 3000 + 1}_to_{n * 3000 + 50}")
    ids = [int(r[0]) for r in rows_of(site.end(process))]
    assert ids == sorted(set(ids))
    assert set(range(2, 120001, 2)) <= set(ids)


def test_snapshot_is_one_moment(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t SELECT seq, 0 FROM seq_1_to_200000")
    for name, key in (("paged", ["id"]), ("whole", [])):
        site.export(name, "SELECT id, v FROM t" + ("" if key else " ORDER BY id"), key, snapshot="yes", page_rows=50)
    for name in ("paged", "whole"):
        process = site.start(data={"export": name})
        site.wait_for_rows(process)
        site.sql("UPDATE t SET v = v + 1 WHERE id > 100000", "DELETE FROM t WHERE id = 150000",
                 "INSERT INTO t VALUES (150000, 9)")
        rows = rows_of(site.end(process))
        assert len(rows) == 200000
        assert len({r[1] for r in rows[100000:] if r[0] != "150000"}) == 1
        site.sql("UPDATE t SET v = 0")


def test_too_old_a_snapshot_fails(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t SELECT seq FROM seq_1_to_30")
    site.export("t", "SELECT id, SLEEP(0.2) FROM t", ["id"], snapshot="yes", snapshot_max_age="1s", page_rows=1)
    site.export("u", "SELECT id, SLEEP(0.2) FROM t", [], snapshot_max_age="1s")
    site.export("v", "SELECT id, SLEEP(20) FROM t", [], snapshot_max_age="1s")
    for name in "tuv":
        outcome = site.run(data={"export": name})
        assert (outcome.end, outcome.code) == ("failed", "snapshot_too_old"), name
        assert 900 <= outcome.msec < 6000
    assert site.left() == []
    assert not site.sql("SELECT 1 FROM information_schema.processlist WHERE info LIKE '%SLEEP(20)%'"
                        " AND id <> CONNECTION_ID() AND time > 2")


def test_progress_and_total(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t SELECT seq FROM seq_1_to_60")
    site.export("t", "SELECT id, SLEEP(0.05) FROM t", ["id"], page_rows=4)
    site.export("u", "SELECT id, SLEEP(0.05) FROM t", ["id"], page_rows=4, count="none")
    outcome = site.run(data={"export": "t"})
    seen = outcome.progress
    assert seen[-1][1:] == [60, 60, "rows"]
    assert all(b[0] - a[0] < 1000 and b[1] >= a[1] for a, b in zip(seen, seen[1:]))
    assert 60 in {p[2] for p in seen[:-1]} and len(seen) < outcome.msec / 250 + 4
    outcome = site.run(data={"export": "u"})
    assert {p[2] for p in outcome.progress[:-1]} == {0}


def test_a_slow_count_delays_nothing(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t SELECT seq FROM seq_1_to_12")
    # in the count the whole derived table is made, so all of its sleeping is in it
    site.export("t", "SELECT DISTINCT id, SLEEP(0.1) AS s FROM t", ["id"], snapshot="no")
    outcome = site.run()
    assert outcome.end == "success" and outcome.msec < 4000


def test_bad_queries_fail_without_telling_them(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    for query in ("SELECT secret_column FROM t", "SELECT * FROM secret_table", "SELECT id, id FROM t",
                  "SELECT id FROM t WHERE", "SELECT (SELECT seq AS secret FROM seq_1_to_2) AS id"):
        site.exports.clear()
        site.export("t", query, ["id"])
        outcome = site.run()
        assert outcome.end == "failed" and outcome.code == "query_failed", query
        assert "secret" not in outcome.message + str(outcome.log)
        assert site.left() == []


def test_bad_data_is_final(site):
    site.export("t", "SELECT :p AS a", [], 'param "p" { type = integer }')
    for data in ("", "{", "[]", '{"export": "other"}', '{"params": {"p": "x"}}', '{"params": {"q": 1}}', '{"more": 1}'):
        outcome = site.run(data=data)
        assert (outcome.end, outcome.code) == ("failed_final", "invalid_data"), data


def test_connection_is_kept_between_tasks(site):
    site.export("t", "SELECT CONNECTION_ID() AS c", [])
    site.export("k", "SELECT CONNECTION_ID() AS c", ["c"])
    first, second = site.run(data={"export": "k"}, options=["-n", "2"])
    assert first.data == second.data
    # a session that an export has changed is not used again
    first, second = site.run(data={"export": "t"}, options=["-n", "2"])
    assert first.data != second.data
