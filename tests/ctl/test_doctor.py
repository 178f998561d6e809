# SPDX-License-Identifier: MIT
"""taskctl doctor: nothing wrong on a sound stack, and each fault by its line, its value and the exit status."""

import re
import shutil
from contextlib import contextmanager

import pytest

LINE = re.compile(r"^(ok|note|WRONG) +(\S.*?)  +(.+)$")


def doctor(stack, config=None):
    """({what: (how, text)}, exit status)"""
    done = stack.taskctl("doctor", config=config, check=False)
    *lines, total = done.stdout.splitlines()
    found = {}
    for line in lines:
        how, what, text = LINE.match(line).groups()
        if what not in found or found[what][0] == "ok":  # of several lines on one thing the first that complains
            found[what] = (how, text)
    wrong = sum(line.startswith("WRONG") for line in lines)
    assert re.fullmatch(rf"\d+ ok, \d+ to note, {wrong} wrong", total), done.stdout
    assert done.returncode == (1 if wrong else 0), done.stdout
    return found


def wrong(found):
    return {what for what, (how, _) in found.items() if how == "WRONG"}


@contextmanager
def server_setting(stack, name, value):
    before, = stack.root_sql(f"SELECT @@global.{name}")[0]
    stack.root_sql(f"SET GLOBAL {name} = %s", [value])
    try:
        yield
    finally:
        stack.root_sql(f"SET GLOBAL {name} = %s", [before])


def test_a_sound_stack(stack):
    found = doctor(stack)
    assert wrong(found) == set(), found
    assert {"isolation", "binary log", "durability", "packet", "connections", "memory", "clock", "runners", "paused", "claim plans",
            "indexes", "history", "open views", "files", "space", "doorbell", "rows of files", "pool", "rights of api",
            "rights of runner", "account api", "account runner", "source site", "source site_import",
            "backup site"} <= set(found)
    assert found["doorbell"][1].endswith(": runners of this host that listen: 1")
    assert found["pool"][1].startswith("processes: 1; in each threads: ")
    assert re.fullmatch(r"the account gets in; statements that prepare: \d+", found["source site"][1])
    assert found["backup site"][1] == "the account gets in"
    assert "1 alive" in found["runners"][1]


@pytest.mark.parametrize("name, value, what, said", [
    ("innodb_flush_log_at_trx_commit", 2, "durability", "= 2: a task that was acknowledged is lost when the machine stops"),
    ("innodb_flush_log_at_trx_commit", 0, "durability", "= 0: .* when the server or the machine stops"),
    ("read_only", 1, "writable", "read_only = ON: no task can be created"),
    ("max_allowed_packet", 1048576, "packet", "max_allowed_packet = 1 MiB: .* need 16 MiB"),
    # for everybody but root: the session's clock stands still an hour ago
    ("init_connect", "SET timestamp = 1700000000", "clock", r"the database is \d+\.\d+ s behind this host: "),
])
def test_a_setting_of_the_server(stack, name, value, what, said):
    with server_setting(stack, name, value):
        how, text = doctor(stack)[what]
    assert how == "WRONG" and re.search(said, text), (how, text)


@pytest.mark.parametrize("connections, how", [(11, "ok"), (14, "note"), (18, "WRONG")])
def test_connections_that_the_pool_may_open(stack, connections, how):
    """These, one that all lookups share, and three of a runner; the server has twenty."""
    config = stack.variant("doctor", {"api.database_connections": connections})
    stack.root_sql("FLUSH STATUS")  # however many earlier tests have used
    with server_setting(stack, "max_connections", 20):
        found = doctor(stack, config)["connections"]
    assert found[0] == how and "max_connections = 20, most ever used" in found[1], found
    assert f"a pool may open {1 + connections}" in found[1]


def test_a_setting_of_the_configuration(stack, tmp_path):
    config = stack.variant("doctor", {
        "files.directory": f'"{tmp_path}/none"', "runner.doorbell": '"/tmp"', "api.processes": 200,
        "api.threads": 2, "api.database_connections": 2})
    found = doctor(stack, config)
    assert {"files", "doorbell", "connections"} <= wrong(found)
    assert "No such file or directory: make it" in found["files"][1]
    assert "chmod o-w" in found["doorbell"][1]
    assert found["pool"][0] == "note" and "api.threads = 2" in found["pool"][1]
    found = doctor(stack, stack.variant("doctor", {"runner.user": '"nobdy"'}))
    assert re.search(r"doctor\.conf:\d+: there is no account nobdy: taskrunner does not start", found["runner user"][1])


