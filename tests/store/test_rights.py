# SPDX-License-Identifier: MIT
"""The accounts have the rights of sql/grants.sql: all that the statements of their role need, none more."""

import re

import pytest

from store.conftest import ACCOUNTS, SOURCE, StoreError

GRANT = re.compile(r"^GRANT ([A-Z, ]+) ON backdesk\.(\w+) TO '(\w+)'@'localhost';", re.M)
# MySQL wants it for SELECT ... FOR UPDATE, MariaDB does not.
FOR_LOCKS = [(ACCOUNTS["runner"], "type_control", "UPDATE")]
RIGHTS = [(account, table, right) for rights, table, account in GRANT.findall((SOURCE / "sql/grants.sql").read_text())
          for right in rights.split(", ")]


@pytest.mark.parametrize("role", ["api", "runner"])
def test_every_statement_of_a_role_prepares(database, role):
    database.driver(role)("check")


def test_the_file_is_read_whole():
    assert {account for account, _, _ in RIGHTS} == {ACCOUNTS["api"], ACCOUNTS["runner"]}
    assert len(RIGHTS) > 20


def test_none_of_the_rights_is_idle(database):
    """Without any single one of them the role's statements do not all prepare."""
    roles = {account: role for role, account in ACCOUNTS.items()}
    idle = []
    for account, table, right in RIGHTS:
        place = f"{database.name}.{table}"
        database.sql(f"REVOKE {right} ON {place} FROM {account}@localhost")
        try:
            database.driver(roles[account])("check")
            idle.append((account, table, right))
        except StoreError as error:
            assert error.code == "ERR_DENIED", (account, table, right, error)
        finally:
            database.sql(f"GRANT {right} ON {place} TO {account}@localhost")
            database.end_drivers()
    assert idle == FOR_LOCKS


@pytest.mark.parametrize("role, statement", [
    ("api", "INSERT INTO runners (worker, host, pid, version, types, slots, lease_usec)"
            " VALUES ('x', 'x', 1, 'x', '[]', 1, 1)"),
    ("api", "INSERT INTO csv_export (filename, owner_id, task_id, path) VALUES ('x', 1, 1, 'x')"),
    ("api", "UPDATE csv_export SET owner_id = 2"),
    ("api", "INSERT INTO attempts (task_id, fence, attempt, outcome) VALUES (1, 1, 1, 'success')"),
    ("api", "SELECT path FROM file_trash"),
    ("runner", "INSERT INTO tasks (type, data, created_by) VALUES ('t', '{}', 1)"),
    ("runner", "SELECT hash FROM api_tokens"),
    ("runner", "UPDATE schema_version SET version = 7"),
    ("runner", "DROP TABLE tasks"),
])
def test_what_an_account_must_not_do(database, role, statement):
    with database.server.connect(database.name, user=ACCOUNTS[role], password="secret") as connection:
        with pytest.raises(Exception) as caught, connection.cursor() as cursor:
            cursor.execute(statement)
    assert caught.value.args[0] in (1142, 1143), caught.value
