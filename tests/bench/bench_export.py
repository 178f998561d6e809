# SPDX-License-Identifier: MIT
"""A quarter of a large table as a file of each format, through the real runner, from its start to its commit."""

import json
import resource
import time
from pathlib import Path

import harness
from place import PEERS, Place, children, cpu_seconds, need, need_node_modules, wait_until

TEXT = "exports of a quarter of 5,000,000 rows in each format, beside a C loop, SELECT INTO OUTFILE, mariadb, php, Node"
RATE = "rows/s"
OWNER = 7
COLUMNS = """id INT UNSIGNED NOT NULL, owner_id BIGINT UNSIGNED NOT NULL, title VARCHAR(255) NOT NULL,
    author VARCHAR(120) NULL, isbn VARCHAR(17) NULL, language CHAR(2) NULL, price DECIMAL(8,2) NULL, pages INT NULL,
    published DATE NULL, added_at DATETIME(6) NOT NULL, summary VARCHAR(200) NULL"""
TABLES = {"id": f"CREATE TABLE bench_id ({COLUMNS}, PRIMARY KEY (id))",
          "owner": f"CREATE TABLE bench_owner ({COLUMNS}, PRIMARY KEY (owner_id, id))"}
EXPORT = """
export "{name}" {{
    source = "site"
    query = "{query}"
    key = {{"id"}}
    connections = {connections}
}}
"""


def arguments(parser):
    parser.add_argument("--rows", type=int, default=5000000, help="of the table; the owner has every fourth")
    parser.add_argument("--tables", default="id,owner", help="primary key (id), or clustered by (owner_id, id)")


def fill(stack, table, rows):
    stack.sql(TABLES[table], database="site")
    step = 500000
    for begin in range(1, rows + 1, step):
        stack.sql(f"INSERT INTO bench_{table} SELECT seq, {OWNER} + seq MOD 4, CONCAT('The book of the number ', seq),"
                  " IF(seq MOD 10 = 0, NULL, CONCAT('Author, ', seq MOD 5000)), CONCAT('978-3-', LPAD(seq, 9, '0'), '-1'),"
                  " ELT(1 + seq MOD 3, 'en', 'de', 'fr'), seq MOD 9000 / 100, seq MOD 1200,"
                  " DATE '1950-01-01' + INTERVAL seq MOD 25000 DAY,"
                  " TIMESTAMP '2020-01-01 00:00:00' + INTERVAL seq * 1234567 MICROSECOND,"
                  f" IF(seq MOD 7 = 0, NULL, 'A book of its kind, \"unique\" and not for sale.') FROM seq_{begin}_to_"
                  f"{min(begin + step - 1, rows)}", database="site")
    stack.sql(f"ANALYZE TABLE bench_{table}", database="site")


def query_of(table, owner):
    return f"SELECT * FROM {table} WHERE owner_id = {owner}"


