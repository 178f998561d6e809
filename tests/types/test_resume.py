# SPDX-License-Identifier: MIT
"""Exports that are killed, and go on from their last checkpoint in another attempt: the file is the same to
the byte, and no checkpoint is trusted that is not whole and of this very export."""

import gzip
import hashlib
import os
import random
import shutil
import signal
import stat

import pytest

from stack import wait_until

ROWS = 4000
QUERY = "SELECT t.*, SLEEP(IF(t.id MOD 4, 0, pause)) AS s FROM t, pace WHERE pace.id = 1"
TYPES = ["csv_export", "html_export", "json_export"]


@pytest.fixture
def books(site):
    """An export with long and awkward values and a checkpoint very often. The table `pace` says how fast it
    is: slow for those that are to be killed."""
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(99), price DECIMAL(9,2), cover LONGBLOB)",
             "INSERT INTO t SELECT 3 * CAST(seq AS SIGNED) - 6000, IF(seq MOD 7, CONCAT('=\"', seq, '<,\n'), NULL), seq / 8,"
             f" IF(seq MOD 11, REPEAT(CHAR(seq MOD 256), seq MOD 40), NULL) FROM seq_1_to_{ROWS}",
             "UPDATE t SET cover = REPEAT('x', 3000000) WHERE id IN (-3000, 3000)",
             "CREATE TABLE pace (id INT PRIMARY KEY, pause DOUBLE)", "INSERT INTO pace VALUES (1, 0)")
    site.export("t", QUERY, ["id"], bom="yes", page_rows=50, count="none")
    site.checkpoint = "20ms"
    return site


def checkpoints(site):
    return sorted((site.files / "tmp").glob("*.ckpt"))


def set_pace(site, pause):
    site.sql(f"UPDATE pace SET pause = {pause}")


def start_slow(site, *args, **options):
    set_pace(site, 0.0001)
    return site.start(*args, **options)


def kill_after_checkpoint(site, type_name="csv_export", fence=1, number=signal.SIGKILL, after=None):
    """A run that is ended once it has a checkpoint, or when the file has AFTER bytes; what it printed."""
    process = start_slow(site, type_name, options=["-f", str(fence)])
    size = after or 1
    wait_until(lambda: process.poll() is not None or any(
        path.with_suffix(".part").exists() and path.with_suffix(".part").stat().st_size >= size
        for path in (site.files / "tmp").glob(f"1-{fence}-*.ckpt")), every=0.003)
    process.send_signal(number)
    set_pace(site, 0)
    return process.communicate(timeout=60)


@pytest.fixture
def undisturbed(books):
    """{type: the bytes}"""
    found = {}
    for type_name in TYPES:
        outcome = books.run(type_name)
        found[type_name] = outcome.data
        outcome.path.unlink()
    assert books.left() == []
    return found


def check(site, outcome, data):
    assert outcome.end == "success", (outcome.code, outcome.message, outcome.log)
    assert outcome.data == data
    assert (outcome.info["bytes"], outcome.info["rows"]) == (len(data), ROWS)
    assert outcome.info["sha256"] == hashlib.sha256(data).hexdigest()
    assert site.left() == [outcome.info["path"]]


def gone_on(outcome):
    """Behind which row, None where the run began at the beginning."""
    rows = [line.split("row ")[1].split(",")[0] for line in outcome.log if line.startswith("going on behind row")]
    return int(rows[0]) if rows else None


@pytest.mark.parametrize("type_name", TYPES)
def test_killed_again_and_again(books, undisturbed, type_name):
    dice = random.Random(type_name)
    size = len(undisturbed[type_name])
    fence = 0
    for part in sorted(dice.uniform(0, 0.9) for _ in range(5)):
        fence += 1
        kill_after_checkpoint(books, type_name, fence, after=int(size * part))
    outcome = books.run(type_name, options=["-f", str(fence + 1)])
    check(books, outcome, undisturbed[type_name])
    row = gone_on(outcome)
    assert row and row < ROWS
    assert outcome.progress[0][1] == row


