# SPDX-License-Identifier: MIT
"""The store's tables as tests read them: the moves of states.def, the texts of statements.def."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]


def without_comments(path):
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)


def states():
    """{name: whether it has ended}, in the order of the table."""
    text = without_comments(SOURCE / "include/store/states.def")
    return {name: ended == "1" for name, ended in re.findall(r"^STATE\((\w+), (\d)\)", text, re.M)}


def moves():
    """{(event, from): to}"""
    text = without_comments(SOURCE / "include/store/states.def")
    return {(event, start): end for event, start, end in re.findall(r"^MOVE\((\w+), (\w+), (\w+),", text, re.M)}


def statement(name, count=1):
    """The SQL of a statement that is made of nothing but strings, its {group|separator} written COUNT times."""
    text = without_comments(SOURCE / "tasks/store/statements.def")
    body = re.search(rf"^STATEMENT\({name}, [^,]*,(.*?)\)$", text, re.M | re.S)[1]
    assert not re.sub(r'"(?:[^"\\]|\\.)*"|\s', "", body), f"{name} has macros in it"
    sql = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', body))
    return re.sub(r"\{([^|}]*)\|?([^}]*)\}", lambda found: (found[2] or ", ").join([found[1]] * count), sql)
