# SPDX-License-Identifier: MIT
"""The formats as these tests understand them, written without a look at the program's own code."""

import base64
import csv
import datetime
import json
import re
from decimal import Decimal
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


class Number(str):
    """A number of a JSON text, digit for digit."""


def parse_json(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


NUMBERS = {0, 1, 2, 3, 4, 5, 8, 9, 13, 246}  # DECIMAL, integers, FLOAT, DOUBLE, YEAR
DATE, TIME, DATETIME = {10}, {11}, {7, 12}


def type_codes(site, query):
    with site.server.connect(site.name) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({query}) AS t LIMIT 0")
        return [field.type_code for field in cursor._result.fields]


def json_value(value, kind, code, is_json=False):
    """What parse_json should find for a value as read() gives it."""
    if value is None:
        return None
    if is_json:
        return parse_json(value)
    if kind == "bit" or code in NUMBERS:
        return Number(re.sub(r"^0+(?=\d)", "", shown(value, kind)))
    return shown(value, kind)


def excel_date(text, code):
    """The text of a date or time as a value; None where Excel cannot hold it."""
    if code in TIME:
        if text.startswith("-"):
            return None
        hours, minutes, seconds = text.split(":")
        return datetime.timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    try:
        date = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return date if date >= datetime.datetime(1900, 3, 1) else None


def excel_number(text):
    """None where Excel cannot hold it."""
    number = Decimal(text)
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    fits = number == 0 or (digits <= 15 and Decimal("2.2250738585072014e-308") <= abs(number) <= Decimal("9.99999999999999e307"))
    return float(number) if fits else None


def excel_text(text):
    """Cut as Excel would, by units of UTF-16."""
    units = text.encode("utf-16-le")
    return units[:2 * 32767].decode("utf-16-le", "ignore")


def excel_value(value, kind, code):
    if value is None or value == "" or value == b"":
        return None
    if kind == "bytes":
        return base64.b64encode(value[:32767 // 4 * 3]).decode()
    text = shown(value, kind)
    if kind == "bit" or code in NUMBERS:
        number = excel_number(text)
        return text if number is None else number
    if code in DATE | TIME | DATETIME:
        date = excel_date(text, code)
        return text if date is None else date
    return excel_text(text)


def unescape(text):
    """_xHHHH_ as Excel reads it (ECMA-376 part 1, 22.9.2.19); openpyxl leaves it alone."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) if isinstance(text, str) else text


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