def test_a_gzip_file_goes_on_behind_a_member(books):
    """Nobody can go on within a member, so it takes one whole member of 16 MiB until there is a checkpoint."""
    books.sql("UPDATE t SET cover = REPEAT('y', 400000) WHERE id MOD 60 = 0")
    undisturbed = books.run(data={"gzip": True})
    data = undisturbed.data
    undisturbed.path.unlink()
    process = start_slow(books, data={"gzip": True}, options=["-f", "1"])
    wait_until(lambda: checkpoints(books), every=0.003)
    process.kill()
    process.communicate(timeout=60)
    set_pace(books, 0)
    outcome = books.run(data={"gzip": True}, options=["-f", "2"])
    check(books, outcome, data)
    assert 0 < gone_on(outcome) < ROWS
    assert len(gzip.decompress(data)) > 2 * 16 * 2**20


def test_a_stopped_one_notes_where_it_is(books, undisturbed):
    out, _ = kill_after_checkpoint(books, number=signal.SIGTERM)
    assert '"end": "stopped"' in out
    files = {name.rsplit(".", 1)[1] for name in books.left()}
    assert files == {"part", "ckpt"}
    size = max(path.stat().st_size for path in books.files.rglob("*.part"))
    outcome = books.run(options=["-f", "2"])
    check(books, outcome, undisturbed["csv_export"])
    assert undisturbed["csv_export"][:size].count(b"\r\n") - 1 == gone_on(outcome)


def test_a_row_with_the_key_of_the_last_one_is_not_left_out(books):
    kill_after_checkpoint(books, number=signal.SIGTERM)
    part, = books.files.rglob("*.part")
    rows = part.read_bytes().count(b"\r\n") - 1
    books.sql("ALTER TABLE t DROP PRIMARY KEY, ADD KEY (id)", ("INSERT INTO t (id) VALUES (%s)", (3 * rows - 6000,)))
    outcome = books.run(options=["-f", "2"])
    assert gone_on(outcome) == rows
    assert (outcome.end, outcome.code) == ("failed_final", "invalid_key"), outcome.message


def test_a_sleeper_that_wakes_up_changes_nothing(books, undisturbed):
    """A worker is stopped, another attempt takes over, and the first one goes on to its own end."""
    sleeper = start_slow(books, options=["-f", "1"])
    wait_until(lambda: checkpoints(books), every=0.003)
    sleeper.send_signal(signal.SIGSTOP)
    other = books.start(options=["-f", "2"])
    wait_until(lambda: any("1-2-" in path.name for path in checkpoints(books)), every=0.003)
    sleeper.send_signal(signal.SIGCONT)
    outcome, late = books.end(other), books.end(sleeper)
    assert gone_on(outcome)
    assert outcome.data == undisturbed["csv_export"]
    # its unfinished file was taken away meanwhile: it has nothing to publish
    assert late.end == "failed" and late.code == "storage_failed", late.message
    assert [name for name in books.left() if not name.endswith(".ckpt")] == [outcome.info["path"]]


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def part_of(path):
    return path.with_suffix(".part")


DAMAGE = {
    "a byte of the checkpoint": (lambda path: flip(path, 40), "not those that were written"),
    "another version": (lambda path: flip(path, 20), "of another version"),
    "an empty checkpoint": (lambda path: path.write_bytes(b""), "no checkpoint"),
    "a cut checkpoint": (lambda path: os.truncate(path, path.stat().st_size - 1), "not those that were written"),
    "a huge checkpoint": (lambda path: os.truncate(path, 1 << 30), "no checkpoint"),
    "a byte of the file": (lambda path: flip(part_of(path), 100), "not what it was"),
    "a short file": (lambda path: os.truncate(part_of(path), 1000), "too short"),
    "no file": (lambda path: part_of(path).unlink(), "cannot be opened"),
    "a link": (lambda path: (part_of(path).unlink(), part_of(path).symlink_to("/etc/passwd")), "cannot be opened"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "cannot be opened"),
    "a directory": (lambda path: (part_of(path).unlink(), part_of(path).mkdir()), "cannot be opened"),
}