class Export:
    def __init__(self, place, table, rows):
        self.place, self.stack, self.table, self.rows = place, place.stack, table, rows // 4
        self.file = place.directory / "peer.csv"
        self.libraries = {"BENCH_MODULES": place.node_modules()}

    def ours(self, name, task_type, export=None, **data):
        data = json.dumps({"export": export or f"bench_{self.table}", **data})

        def measure():
            runner, = self.stack.runners
            worker, = children(runner.pid)
            Path(f"/proc/{worker}/clear_refs").write_text("5")  # the peak from now on
            before = cpu_seconds(worker)
            task = self.make(task_type, data)
            wait_until(lambda: self.stack.sql("SELECT finished_at FROM tasks WHERE id = %s", [task])[0][0], 600)
            usec, error = self.stack.sql("SELECT TIMESTAMPDIFF(MICROSECOND, started_at, finished_at), error FROM tasks"
                                         " WHERE id = %s", [task])[0]
            assert not error, error
            peak = next(int(line.split()[1]) for line in Path(f"/proc/{worker}/status").read_text().splitlines()
                        if line.startswith("VmHWM"))
            return {RATE: self.rows * 1e6 / usec, "client CPU s": cpu_seconds(worker) - before, "peak MiB": peak / 1024}
        return harness.Case(name, measure, tidy=self.remove)

    def make(self, task_type, data):
        self.stack.sql("INSERT INTO tasks (type, data, created_by, max_attempts) VALUES (%s, %s, %s, 1)",
                       [task_type, data, OWNER])
        return self.stack.sql("SELECT MAX(id) FROM tasks")[0][0]

    def remove(self):
        """The files go, so that the disk's caches are not theirs."""
        self.stack.sql("INSERT INTO file_trash (path) SELECT path FROM csv_export")
        self.stack.sql("DELETE FROM csv_export")
        wait_until(lambda: not self.stack.sql("SELECT 1 FROM file_trash LIMIT 1"), 30)

    def peer(self, name, command, to_stdout=False):
        def measure():
            begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            if to_stdout:
                with open(self.file, "wb") as out:
                    self.place.call(command, stdout=out, env={"MYSQL_PWD": self.stack.env["MYSQL_PASSWORD"]})
            else:
                self.place.call(command, env=self.libraries)
            seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
            self.file.unlink()
            return {RATE: self.rows / seconds,
                    "client CPU s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}
        return harness.Case(name, measure)

    def outfile(self):
        """The server writes the file itself, on its own disk, and does not sync it."""
        file = self.stack.state / "tmp" / "outfile.csv"

        def measure():
            begin = time.monotonic()
            self.stack.root_sql(f"{query_of(f'site.bench_{self.table}', OWNER)} INTO OUTFILE '{file}' FIELDS TERMINATED BY ','"
                                " OPTIONALLY ENCLOSED BY '\"'")
            seconds = time.monotonic() - begin
            file.unlink()
            return {RATE: self.rows / seconds}
        return harness.Case("SELECT INTO OUTFILE", measure)

    def cases(self):
        query, env = query_of(f"bench_{self.table}", OWNER), self.stack.env
        two = f"bench_{self.table}_two"
        return [
            self.ours("CSV", "csv_export"), self.ours("CSV over 2 connections", "csv_export", two),
            self.peer("C loop", [self.place.peer("export_bare"), query, self.file]),
            self.peer("mariadb --batch", ["mariadb", "--no-defaults", "--quick", "--batch", "-S", env["MYSQL_SOCKET"],
                                          "-u", env["MYSQL_USER"], env["SITE_DATABASE"], "-e", query], to_stdout=True),
            self.outfile(), self.peer("php fputcsv", ["php", PEERS / "export.php", query, self.file]),
            self.peer("Node csv-stringify", ["node", PEERS / "export.js", query, self.file]),
            self.ours("CSV with gzip", "csv_export", gzip=True), self.ours("HTML", "html_export"),
            self.ours("JSON lines", "json_export", lines=True), self.ours("XLSX", "xlsx_export")]


def run(options):
    need("php", "mariadb", "node")
    need_node_modules()
    tables = options.tables.split(",")
    more = "".join(EXPORT.format(name=f"bench_{table}{name}", query=query_of(f"bench_{table}", ":owner"), connections=count)
                   for table in tables for name, count in (("", 1), ("_two", 2)))
    with Place() as place:
        place.runner("bench", more, runner__workers=1)
        for table in tables:
            fill(place.stack, table, options.rows)
            result = harness.Result(f"export: primary key {'(id)' if table == 'id' else '(owner_id, id)'}", [
                harness.Goal("CSV", RATE, "C loop", at_least=0.95),
                harness.Goal("CSV over 2 connections", RATE, "C loop", at_least=1.4),
                harness.Goal("CSV", "client CPU s", "C loop", at_most=1.3),
                harness.Goal("HTML", RATE, "CSV", at_least=0.9),
                harness.Goal("CSV", "peak MiB", at_most=32), harness.Goal("XLSX", "peak MiB", at_most=64)])
            yield harness.run(result, harness.chosen(Export(place, table, options.rows).cases(), options), options.runs)
            place.stack.sql(f"DROP TABLE bench_{table}", database="site")
