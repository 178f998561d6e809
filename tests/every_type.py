# SPDX-License-Identifier: MIT
"""Every column type of MariaDB, with values at its edges."""

# type, values as SQL
COLUMNS = [
    ("TINYINT", ["-128", "127", "0", "NULL"]),
    ("TINYINT UNSIGNED", ["255", "0"]),
    ("BOOLEAN", ["TRUE", "FALSE"]),
    ("SMALLINT", ["-32768", "32767"]),
    ("MEDIUMINT", ["-8388608", "8388607"]),
    ("INT", ["-2147483648", "2147483647", "NULL"]),
    ("INT(8) ZEROFILL", ["42", "0", "4294967295"]),
    ("BIGINT", ["-9223372036854775808", "9223372036854775807"]),
    ("BIGINT UNSIGNED", ["18446744073709551615", "0"]),
    ("BIGINT(20) ZEROFILL", ["7"]),
    ("DECIMAL(65,30)", ["99999999999999999999999999999999999.999999999999999999999999999999",
                        "-0.000000000000000000000000000001", "0"]),
    ("DECIMAL(65,0)", ["-99999999999999999999999999999999999999999999999999999999999999999"]),
    ("DECIMAL(8,2) ZEROFILL", ["3.5"]),
    ("FLOAT", ["3.4028234e38", "1.17549435e-38", "-0.0", "0.1", "16777217", "1e20", "NULL"]),
    ("FLOAT(7,4)", ["-999.9999", "0.1"]),
    ("DOUBLE", ["1.7976931348623157e308", "5e-324", "-0.0e0", "0.1", "1e15", "1e16", "9007199254740993",
                "123456789.123456789", "-1e-5"]),
    ("DOUBLE(20,10)", ["0.1"]),
    ("BIT(1)", ["b'1'", "b'0'", "NULL"]),
    ("BIT(64)", ["b'" + "1" * 64 + "'", "0"]),
    ("BIT(12)", ["b'101010101010'"]),
    ("DATE", ["'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-02-00'", "NULL"]),
    ("DATETIME", ["'0000-00-00 00:00:00'", "'2024-02-29 23:59:59'"]),
    ("DATETIME(6)", ["'9999-12-31 23:59:59.999999'", "'1000-01-01 00:00:00.000001'"]),
    ("DATETIME(3)", ["'2024-01-01 00:00:00.120'"]),
    ("TIMESTAMP(6) NULL", ["'2038-01-19 03:14:07.999999'", "'1970-01-02 00:00:01'", "NULL"]),
    ("TIME", ["'-838:59:59'", "'838:59:59'", "'-00:00:01'", "'00:00:00'", "NULL"]),
    ("TIME(6)", ["'-00:00:00.000001'", "'100:00:00.500000'"]),
    ("YEAR", ["1901", "2155", "0"]),
    ("CHAR(10)", ["'abc  '", "''", "' x'", "NULL"]),
    ("VARCHAR(200)", ["'trailing  '", "''", "'NULL'", "'a,b'", "'say \"hi\"'", "'two\\nlines'", "'cr\\rhere'",
                      "'crlf\\r\\n'", "'tab\\there'", "'\\0nul'", "'\\\\N'", "'\\Z\\b'", "NULL"]),
    ("VARCHAR(200) COLLATE utf8mb4_bin", ["'😀 👩🏽‍🚀'", "'עברית'", "'e\u0301'", "'\ufeffbom'", "'\u2028'"]),
    ("VARCHAR(100) CHARACTER SET latin1", ["'Ärger €'", "'caf\u00e9'", "''"]),
    ("VARCHAR(100) CHARACTER SET utf16", ["'😀 wide'", "'ß'"]),
    ("VARCHAR(100) CHARACTER SET cp1251", ["'Привет'"]),
    ("VARCHAR(100) CHARACTER SET ascii", ["'plain'"]),
    ("VARCHAR(100) CHARACTER SET utf8mb3", ["'日本'"]),
    ("VARCHAR(100) CHARACTER SET sjis", ["'日本'"]),
    ("TINYTEXT", ["'tiny'", "''"]),
    ("TEXT", ["REPEAT('long \"text\", ', 5000)", "NULL"]),
    ("TEXT CHARACTER SET latin1", ["REPEAT('ü', 65535)"]),
    ("MEDIUMTEXT", ["REPEAT('é', 400000)", "NULL", "''"]),
    ("LONGTEXT", ["REPEAT('<&>\"', 1000)"]),
    ("BINARY(4)", ["X'00FF0A22'", "X'41'"]),
    ("VARBINARY(300)", ["X''", "X'00'", "X'0001'", "X'000102'", "X'FFFEFD22,'", "NULL"][:4] + ["NULL"]),
    ("TINYBLOB", ["X'80'"]),
    ("BLOB", ["REPEAT(X'00FF', 30000)", "NULL"]),
    ("MEDIUMBLOB", ["REPEAT(X'0D0A22', 200001)"]),
    ("LONGBLOB", ["X'DEADBEEF'"]),
    ("ENUM('a','b,c','d\"e','')", ["'a'", "'b,c'", "'d\"e'", "''", "NULL"]),
    ("SET('x','y','z')", ["'x,z'", "''", "NULL"]),
    ("JSON", ["'{\"a\": [1, 2.50, null], \"ü\": \"\\\\u00e9\"}'", "'[]'", "'-5'", "'\"text\"'", "NULL"]),
    ("POINT", ["ST_GeomFromText('POINT(1 2)')", "NULL"]),
    ("UUID", ["'123e4567-e89b-12d3-a456-426655440000'", "NULL"]),
    ("INET6", ["'2001:db8::ff00:42:8329'"]),
    ("INET4", ["'192.0.2.1'"]),
]


def create(server):
    """The table every.t: row i has the i-th value of each column, or NULL."""
    columns = ", ".join(f"c{i} {t}" + ("" if "NULL" in t else " NULL") for i, (t, _) in enumerate(COLUMNS))
    rows = max(len(v) for _, v in COLUMNS)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE DATABASE every")
        cursor.execute("USE every")
        cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
        cursor.execute(f"CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, {columns})")
        for n in range(rows):
            cursor.execute(f"INSERT INTO t VALUES ({n + 1}, "
                           + ", ".join(v[n] if n < len(v) else "NULL" for _, v in COLUMNS) + ")")
