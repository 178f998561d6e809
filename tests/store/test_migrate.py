# SPDX-License-Identifier: MIT
"""Migrations: once, in order, by one at a time, and picked up where a crash left them."""

import time

from stack import wait_until

from store.conftest import SOURCE

FILES = sorted(path.name for path in (SOURCE / "sql").glob("[0-9]*.sql"))


def tables(database):
    return {name for name, in database.sql("SHOW TABLES")}


def test_all_files_are_applied_once(bare):
    first = bare.migrate().stdout
    assert [line.split()[1].rstrip(":") for line in first.splitlines()] == FILES
    assert first.count(": applied") == len(FILES)
    again = bare.migrate().stdout
    assert again.count(": already applied") == len(FILES)
    recorded = bare.sql("SELECT version, file, LENGTH(checksum), applied_at IS NOT NULL FROM schema_version"
                        " ORDER BY version")
    assert recorded == [(i, name, 64, 1) for i, name in enumerate(FILES, 1)]


def test_a_dry_run_changes_nothing(bare):
    assert bare.migrate(SOURCE / "sql", "--dry-run").stdout.count("would be applied") == len(FILES)
    assert tables(bare) == set()
    bare.migrate()
    before = tables(bare)
    assert bare.migrate(SOURCE / "sql", "--dry-run").stdout.count("already applied") == len(FILES)
    assert tables(bare) == before


def test_many_at_once(bare):
    running = [bare.start_migration(SOURCE / "sql") for _ in range(4)]
    said = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    applied = sum(out.count(": applied") for out, _ in said)
    assert applied == len(FILES), said
    assert bare.value("SELECT COUNT(*) FROM schema_version WHERE applied_at IS NOT NULL") == len(FILES)


def test_a_changed_file_is_refused(bare, sql_copy):
    bare.migrate(sql_copy)
    for name in FILES:
        path = sql_copy / name
        text = path.read_text()
        path.write_text(text + "\n-- a remark\n")
        done = bare.migrate(sql_copy, check=False)
        assert done.returncode != 0
        assert name in done.stderr and "changed" in done.stderr
        path.write_text(text)
    bare.migrate(sql_copy)


def test_a_missing_file_and_one_too_many_are_refused(bare, sql_copy):
    (sql_copy / FILES[0]).rename(sql_copy / "kept")
    assert "missing" in bare.migrate(sql_copy, check=False).stderr
    (sql_copy / "kept").rename(sql_copy / FILES[0])
    (sql_copy / f"{len(FILES) + 1:04}_more.sql").write_text("CREATE TABLE more (id INT PRIMARY KEY);\n")
    done = bare.migrate(sql_copy, check=False)
    assert done.returncode != 0 and str(len(FILES)) in done.stderr
    assert tables(bare) == set()


def test_a_newer_schema_is_refused(bare):
    bare.migrate()
    bare.sql("INSERT INTO schema_version (version, file, checksum, applied_at)"
             " VALUES (%s, 'x', REPEAT('0', 64), UTC_TIMESTAMP(6))", (len(FILES) + 1,))
    done = bare.migrate(check=False)
    assert done.returncode != 0 and "newer" in done.stderr
    bare.grant()
    error = bare.driver("api").refused("ERR_CONFLICT", "check")
    assert "newer" in str(error)
    bare.end_drivers()


def test_a_program_says_that_it_needs_a_migration(bare):
    with bare.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"GRANT SELECT ON {bare.name}.* TO backdesk_api@localhost")
    assert "no tables of Backdesk: run taskctl migrate" in str(bare.driver("api").refused("ERR_CONFLICT", "check"))
    bare.migrate()
    bare.grant()
    bare.sql("UPDATE schema_version SET applied_at = NULL WHERE version = %s", (len(FILES),))
    assert "taskctl migrate" in str(bare.driver("runner").refused("ERR_CONFLICT", "check"))
    bare.end_drivers()


def test_a_crash_between_two_statements(bare, sql_copy):
    """kill -9 in the middle of a file: the next run goes on behind the last statement."""
    path = sql_copy / FILES[0]
    statements = path.read_text().split(";\n")
    statements.insert(2, "DO GET_LOCK('migration-test', 60)")
    path.write_text(";\n".join(statements))
    with bare.connect() as held, held.cursor() as cursor:
        cursor.execute("DO GET_LOCK('migration-test', 0)")
        process = bare.start_migration(sql_copy)
        wait_until(lambda: bare.sql("SELECT 1 FROM information_schema.processlist"
                                    " WHERE info LIKE 'DO GET_LOCK%'"), 20)
        process.kill()
        process.communicate()
        assert bare.sql("SELECT statements, applied_at FROM schema_version") == [(2, None)]
        # somebody else waits for the first one's connection to end, not for 120 s
        begin = time.monotonic()
        cursor.execute("DO RELEASE_LOCK('migration-test')")
        bare.migrate(sql_copy)
        assert time.monotonic() - begin < 20
    assert bare.value("SELECT COUNT(*) FROM schema_version WHERE applied_at IS NOT NULL") == len(FILES)


def test_a_statement_that_fails_is_named(bare, sql_copy):
    path = sql_copy / FILES[-1]
    good = path.read_text()
    path.write_text(good + "\nCREATE TABLE tasks (id INT);\n")
    done = bare.migrate(sql_copy, check=False)
    assert done.returncode != 0
    assert path.name in done.stderr and "statement" in done.stderr and "already exists" in done.stderr
    # what ran stays recorded; the file cannot be changed any more behind the database's back
    path.write_text(good)
    assert "changed" in bare.migrate(sql_copy, check=False).stderr


def test_one_that_waits_too_long_is_told(bare):
    """Another migration holds the lock: a second one waits for it."""
    bare.migrate()
    with bare.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("UPDATE schema_lock SET id = 1 WHERE id = 1")
        process = bare.start_migration(SOURCE / "sql")
        wait_until(bare.lock_waits, 20)
        assert process.poll() is None
        other.rollback()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "already applied" in out


def test_making_tables_gives_nobody_rights(bare):
    """Everything above ran with the rights that sql/grants.sql names for it; the other accounts reach
    nothing until they are given theirs."""
    bare.migrate()
    driver = bare.driver("api")
    error = driver.refused("ERR_DENIED", "check")
    assert error.number in (1044, 1142), error.number
    bare.end_drivers()


def test_taskctl_says_where_the_files_should_be(bare, tmp_path):
    done = bare.migrate(tmp_path / "nowhere", check=False)
    assert done.returncode != 0 and "nowhere" in done.stderr