@pytest.fixture
def beginning(books):
    """The files of a killed run, to be had again and again."""
    kill_after_checkpoint(books)
    kept = books.directory / "kept"
    shutil.copytree(books.files / "tmp", kept)
    return kept


def test_what_is_damaged_is_not_used(books, undisturbed, beginning):
    for name, (damage, message) in DAMAGE.items():
        shutil.rmtree(books.files / "tmp")
        shutil.copytree(beginning, books.files / "tmp")
        damage(checkpoints(books)[0])
        outcome = books.run(options=["-f", "2"])
        assert gone_on(outcome) is None, name
        assert outcome.data == undisturbed["csv_export"], name
        assert any("claim 1 is not used" in line and message in line for line in outcome.log), (name, outcome.log)
        outcome.path.unlink()
        for left in books.left():
            assert stat.S_ISREG(os.lstat(books.files / left).st_mode) is False or name == "no file", (name, left)


def test_what_belongs_to_something_else_is_not_used(books, beginning):
    def run(type_name="csv_export", options=("-f", "2"), **more):
        shutil.rmtree(books.files)
        shutil.copytree(beginning, books.files / "tmp")
        outcome = books.run(type_name, options=list(options), **more)
        assert outcome.end == "success"
        return gone_on(outcome)

    def changed(**settings):
        before, books.exports = books.exports, []
        settings = {"bom": "yes", "query": QUERY, "page_rows": 50, **settings}
        books.export("t", settings.pop("query"), ["id"], count="none", **settings)
        row = run()
        books.exports = before
        return row

    assert run()
    assert run(options=["-f", "1"]) is None  # only what earlier claims have left
    assert run(options=["-f", "2", "-i", "2"]) is None
    assert run("html_export") is None
    assert run(owner=2) is None
    assert run(data={"export": "t"}) is None
    assert changed() and changed(filename="other") and changed(null="") and changed(page_rows=70)
    assert changed(query=QUERY + " AND t.id > 0") is None
    assert changed(bom="no") is None
    assert changed(null="NULL") is None
    assert changed(binary="hex") is None
    assert changed(formula_guard="no") is None
    assert changed(title="other") is None
    assert changed(snapshot="yes") is None
    books.sql("ALTER TABLE t MODIFY name VARCHAR(98)")
    assert run() is None


def test_without_a_key_or_switched_off_there_is_none(books):
    books.exports.clear()
    books.export("t", QUERY, count="none")
    assert books.run().end == "success" and len(books.left()) == 1
    books.exports.clear()
    books.export("t", QUERY, ["id"], count="none")
    books.checkpoint = "0"
    process = start_slow(books)
    books.wait_for_rows(process, 200000)
    process.terminate()
    assert books.end(process).end == "stopped"
    set_pace(books, 0)
    assert len(books.left()) == 1  # the file of before


def test_rows_that_change_meanwhile(books):
    """None twice, and none is left out that was there all the time."""
    kill_after_checkpoint(books)
    books.sql("DELETE FROM t WHERE id MOD 2 = 0", "INSERT INTO t SELECT id + 1, 'new', 1, NULL FROM t WHERE id > 3000")
    outcome = books.run(options=["-f", "2"])
    assert gone_on(outcome)
    lines = outcome.data.decode("utf-8-sig").split("\r\n")
    ids = [int(line.split(",", 1)[0]) for line in lines[1:-1]]
    assert ids == sorted(set(ids)) and ids[-1] == 6000 - 3 + 1


def test_a_failed_query_goes_on(books, undisturbed):
    """An attempt that fails by itself is tried again like any other."""
    process = start_slow(books)
    wait_until(lambda: checkpoints(books), every=0.003)
    books.sql("UPDATE pace SET pause = 0", "RENAME TABLE t TO u")
    failed = books.end(process)
    books.sql("RENAME TABLE u TO t")
    assert (failed.end, failed.code) == ("failed", "query_failed")
    outcome = books.run(options=["-f", "2"])
    assert gone_on(outcome)
    check(books, outcome, undisturbed["csv_export"])
