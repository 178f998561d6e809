# SPDX-License-Identifier: MIT
"""The formats as these tests understand them, written without a look at the program's own code."""

import base64
import csv
import re
from html.parser import HTMLParser

csv.field_size_limit(1 << 30)

BINARY, BIT = 63, 16
STRINGS = {15, 247, 248, 249, 250, 251, 252, 253, 254}  # VARCHAR, ENUM, SET, BLOBs, STRING


def read(site, query, *args):
    """Names, kinds (text, bytes, bit or plain) and values of a query as the server itself writes them:
    str, bytes or None; no conversion on this side."""
    with site.server.connect(site.name, conv={}) as connection, connection.cursor() as cursor:
        cursor.execute(query, args)
        kinds = []
        for field in cursor._result.fields:
            if field.type_code == BIT:
                kinds.append("bit")
            elif field.type_code in STRINGS or field.type_code == 255:
                kinds.append("bytes" if field.charsetnr == BINARY else "text")
            else:
                kinds.append("plain")
        return [d[0] for d in cursor.description], kinds, cursor.fetchall()


def shown(value, kind):
    """A value as text, whatever the format."""
    if value is None:
        return None
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "bit":
        return str(int.from_bytes(value, "big"))
    return value.decode("ascii") if isinstance(value, bytes) else value


def csv_field(text, kind="text", guard=False):
    if text is None:
        return ""
    if guard and kind == "text" and re.match(r"'*[=+\-@\t\r\n]", text):
        text = "'" + text
    large = kind == "text" and len(text.encode()) > 8192
    if text == "" or large or any(c in text for c in '",\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_file(names, kinds, rows, guard=False):
    lines = [[csv_field(n) for n in names]]
    lines += [[csv_field(shown(v, k), k, guard) for v, k in zip(row, kinds)] for row in rows]
    return "".join(",".join(line) + "\r\n" for line in lines).encode()


class Table(HTMLParser):
    """What a reader of the document sees: header cells, rows of cells (None for NULL), texts."""

    VOID = {"meta", "link", "br", "hr", "col"}

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.head, self.rows, self.open, self.texts, self.attributes = [], [], [], {}, []
        self.text = None
        self.feed(data.decode("utf-8"))
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.attributes.append((tag, dict(attrs)))
        if tag in self.VOID:
            return
        self.open.append(tag)
        if tag == "tr" and "tbody" in self.open:
            self.rows.append([])
        self.text = ""

    def handle_data(self, data):
        if self.text is not None:
            self.text += data

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "th":
            self.head.append(self.text)
        elif tag == "td":
            is_null = self.attributes[-1][1].get("class") == "null"
            assert not is_null or self.text == "NULL"
            self.rows[-1].append(None if is_null else self.text)
        else:
            self.texts.setdefault(tag, []).append(self.text or "")
        self.text = "" if tag not in ("td", "th") else None
