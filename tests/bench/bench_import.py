# SPDX-License-Identifier: MIT
"""A million rows into a table: validated, with a policy for duplicates and a report, beside the bare ways."""

import csv
import json
import time

import harness
from place import PEERS, Place, need, need_php_module, wait_until

TEXT = "import of 1,000,000 rows of CSV, beside LOAD DATA LOCAL INFILE, INSERTs of 1,000 rows and single prepared ones"
RATE = "rows/s"
COLUMNS = ("id", "owner_id", "title", "author", "isbn", "price", "pages", "published")
TABLE = """CREATE TABLE bench_import (id INT UNSIGNED NOT NULL, owner_id BIGINT UNSIGNED NOT NULL,
    title VARCHAR(255) NOT NULL, author VARCHAR(120) NULL, isbn VARCHAR(17) NULL, price DECIMAL(8,2) NULL,
    pages INT NULL, published DATE NULL, PRIMARY KEY (id), KEY owner (owner_id, id))"""
CONFIG = """
source "bench" {{
    socket = "{socket}"
    database = "site"
    user = "{user}"
    password = "{password}"
}}
import "bench" {{
    target = "bench"
    table = "bench_import"
    owner = "owner_id"
}}
"""


def arguments(parser):
    parser.add_argument("--rows", type=int, default=1000000)


def row_of(number):
    """Without the owner, which an import sets itself."""
    return (number, f"The book of the number {number}", f"Author, {number % 5000}", f"978-3-{number:09}-1",
            f"{number % 9000 / 100:.2f}", number % 1200, f"{1950 + number % 70}-{1 + number % 12:02}-{1 + number % 28:02}")


class Import:
    def __init__(self, place, options):
        self.place, self.stack, self.rows = place, place.stack, options.rows
        env = self.stack.env
        self.more = CONFIG.format(socket=env["MYSQL_SOCKET"], user=env["MYSQL_USER"], password=env["MYSQL_PASSWORD"])
        self.csv, self.inserts = place.directory / "rows.csv", place.directory / "rows.sql"
        self.stack.sql(TABLE, database="site")
        self.write()
        self.client = ["mariadb", "--no-defaults", "--local-infile=1", "-S", env["MYSQL_SOCKET"], "-u", env["MYSQL_USER"],
                       env["SITE_DATABASE"]]

    def write(self):
        names = [name for name in COLUMNS if name != "owner_id"]
        with open(self.csv, "w", newline="", encoding="utf-8") as file, open(self.inserts, "w", encoding="utf-8") as sql:
            out = csv.writer(file)
            out.writerow(names)
            for begin in range(1, self.rows + 1, 1000):
                rows = [row_of(number) for number in range(begin, min(begin + 1000, self.rows + 1))]
                out.writerows(rows)
                values = ", ".join("(1, " + ", ".join(f"'{value}'" for value in row) + ")" for row in rows)
                sql.write(f"INSERT INTO bench_import (owner_id, {', '.join(names)}) VALUES {values};\n")

    def empty(self):
        self.stack.sql("TRUNCATE TABLE bench_import", database="site")

    def ours(self):
        with open(self.csv, "rb") as file:
            answer = self.stack.request("POST", "/v1/tasks/uploads", data=file, headers={"Content-Type": "text/csv"})
        assert answer.status_code == 201, answer.text
        task = self.stack.create("csv_import", {"import": "bench", "upload": answer.json()["upload"]})["id"]
        wait_until(lambda: self.stack.sql("SELECT finished_at FROM tasks WHERE id = %s", [task])[0][0], 600)
        usec, status, result, error = self.stack.sql(
            "SELECT TIMESTAMPDIFF(MICROSECOND, started_at, finished_at), status, result, error FROM tasks WHERE id = %s",
            [task])[0]
        assert status == "success" and json.loads(result)["inserted"] == self.rows, (status, result, error)
        return {RATE: self.rows * 1e6 / usec}

    def client_with(self, arguments, stdin="/dev/null"):
        return self.theirs(["sh", "-c", f'exec "$@" <"{stdin}"', "sh", *self.client, *arguments])

    def theirs(self, command):
        begin = time.monotonic()
        self.place.call(command, env={"MYSQL_PWD": self.stack.env["MYSQL_PASSWORD"]})
        rate = self.rows / (time.monotonic() - begin)
        assert self.stack.sql("SELECT COUNT(*) FROM bench_import", database="site")[0][0] == self.rows
        return {RATE: rate}

    def cases(self):
        names = ", ".join(name for name in COLUMNS if name != "owner_id")
        load = (f"LOAD DATA LOCAL INFILE '{self.csv}' INTO TABLE bench_import CHARACTER SET utf8mb4 FIELDS TERMINATED BY ','"
                f" OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n' IGNORE 1 LINES ({names}) SET owner_id = 1")
        return [harness.Case("Backdesk", self.ours, self.empty),
                harness.Case("LOAD DATA", lambda: self.client_with(["-e", load]), self.empty),
                harness.Case("INSERTs of 1000", lambda: self.client_with([], self.inserts), self.empty),
                harness.Case("single prepared INSERTs", lambda: self.theirs(["php", PEERS / "import.php", self.csv]),
                             self.empty)]


def run(options):
    need("mariadb", "php")
    need_php_module("pdo_mysql")
    with Place() as place:
        imports = Import(place, options)
        place.restart_pool(imports.more)
        place.runner("bench", imports.more, runner__workers=1)
        result = harness.Result("import", [harness.Goal("Backdesk", RATE, "LOAD DATA", at_least=0.8)])
        yield harness.run(result, harness.chosen(imports.cases(), options), options.runs)
