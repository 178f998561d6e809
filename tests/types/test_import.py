# SPDX-License-Identifier: MIT
"""Imports into a private database: what is taken, what is rejected and why, and that no row comes twice."""

import base64
import csv
import gzip
import io
import random
import signal
import time

import pymysql
import pytest

from every_type import COLUMNS
from plain_server import PlainServer

BOOKS = ("CREATE TABLE books (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, owner_id BIGINT NOT NULL,"
         " title VARCHAR(20) NOT NULL, isbn VARCHAR(17) NULL UNIQUE, price DECIMAL(6,2) NULL, n TINYINT NULL,"
         " added DATETIME(3) NULL, kind ENUM('a', 'b') NOT NULL DEFAULT 'a', raw VARBINARY(4) NULL)")


@pytest.fixture(scope="session")
def plain_server(server, tmp_path_factory):
    plain = PlainServer(server.socket, tmp_path_factory.mktemp("plain") / "sock")
    yield plain
    plain.close()


@pytest.fixture(params=["bulk", "plain"])
def shop(request, site, plain_server):
    """The site with an empty table of books that may be filled; by a server that takes many rows for a statement, and
    by one that does not."""
    if request.param == "plain":
        site.source["socket"] = plain_server.path
    site.make_ledger()
    site.sql(BOOKS)

    def run(data, owner=1, options=(), start=False, **more):
        upload = data if isinstance(data, str) and len(data) == 32 else site.upload(
            data if isinstance(data, bytes) else data.encode(), owner)
        call = site.start if start else site.run
        return call("csv_import", {"upload": upload, **more}, owner, options)
    site.take = run
    site.books = lambda what="*": list(site.sql(f"SELECT {what} FROM books ORDER BY id"))
    return site


def counts(outcome):
    assert outcome.end == "success", (outcome.code, outcome.message)
    return [outcome.result[name] for name in ("read", "inserted", "replaced", "skipped", "rejected")]


def rejected(outcome):
    """[(row, column, reason, record)] of the report."""
    rows = list(csv.DictReader(io.StringIO(outcome.data.decode(), newline="")))
    return [(int(row["row"]), row["column"], row["reason"], row["record"]) for row in rows]


# --- what is taken ------------------------------------------------------------------------------------