def test_indexes_that_somebody_changed(stack):
    """Without the claim's index nothing can be prepared. With one of its name that yields no order everything
    can, and every claim sorts all that waits."""
    stack.stop_own_runner()
    create, = re.findall(r"KEY `claim` \((.*?)\)", stack.sql("SHOW CREATE TABLE tasks")[0][1])
    stack.sql("ALTER TABLE tasks DROP KEY claim")
    try:
        found = doctor(stack)
        assert {"account api", "account runner", "claim plans", "runners"} <= wrong(found)
        assert "claim" in found["account runner"][1]
        assert "none is alive" in found["runners"][1]

        stack.sql("ALTER TABLE tasks ADD KEY claim (status), ADD KEY more (updated_on)")
        stack.sql("INSERT INTO tasks (type, data, created_by) SELECT 'parked', '{}', 1 FROM seq_1_to_20")
        found = doctor(stack)
        assert "claim plans" in wrong(found) and "filesort" in found["claim plans"][1]
        assert found["indexes"][0] == "note" and "more" in found["indexes"][1]
    finally:
        stack.sql("DELETE FROM tasks WHERE type = 'parked'")
        stack.sql(f"ALTER TABLE tasks DROP KEY IF EXISTS claim, DROP KEY IF EXISTS more, ADD KEY claim ({create})")
        stack.start()


def test_rights(stack):
    """One that is missing stops the daemon; one too many helps whoever breaks in."""
    stack.root_sql("REVOKE SELECT ON backdesk.api_tokens FROM backdesk_api@localhost")
    stack.root_sql("GRANT DROP ON backdesk.* TO backdesk_runner@localhost")
    stack.root_sql("REVOKE PROCESS ON *.* FROM backdesk_migration@localhost")
    for place in ("`test`", r"`test\_%`"):  # as MariaDB's installation does
        stack.root_sql(f"GRANT ALL ON {place}.* TO PUBLIC")
    try:
        found = doctor(stack)
        stack.root_sql("GRANT DROP ON backdesk.* TO PUBLIC")
        everybodys = doctor(stack)["rights of api"]
    finally:
        stack.root_sql("REVOKE ALL, GRANT OPTION FROM PUBLIC")
        stack.root_sql("GRANT SELECT ON backdesk.api_tokens TO backdesk_api@localhost")
        stack.root_sql("REVOKE DROP ON backdesk.* FROM backdesk_runner@localhost")
        stack.root_sql("GRANT PROCESS ON *.* TO backdesk_migration@localhost")
    assert wrong(found) == {"account api"}
    assert "TOKEN_FIND" in found["account api"][1] and "sql/grants.sql" in found["account api"][1]
    assert found["rights of runner"][0] == "note" and "(DROP)" in found["rights of runner"][1]
    assert found["rights of api"][0] == "ok"
    assert everybodys[0] == "note" and everybodys[1].startswith("PUBLIC may more than it needs (DROP)"), everybodys
    assert found["open views"] == ("note", found["open views"][1]) and "GRANT PROCESS" in found["open views"][1]


def test_what_no_runner_takes(stack):
    """By plain SQL any name can come in: it waits for ever, and behind it nobody looks. A pause is meant."""
    names = [f"misspelt{i}" for i in range(7)]
    stack.sql(f"INSERT INTO tasks (type, data, created_by) VALUES {', '.join(['(%s, %s, 1)'] * 7)}",
              [value for name in names for value in (name, "{}")])
    try:
        how, text = doctor(stack)["waiting"]
        assert how == "WRONG" and re.search(r'type ("misspelt\d", ){4}"misspelt\d" and 2 more, the first for \d+ s, and no '
                                            'living runner takes these types', text), text
        stack.sql("DELETE FROM tasks WHERE type LIKE 'misspelt_' AND type <> 'misspelt3'")
        assert re.search('type "misspelt3", .* no living runner takes this type', doctor(stack)["waiting"][1])
        stack.sql("INSERT INTO type_control (type, paused_at) VALUES ('misspelt3', '2026-01-02 03:04:05.6')")
        found = doctor(stack)
        assert wrong(found) == set()
        assert found["paused"] == ("note", "misspelt3 since 2026-01-02T03:04:05Z, 1 wait: taskctl resume misspelt3")
    finally:
        stack.sql("DELETE FROM tasks WHERE type LIKE 'misspelt_'")
        stack.sql("DELETE FROM type_control WHERE type = 'misspelt3'")


def test_files_that_are_gone(stack):
    task = stack.finish(stack.create("csv_export", {"export": "books"})["id"])
    path, = stack.sql("SELECT path FROM csv_export WHERE task_id = %s", [task["id"]])[0]
    shutil.move(stack.shared_dir / path, stack.shared_dir / "elsewhere")
    try:
        found = doctor(stack)
        (stack.shared_dir / path).symlink_to(stack.shared_dir / path)  # nobody can say what is there, not even root
        hidden = doctor(stack)
    finally:
        shutil.move(stack.shared_dir / "elsewhere", stack.shared_dir / path)
    assert wrong(found) == wrong(hidden) == {"rows of files"}
    assert f"name a file that is not there, the first {path}: " in found["rows of files"][1]
    assert f"cannot be looked at, the first {path}: Too many levels" in hidden["rows of files"][1]


def test_no_database(stack):
    """Said once, with the setting, not for each account and each check."""
    config = stack.variant("doctor", {"database.socket": '"/nowhere/mysql.sock"'})
    found = doctor(stack, config)
    assert wrong(found) == {"database"}
    line = config.read_text().split('    socket = "/nowhere')[0].count("\n") + 1
    assert found["database"][1].endswith(
        f"(2002): does the server run, and is database socket ({config}:{line}) right?")
    assert found["files"][0] == "ok" and found["source site"][0] == "ok"


CONNECTIONS = [
    # what is wrong, the line that says so, the setting in it
    ({'account "api".password': '"wrong"'}, {"account api"}, r'\(1045\): user or password of account "api" \(.*:\d+\)'),
    ({"database.name": '"nowhere"'}, {"account api", "account runner", "account migration"},
     r"\(1044\): is database name \(.*:\d+\) right, and have taskctl migrate and sql/grants.sql been run"),
    ({'source "site".password': '"wrong"'}, {"source site"}, r'user or password of source "site" \(.*:\d+\)'),
    ({'source "site".socket': '"/nowhere"'}, {"source site"}, r'is source "site" socket \(.*:\d+\) right'),
    ({'source "site".database': '"nowhere"'}, {"source site"}, r'is source "site" database \(.*:\d+\) right'),
    ({'backup "site".password': '"wrong"'}, {"backup site"}, r'user or password of backup "site" \(.*:\d+\)'),
    ({'export "books".query': '"SELECT id FROM nothing WHERE owner_id = :owner"'}, {"export books"},
     r"conf:\d+: prepare: Table '.*nothing' doesn't exist \(1146\): correct query"),
    ({'export "books".query': '"SELECT id FRM books\n\tWHERE owner_id = :owner"'}, {"export books"},
     r"near 'books  WHERE owner_id = \?.*\(1064\): correct query"),
    ({'export "books".key': '{"nothing"}'}, {"export books"}, r"Unknown column 'page.nothing'"),
    ({'import "books".table': '"nothing"'}, {"import books"}, r"conf:\d+: .* \(1142\): .*give the target's account"),
]


@pytest.mark.parametrize("changes, lines, said", CONNECTIONS, ids=[" ".join(row[0]) for row in CONNECTIONS])
def test_what_does_not_get_in(stack, changes, lines, said):
    """Each where it is set, with the remedy, and nothing else with it."""
    found = doctor(stack, stack.variant("doctor", changes))
    assert wrong(found) == lines
    assert all(re.search(said, found[line][1]) for line in lines), found


def test_it_takes_no_arguments(stack):
    assert stack.taskctl("doctor", "now", check=False).returncode == 2