@pytest.mark.parametrize("data, want", [
    ("title,n\na,1\nb,\n", [("a", 1), ("b", None)]),
    ("\ufefftitle,n\r\na,1\r\n", [("a", 1)]),
    ("n,title\r1,a\r2,b", [("a", 1), ("b", 2)]),
    (" Title , N \n\n\na,1\n\n", [("a", 1)]),
    ('title,n\n"a ""b""\nc",1\n', [('a "b"\nc', 1)]),
    ('title,n\n"",1\n', [("", 1)]),
    ("title,n,owner_id\na,1,2\n", [("a", 1)]),
    ("title,n\n'=1+1,1\n''@x,2\n'x,3\n", [("=1+1", 1), ("'@x", 2), ("'x", 3)]),
    ("title\na\n", [("a", None)]),
    (gzip.compress(b"title,n\na,1\n") + gzip.compress(b"b,2\n"), [("a", 1), ("b", 2)]),
], ids=range(10))
def test_what_is_taken(shop, data, want):
    shop.import_("books")
    outcome = shop.take(data)
    assert counts(outcome) == [len(want), len(want), 0, 0, 0] and outcome.info is None
    assert shop.books("title, n") == want
    assert shop.books("DISTINCT owner_id") == [(1,)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(shop, delimiter):
    shop.import_("books")
    counts(shop.take(f'title{delimiter}n\n"a{delimiter}b"{delimiter}1\n', delimiter=delimiter))
    assert shop.books("title, n") == [(f"a{delimiter}b", 1)]


def test_columns_of_the_configuration(shop):
    shop.import_("books", null="-", binary="hex", formula_guard="no", more='''
        column "title" { header = "Name of the book" required = yes trim = yes }
        column "n" { header = "Sold out" type = boolean default = "no" }
        column "raw" { }
        column "kind" { values = {"b"} default = "b" }''')
    outcome = shop.take("raw,name of the book,Sold out\n00ff, x ,yes\n-,'=y,\n0,z,no\n,,no\n,-,no\n,w,perhaps\n")
    assert shop.books("title, n, raw, kind") == [("x", 1, b"\x00\xff", "b"), ("'=y", 0, None, "b")]
    assert [(r[0], r[1]) for r in rejected(outcome)] == [
        (3, "raw"), (4, "Name of the book"), (5, "Name of the book"), (6, "Sold out")]


def test_a_header_that_is_the_name_of_another_column(shop):
    shop.sql("ALTER TABLE books ADD name VARCHAR(20) NULL AFTER owner_id")
    shop.import_("books", more='column "title" { header = "name" } column "n" { header = "id" }')
    assert counts(shop.take("name,id,owner_id\na,7,9\n")) == [1, 1, 0, 0, 0]
    assert shop.books("id, owner_id, name, title, n") == [(1, 1, None, "a", 7)]


# --- what is rejected ----------------------------------------------------------------------------------

REJECTED = [
    ("title,n", "a,128", "n", "an integer from -128 to 127"),
    ("title,n", "a,1.0", "n", "an integer"),
    ("title,n", "a, 1", "n", "an integer"),
    ("title,n", "a,99999999999999999999999", "n", "an integer"),
    ("title,price", "a,12345.00", "price", "4 digits before the point"),
    ("title,price", "a,1.234", "price", "2 behind it"),
    ("title,price", "a,1e2", "price", "must be a number"),
    ("title,added", "a,2026-02-30 00:00:00", "added", "a date and time"),
    ("title,added", "a,2026-02-03 24:00:00", "added", "a date and time"),
    ("title,added", "a,2026-02-03 10:00:00.1234", "added", "3 digits"),
    ("title,raw", "a,AAAAAAAA", "raw", "has 6 bytes"),
    ("title,raw", "a,A", "raw", "base64"),
    ("title", "123456789012345678901", "title", "has 21 characters"),
    ("title,n", ",1", "title", "must have a value"),
    ("title,n", "a", "", "1 fields"),
    ("title,n", "a,1,2", "", "3 fields"),
    ("title,kind", "a,c", "kind", "no value that the column takes"),
    ("title,n", '"a"b,1', "", "behind a closing quote"),
    ("title,n", b"\xff,1", "", "UTF-8"),
    ("title,n", "x" * 5000 + ",1", "", "too long"),
]


@pytest.mark.parametrize("header, row, column, reason", REJECTED, ids=range(len(REJECTED)))
def test_what_is_rejected(shop, header, row, column, reason):
    shop.import_("books", row_max="4KiB")
    row = row if isinstance(row, bytes) else row.encode()
    rest = b"\nlast" + b"," * header.count(",") + b"\n"
    head = header.encode() + b"\nfirst" + b"," * header.count(",") + b"\n"
    if "kind" in header:
        head, rest = head.replace(b"first,", b"first,a"), rest.replace(b"last,", b"last,b")
    outcome = shop.take(head + row + rest)
    assert counts(outcome)[1:] == [2, 0, 0, 1]
    (number, where, why, record), = rejected(outcome)
    assert (number, where) == (2, column) and reason in why, why
    assert record == row[:1024 if len(row) > 4096 else None].decode(errors="replace")
    assert outcome.info["filename"] == "books-rejected-2026-11-21.csv" and outcome.info["rows"] == 1


def test_more_than_the_server_takes_at_once(shop):
    """Rows that are too much together go one by one; one that is too much by itself is rejected."""
    packet, = shop.sql("SELECT @@GLOBAL.max_allowed_packet")[0]
    shop.sql("ALTER TABLE books ADD body MEDIUMTEXT", f"SET GLOBAL max_allowed_packet = {1 << 20}")
    shop.import_("books", row_max="3MiB")
    sizes = {"a": 700000, "b": 700000, "c": 1500000, "d": 10}
    try:
        outcome = shop.take("title,body\n" + "".join(f"{title},{size * title}\n" for title, size in sizes.items()))
    finally:
        shop.sql(f"SET GLOBAL max_allowed_packet = {packet}")
    assert counts(outcome) == [4, 3, 0, 0, 1]
    assert shop.books("title, LENGTH(body)") == [item for item in sizes.items() if item[0] != "c"]
    line = outcome.data.decode().splitlines()[1]  # too long for csv
    assert line == '3,4,,is too large for the server (max_allowed_packet),"c,' + "c" * sizes["c"] + '"'
    assert shop.sql("SELECT row_no, LENGTH(record) FROM backdesk_import_rejects") == ((3, 0),)


def test_a_number_is_no_member(shop):
    """Of an ENUM or a SET: the server would take it for the place of one."""
    shop.sql("ALTER TABLE books ADD size ENUM('small', 'large') NULL, ADD code ENUM('10', '2', 'it''s') NULL,"
             " ADD flags SET('x', '2', '4') NULL")
    shop.import_("books")
    outcome = shop.take('title,size,code,flags\na,LARGE,2,2\nb,2,,\nc,0,,\nd,+1,,\ne,,1,\nf,,,1\ng,,it\'s,"4,x"\n'
                        'h,,,"2,1"\n')
    assert counts(outcome) == [8, 2, 0, 0, 6]
    assert shop.books("title, size, code, flags") == [("a", "large", "2", "2"), ("g", None, "it's", "x,4")]
    assert [r[:3] for r in rejected(outcome)] == [
        (n, column, "is no value that the column takes") for n, column in
        [(2, "size"), (3, "size"), (4, "size"), (5, "code"), (6, "flags"), (8, "flags")]]


def test_the_report_is_no_formula(shop):
    shop.import_("books")
    outcome = shop.take("title,n\n=cmd|x,y\n")
    assert outcome.data == (b"row,line,column,reason,record\r\n"
                            b"1,2,n,must be an integer from -128 to 127,\"'=cmd|x,y\"\r\n")


@pytest.mark.parametrize("data, code, words", [
    ("", "invalid_header", ["empty"]),
    ("title,title\n", "invalid_header", ["twice", "title"]),
    ("title,nonsense,\n", "invalid_header", ['"nonsense"', '""']),
    ("n\n1\n", "invalid_header", ["no column", "title"]),
    ("owner_id\n1\n", "invalid_header", ["title"]),
    ("title,n\n".encode("utf-16"), "invalid_file", ["UTF-16"]),
    (gzip.compress(b"title\n" + random.Random(1).randbytes(999))[:-9], "invalid_file", ["gzip"]),
    (gzip.compress(b"title\n" + b"a\n" * 50000), "invalid_file", ["expands"]),
    ("f" * 32, "upload_gone", []),
], ids=["empty", "twice", "unknown", "missing", "owner", "utf-16", "cut gzip", "bomb", "gone"])
def test_what_cannot_be_imported(shop, data, code, words):
    shop.import_("books", expanded_max="64KiB")
    outcome = shop.take(data)
    assert (outcome.end, outcome.code) == ("failed_final", code)
    assert all(word in outcome.message for word in words), outcome.message


def test_an_upload_is_its_owners(shop):
    shop.import_("books")
    assert shop.take(shop.upload(b"title\na\n", 2), owner=1).code == "upload_gone"


@pytest.mark.parametrize("statement, settings, words", [
    ("DROP TABLE books", {}, "no table books"),
    ("DROP TABLE backdesk_imports", {}, "ledger.sql"),
    ("ALTER TABLE books ENGINE = MyISAM", {}, "InnoDB"),
    ("ALTER TABLE books DROP owner_id", {}, "owner_id"),
    ("SELECT 1", {"more": 'column "gone" {}'}, "no column gone"),
])
def test_a_configuration_that_does_not_fit(shop, statement, settings, words):
    shop.import_("books", **settings)
    upload = shop.upload(b"title\na\n")
    shop.sql(statement)
    outcome = shop.take(upload)
    assert outcome.code == "invalid_import" and words in outcome.message, outcome.message


# --- duplicates ----------------------------------------------------------------------------------------

HELD = "INSERT INTO books (id, owner_id, title, isbn) VALUES (1, 1, 'mine', 'i1'), (2, 2, 'hers', 'i2'), (3, 1, 'me', 'i3')"
FILE = ("id,title,isbn\n"
        "1,new1,i1\n"  # mine
        "2,new2,x\n"   # hers by id
        ",new3,i2\n"   # hers by isbn
        "4,new4,i4\n"
        "4,new5,i5\n"  # as the one before
        "3,new6,i1\n"  # two of mine
        ",new7,\n"
        ",new8,i3\n")  # mine by isbn


@pytest.mark.parametrize("policy, want, books", [
    ("error", [8, 2, 0, 0, 6], [(1, 1, "mine"), (2, 2, "hers"), (3, 1, "me"), (4, 1, "new4"), (5, 1, "new7")]),
    ("skip", [8, 2, 0, 4, 2], [(1, 1, "mine"), (2, 2, "hers"), (3, 1, "me"), (4, 1, "new4"), (5, 1, "new7")]),
    ("replace", [8, 2, 3, 0, 3], [(1, 1, "new1"), (2, 2, "hers"), (3, 1, "new8"), (4, 1, "new5"), (5, 1, "new7")]),
])
@pytest.mark.parametrize("dry", [False, True])
def test_duplicates(shop, policy, want, books, dry):
    shop.import_("books")
    shop.sql(HELD)
    before = shop.books()
    outcome = shop.take(FILE, duplicates=policy, dry_run=dry)
    assert counts(outcome) == want
    if dry:
        assert shop.books() == before
    else:
        found = shop.books("id, owner_id, title")
        assert [b[1:] for b in found] == [b[1:] for b in books] and [b[0] for b in found[:4]] == [1, 2, 3, 4]
    foreign = [(r[0], r[1]) for r in rejected(outcome) if "somebody else" in r[2]]
    assert foreign == [(2, "id"), (3, "isbn")]


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_many_duplicates_are_found_together(shop, policy):
    """Through the stage: the same as one by one, also for a key that the server compares in its own way."""
    shop.import_("books", batch_rows=700)
    shop.sql("INSERT INTO books (owner_id, title, isbn) SELECT IF(seq % 50, 1, 2), 'old', CONCAT('ISBN', seq)"
             " FROM seq_2_to_3000_step_2")
    data = "title,isbn\n" + "".join(f"new{n},isbn{n} \n" for n in range(3001))
    outcome = shop.take(data, duplicates=policy)
    mine = 1500 - 60
    assert counts(outcome) == [3001, 1501, mine * (policy == "replace"), mine * (policy == "skip"), 60]
    assert shop.sql("SELECT owner_id, COUNT(*) FROM books WHERE title = 'old' GROUP BY owner_id ORDER BY owner_id") == (
        ((1, mine),) if policy == "skip" else ()) + ((2, 60),)
    assert [r[0] for r in rejected(outcome)] == list(range(51, 3002, 50))


# --- all or nothing --------------------------------------------------------------------------------------

def test_atomic(shop):
    shop.import_("books", atomic="yes")
    good = "title,n\n" + "a,1\n" * 5000
    outcome = shop.take(good + "b,x\n")
    assert (outcome.end, outcome.code) == ("failed_final", "too_many_rejected") and "row 5001, n" in outcome.message
    assert shop.books() == [] and shop.left() == [name for name in shop.left() if name.endswith(".upload")]
    assert counts(shop.take(good + "b,x\n", dry_run=True)) == [5001, 5000, 0, 0, 1]
    assert shop.books() == []
    assert counts(shop.take(good)) == [5000, 5000, 0, 0, 0]
    assert len(shop.books()) == 5000


def test_atomic_again_after_its_commit(shop):
    """As if its worker had died before it could tell: the report is there the second time too."""
    shop.import_("books", atomic="yes", rejected_max=5)
    upload = shop.upload(b"title,n\n" + b"a,1\n" * 20 + b"b,x\nc,y\n")
    first = shop.take(upload, options=["-f", "1"])
    assert counts(first) == [22, 20, 0, 0, 2]
    again = shop.take(upload, options=["-f", "2"])
    assert again.result == first.result and again.data == first.data and len(shop.books()) == 20


@pytest.mark.parametrize("rejects, position, done, rejected", [(3, 100, 1, 3), (15, 128, 0, 10)],
                         ids=["at the end", "before it"])
def test_too_many_rejected(shop, rejects, position, done, rejected):
    shop.import_("books", rejected_max=1, batch_rows=10)
    upload = shop.upload(b"title,n\n" + b"a,1\n" * 20 + b"b,x\n" * rejects)
    for fence in range(1, 4):  # the next attempt finds the file read to its end, or goes no further
        outcome = shop.take(upload, options=["-f", str(fence)])
        assert (outcome.end, outcome.code) == ("failed_final", "too_many_rejected")
        assert "row 21, n" in outcome.message and len(shop.books()) == 20
        assert shop.sql("SELECT position, done, rejected FROM backdesk_imports") == ((position, done, rejected),)


@pytest.mark.parametrize("settings, options, words, books", [
    ({}, {}, "the rows before line 26 are imported (1 of them were rejected)", 23),
    ({"atomic": "yes", "rejected_max": 5}, {}, "so nothing was imported", 0),
    ({}, {"dry_run": True}, "so nothing was imported", 0),
], ids=["batches", "atomic", "dry run"])
def test_a_quote_that_is_never_closed(shop, settings, options, words, books):
    """The rest of the file is no row that was rejected, however long it is."""
    shop.import_("books", batch_rows=10, row_max="4KiB", **settings)
    upload = shop.upload(b"title,n\n" + b"a,1\n" * 23 + b"b,x\n" + b'"c\nd","1\n' + b"e,1\n" * 5000)
    for fence in range(1, 4):
        outcome = shop.take(upload, options=["-f", str(fence)], **options)
        assert (outcome.end, outcome.code) == ("failed_final", "invalid_file")
        assert "in line 27" in outcome.message and words in outcome.message, outcome.message
        assert len(shop.books()) == books


# --- nothing twice ----------------------------------------------------------------------------------------

def many(count):
    """Rows of which one in seven is rejected, and one in eleven is there already."""
    lines = (f"{n},{n // 2 if n % 11 == 0 else n},{'x' if n % 7 == 0 else n % 100}" for n in range(count))
    return "title,isbn,n\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("compress", [False, True])
def test_kill_at_random_moments(shop, compress):
    """The same rows, counts and report as undisturbed, however often its worker dies."""
    shop.import_("books", batch_rows=100)
    data = many(5000).encode()
    data = gzip.compress(data) if compress else data
    calm = shop.take(data, duplicates="skip", options=["-i", "1"])
    table = shop.books("owner_id, title, isbn, n")
    assert counts(calm)[0] == 5000 and len(table) == counts(calm)[1] > 4000
    # slow enough that a look at the table tells how far it is
    shop.sql("TRUNCATE TABLE books", "CREATE TRIGGER slow BEFORE INSERT ON books FOR EACH ROW DO SLEEP(0.0001)")
    upload, dice, deaths = shop.upload(data), random.Random(compress), 0
    for fence, part in enumerate(sorted(dice.uniform(0, 0.8) for _ in range(8)), 1):
        process = shop.take(upload, duplicates="skip", options=["-i", "2", "-f", str(fence)], start=True)
        while process.poll() is None and shop.sql("SELECT COUNT(*) FROM books")[0][0] < part * len(table):
            pass
        process.kill()
        process.communicate()
        deaths += process.returncode == -signal.SIGKILL
    shop.sql("DROP TRIGGER slow")
    process = shop.take(upload, duplicates="skip", options=["-i", "2", "-f", "100"], start=True)
    again = shop.end(process)
    assert deaths > 2 and again.result == calm.result
    assert shop.books("owner_id, title, isbn, n") == table
    assert again.data == calm.data


@pytest.mark.parametrize("keep, known", [("30d", False), ("40d", True)])
def test_the_ledger_knows_as_long_as_uploads_are_kept(shop, keep, known):
    shop.import_("books")
    shop.exports.append(f'api {{ upload_keep = "{keep}" }}\n')
    upload = shop.upload(b"title,n\na,1\nb,x\n")
    first = shop.take(upload)
    shop.sql("UPDATE backdesk_imports SET changed_at = UTC_TIMESTAMP() - INTERVAL 40 DAY")
    for task in "2", "3":  # the first takes the rejects away, the next one the rest
        counts(shop.take("title\nanother\n", owner=2, options=["-i", task]))
    for table in "backdesk_imports", "backdesk_import_rejects":
        assert len(shop.sql(f"SELECT 1 FROM {table} WHERE upload = '{upload}'")) == known
    if known:
        again = shop.take(upload, options=["-f", "2"])
        assert again.result == first.result and again.data == first.data and len(shop.books()) == 3


def test_few_statements(shop, request):
    """One for a thousand rows where the server takes that; the server that does not sees to it that it is tested, too."""
    def inserts():
        return int(shop.sql("SHOW GLOBAL STATUS LIKE 'Com_insert'")[0][1])
    shop.import_("books", batch_rows=5000)
    data, before = "title\n" + "a\n" * 3000, inserts()
    assert counts(shop.take(data)) == [3000, 3000, 0, 0, 0]
    statements, bulk = inserts() - before, "bulk" in request.node.callspec.id
    assert statements < 10 if bulk else 10 <= statements < 40, statements


def test_a_trigger_that_inserts(shop):
    """Each row once, and what it leads to once (MDEV-24411)."""
    shop.sql("CREATE TABLE audit (title VARCHAR(20), n INT)",
             "CREATE TRIGGER noted BEFORE INSERT ON books FOR EACH ROW INSERT INTO audit VALUES (NEW.title, NEW.n)")
    shop.import_("books", batch_rows=5000)
    data = "title,n\n" + "".join(f"t{i},{i % 100}\n" for i in range(3000))
    assert counts(shop.take(data)) == [3000, 3000, 0, 0, 0]
    assert shop.sql("SELECT COUNT(*), COUNT(DISTINCT title), SUM(n) FROM books") == ((3000, 3000, 148500),)
    assert shop.sql("SELECT COUNT(*), COUNT(DISTINCT title), SUM(n) FROM audit") == ((3000, 3000, 148500),)


def test_cancel_and_retry(shop):
    shop.import_("books", batch_rows=100)
    upload = shop.upload(many(10000).encode())
    process = shop.take(upload, duplicates="skip", start=True)
    while not shop.sql("SELECT COUNT(*) FROM books")[0][0]:
        assert process.poll() is None
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert shop.end(process).end == "stopped" and time.monotonic() - begin < 1.5
    assert 0 < len(shop.books()) < 9000
    outcome = shop.take(upload, duplicates="skip", options=["-f", "2"])
    assert counts(outcome)[0] == 10000 and counts(outcome)[1] == len(shop.books())


def stopped_between(shop, process):
    """Stops it, unless it holds its line of the ledger just now: then the next one could not get in."""
    process.send_signal(signal.SIGSTOP)
    while shop.sql("SELECT 1 FROM information_schema.processlist WHERE db = 'site' AND command <> 'Sleep'"
                   " AND id <> CONNECTION_ID()"):
        pass  # the server still has a statement of it
    try:
        shop.sql("SELECT 1 FROM backdesk_imports FOR UPDATE NOWAIT")
    except pymysql.err.OperationalError:
        process.send_signal(signal.SIGCONT)
        return False
    return True


def test_a_superseded_worker_writes_nothing(shop):
    shop.import_("books", batch_rows=100)
    upload = shop.upload(many(10000).encode())
    process = shop.take(upload, duplicates="skip", options=["-f", "3"], start=True)
    while not shop.sql("SELECT COUNT(*) FROM books")[0][0]:
        assert process.poll() is None
    while not stopped_between(shop, process):
        assert process.poll() is None
    later = shop.take(upload, duplicates="skip", options=["-f", "4"], start=True)
    while len(shop.sql("SELECT 1 FROM backdesk_imports WHERE fence = 4")) == 0:
        assert later.poll() is None
    process.send_signal(signal.SIGCONT)
    assert shop.end(process).code == "superseded"
    outcome = shop.end(later)
    assert counts(outcome)[0] == 10000 and counts(outcome)[1] == len(shop.books())
    assert shop.take(upload, duplicates="skip", options=["-f", "3"]).code == "superseded"


def test_a_lost_connection(shop):
    shop.import_("books", batch_rows=100)
    process = shop.take(many(10000), duplicates="skip", start=True)
    killed = 0
    while not shop.sql("SELECT COUNT(*) FROM books")[0][0]:
        assert process.poll() is None
    while process.poll() is None and killed < 4:
        for number, in shop.sql("SELECT id FROM information_schema.processlist WHERE db = 'site'"
                                " AND id <> CONNECTION_ID()"):
            try:
                shop.sql(f"KILL {number}")
                killed += 1
            except Exception:  # gone already
                pass
        time.sleep(0.05)  # between two losses
    outcome = shop.end(process)
    assert killed and counts(outcome)[0] == 10000 and counts(outcome)[1] == len(shop.books())


def test_a_locked_row(shop):
    """Others' locks are waited for."""
    shop.import_("books")
    shop.sql(HELD)
    holder = shop.server.connect(shop.name, autocommit=False)
    holder.cursor().execute("UPDATE books SET title = 'held' WHERE id = 1")
    process = shop.take("id,title\n1,new\n", duplicates="replace", start=True)
    while not shop.sql("SELECT 1 FROM information_schema.innodb_lock_waits"):
        assert process.poll() is None
        time.sleep(0.2)  # the server refreshes the table only when nobody has just read it
    holder.commit()
    holder.close()
    assert counts(shop.end(process)) == [1, 0, 1, 0, 0]
    assert shop.books("title")[0] == ("new",)


# --- there and back -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [{}, {"null": "NULL", "binary": "hex", "formula_guard": "no"}])
def test_round_trip_of_every_type(site, settings):
    """Export, wipe, import, export: the same bytes."""
    site.make_ledger()
    mode = "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"
    values = max(len(v) for _, v in COLUMNS)
    names = ", ".join(f"c{i} {kind}{'' if 'NULL' in kind else ' NULL'}" for i, (kind, _) in enumerate(COLUMNS))
    site.sql(mode, f"CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, owner BIGINT, {names},"
                   " g INT GENERATED ALWAYS AS (owner + 1) STORED) ROW_FORMAT = DYNAMIC")
    for n in range(values):
        row = ", ".join(v[n] if n < len(v) else "NULL" for _, v in COLUMNS)
        site.sql(mode, f"INSERT INTO t VALUES ({n}, 1, {row}, DEFAULT)")
    site.export("t", "SELECT * FROM t WHERE owner = :owner", ["id"], **settings)
    site.import_("t", owner="owner", row_max="8MiB", **settings)
    first = site.run()
    site.sql("DELETE FROM t")
    outcome = site.run("csv_import", {"upload": site.upload(first.data)})
    assert counts(outcome) == [values, values, 0, 0, 0], rejected(outcome)
    again = site.run()
    assert again.data == first.data
    assert counts(site.run("csv_import", {"upload": site.upload(first.data), "duplicates": "replace"})) == [
        values, 0, values, 0, 0]
    assert site.run().data == first.data


def test_large_rows_in_flat_memory(shop, peak_limit_kib):
    shop.import_("books", formula_guard="no")
    shop.sql("ALTER TABLE books ADD body LONGTEXT, ADD data LONGBLOB")
    body, data = 'say "hi"\n' * 40000, b"\0\xff" * 150000
    row = '"' + body.replace('"', '""') + '",' + base64.b64encode(data).decode()
    outcome = shop.take("title,body,data\n" + f"a,{row}\n" * 20 + f"b,{row}x\n" * 3 + "c," + "y" * (3 << 20) + ",\n")
    assert counts(outcome) == [24, 20, 0, 0, 4]
    assert shop.sql("SELECT COUNT(*) FROM books WHERE body = %s AND data = %s" % ("REPEAT('say \"hi\"\n', 40000)",
                    "REPEAT(X'00FF', 150000)")) == ((20,),)
    assert not peak_limit_kib or outcome.peak_kib < peak_limit_kib, outcome.peak_kib


def test_many_rows_in_flat_memory(shop, peak_limit_kib):
    count = 200000 if peak_limit_kib else 20000
    shop.import_("books")
    data = "title,price,n,added\n" + "".join(f"title {n},{n % 1000}.50,{n % 100},2026-11-21 09:30:00\n"
                                             for n in range(count))
    outcome = shop.take(data)
    assert counts(outcome) == [count, count, 0, 0, 0]
    assert not peak_limit_kib or outcome.peak_kib < peak_limit_kib, outcome.peak_kib
    assert outcome.progress[-1][1:] == [len(data), len(data), "bytes"]
