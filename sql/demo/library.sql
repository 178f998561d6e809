-- SPDX-License-Identifier: MIT
-- The sample site: 150,000 books of 502 owners, the same on every run and on any server, for the
-- demo and the tests. Load it into the site's own database, over a utf8mb4 connection.
--
-- ada (1) owns 50,000, grace (2) 20,000, owners 3 to 502 share 80,000. Every tenth of ada's first
-- 2,000 holds text that exporters, spreadsheets and browsers get wrong (table awkward below).
-- Values come from the MD5 of the row's number, never from RAND. The table appears under its name
-- only when it is complete.

SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';

DROP TABLE IF EXISTS books_loading;
CREATE TABLE books_loading (
    id           INT UNSIGNED NOT NULL AUTO_INCREMENT,
    owner_id     BIGINT UNSIGNED NOT NULL,
    title        VARCHAR(255) NOT NULL,
    author       VARCHAR(120) NULL,
    isbn         VARCHAR(17) NULL,
    language     CHAR(2) NULL,
    binding      ENUM('hardback', 'paperback', 'ebook', 'audio') NOT NULL DEFAULT 'paperback',
    published    DATE NULL,
    price        DECIMAL(8,2) NULL,
    rating       FLOAT NULL,
    weight_kg    DOUBLE NULL,
    pages        INT NULL,
    in_print     TINYINT(1) NOT NULL DEFAULT 1,
    reading_time TIME NULL,
    added_at     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    summary      TEXT NULL,
    attributes   JSON NULL,
    note         VARCHAR(500) NULL,
    PRIMARY KEY (id),
    KEY owner (owner_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TEMPORARY TABLE digit (d INT NOT NULL PRIMARY KEY);
INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
-- A temporary table cannot be joined with itself, so each step has a table of its own.
CREATE TEMPORARY TABLE ten (d INT NOT NULL PRIMARY KEY) SELECT d FROM digit;
CREATE TEMPORARY TABLE hundred (d INT NOT NULL PRIMARY KEY)
SELECT a.d * 10 + b.d AS d FROM digit a JOIN ten b;
CREATE TEMPORARY TABLE thousand (d INT NOT NULL PRIMARY KEY)
SELECT a.d * 10 + b.d AS d FROM hundred a JOIN ten b;

-- One row a book: its number n (from 1), its place among fifteen, and four independent hashes.
CREATE TEMPORARY TABLE seed (
    n INT NOT NULL PRIMARY KEY, place INT NOT NULL,
    h1 BIGINT NOT NULL, h2 BIGINT NOT NULL, h3 BIGINT NOT NULL, h4 BIGINT NOT NULL
) ENGINE=InnoDB
SELECT n, (n - 1) MOD 15 AS place,
       CONV(SUBSTRING(MD5(n), 1, 8), 16, 10) AS h1, CONV(SUBSTRING(MD5(n), 9, 8), 16, 10) AS h2,
       CONV(SUBSTRING(MD5(n), 17, 8), 16, 10) AS h3, CONV(SUBSTRING(MD5(n), 25, 8), 16, 10) AS h4
FROM (SELECT t.d * 100 + h.d + 1 AS n FROM thousand t JOIN hundred h
      UNION ALL
      SELECT t.d * 100 + h.d + 100001 FROM thousand t JOIN hundred h WHERE t.d < 500) numbers;

INSERT INTO books_loading
SELECT
    n + n DIV 97,                               -- ids have gaps, as in any table that has lived
    CASE WHEN place MOD 3 = 0 THEN 1            -- 5 of 15
         WHEN place IN (1, 8) THEN 2            -- 2 of 15
         ELSE 3 + h4 MOD 500 END,
    CONCAT(
        ELT(1 + h1 MOD 24, 'The Silent', 'A Brief', 'The Last', 'An Honest', 'The Glass', 'Beyond the',
            'Notes on a', 'The Cartographer''s', 'Letters from the', 'The Paper', 'Under the', 'The Hidden',
            'A History of the', 'The Salt', 'Return to the', 'The Winter', 'Songs of the', 'The Clockmaker''s',
            'In Praise of the', 'The Forgotten', 'A Field Guide to the', 'The Iron', 'Learning the', 'The Blue'),
        ' ',
        ELT(1 + h2 MOD 28, 'Harbour', 'Garden', 'Archive', 'Orchard', 'River', 'Library', 'Lighthouse', 'Atlas',
            'Machine', 'Season', 'Kingdom', 'Theorem', 'Café', 'Voyage', 'Island', 'Mountain', 'Alphabet', 'Bridge',
            'Museum', 'Engine', 'Fjord', 'Meadow', 'Observatory', 'Tide', 'Station', 'Almanac', 'Mirror', 'Señorita'),
        CASE h3 MOD 10
            WHEN 0 THEN ELT(1 + h1 DIV 24 MOD 6, ': A Novel', ': Collected Essays', ', Volume 2',
                            ' (Revised Edition)', ' – Stories', ' & Other Poems')
            WHEN 1 THEN CONCAT(' ', 1850 + h4 MOD 175)
            ELSE '' END),
    CASE WHEN h3 MOD 53 = 0 THEN NULL ELSE CONCAT(
        ELT(1 + h3 MOD 26, 'Maria', 'James', 'Aoife', 'Søren', 'Zoë', 'Nikolaj', 'Chiamaka', 'Łukasz', 'Hélène',
            'Mehmet', 'Ingrid', 'Tomás', 'Priya', 'Yuki', 'Ahmed', 'Olga', 'Björn', 'Fatima', 'João', 'Li',
            'Anneke', 'Dmitri', 'Siobhán', 'Kwame', 'Eszter', 'Grace'),
        ' ',
        ELT(1 + h4 DIV 500 MOD 25, 'O''Brien', 'Müller', 'García Márquez', 'Nguyễn', 'Okafor', 'Kowalski', 'Tanaka',
            'Dubois', 'van der Berg', 'Yılmaz', 'Ångström', 'Novák', 'Rossi', 'Ivanova', 'Sharma', 'Haddad', 'Smith',
            'Þórsdóttir', 'Silva', 'Wang', 'MacLeod', 'Jensen', 'Petrović', 'Cohen', 'Adeyemi')) END,
    -- Many ISBN-10 begin with zeros: they are text, whatever a spreadsheet thinks.
    CASE h1 MOD 20 WHEN 0 THEN NULL
         WHEN 1 THEN LPAD(h2 MOD 100000000, 10, '0')
         ELSE CONCAT('978-', h2 MOD 10, '-', LPAD(h2 DIV 10 MOD 10000, 4, '0'), '-',
                     LPAD(h3 MOD 10000, 4, '0'), '-', h4 MOD 10) END,
    CASE WHEN h2 MOD 61 = 0 THEN NULL
         ELSE ELT(1 + h2 MOD 9, 'en', 'en', 'en', 'de', 'fr', 'es', 'ar', 'ja', 'sv') END,
    ELT(1 + h3 MOD 7, 'paperback', 'paperback', 'paperback', 'hardback', 'hardback', 'ebook', 'audio'),
    CASE WHEN h4 MOD 29 = 0 THEN NULL ELSE DATE_ADD('1850-01-01', INTERVAL h4 DIV 29 MOD 63900 DAY) END,
    CASE WHEN h1 MOD 41 = 0 THEN NULL WHEN h1 MOD 211 = 0 THEN 0 WHEN h1 MOD 499 = 0 THEN -5
         ELSE 2.49 + h1 DIV 41 MOD 8000 / 100 END,
    CASE WHEN h2 MOD 5 = 0 THEN NULL ELSE 1 + h2 DIV 5 MOD 4001 / 1000 END,
    CASE WHEN h3 MOD 13 = 0 THEN NULL ELSE 0.05 + h3 / 3000000000 END,
    CASE WHEN h4 MOD 31 = 0 THEN NULL ELSE 24 + h4 DIV 31 MOD 1200 END,
    h1 MOD 4 > 0,
    CASE WHEN h4 MOD 17 = 0 THEN NULL ELSE SEC_TO_TIME(900 + h4 DIV 17 MOD 150000) END,
    DATE_ADD('2015-03-01 08:00:00', INTERVAL n * 2203 * 1000000 + h2 MOD 1000000 MICROSECOND),
    CASE h2 MOD 8 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE CONCAT(
        ELT(1 + h3 DIV 8 MOD 6, 'A family leaves everything behind and learns what cannot be left.',
            'The classic account, with maps, tables and a new foreword.',
            'Told in letters, recipes and one very long telegram.',
            'What the archives kept quiet, and why it matters now.',
            'A practical handbook; clear, patient and often funny.',
            'Three generations, two wars, one house by the sea.'),
        CASE h4 MOD 3 WHEN 0 THEN '' WHEN 1 THEN ' "Impossible to put down", said one reviewer.'
             ELSE ' Shortlisted, translated into 12 languages, filmed twice.' END) END,
    CASE h3 MOD 6 WHEN 0 THEN NULL ELSE CONCAT(
        '{"shelf": "', CHAR(65 + h1 MOD 26 USING utf8mb4), '-', LPAD(h1 DIV 26 MOD 400, 3, '0'),
        '", "copies": ', 1 + h2 MOD 9,
        CASE h4 MOD 4 WHEN 0 THEN ', "signed": true' WHEN 1 THEN ', "tags": ["gift", "büro"]' ELSE '' END, '}') END,
    CASE h3 DIV 48 MOD 12 WHEN 0 THEN '' WHEN 1 THEN 'Lent to a friend' WHEN 2 THEN 'Slightly foxed; spine repaired'
         WHEN 3 THEN CONCAT('Bought for ', 1 + h1 MOD 40, ' euro, "as new"') ELSE NULL END
FROM seed;

-- What ada's every tenth book gets, over and over, in its text columns.
CREATE TEMPORARY TABLE awkward (
    k INT NOT NULL AUTO_INCREMENT PRIMARY KEY, text VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
);
INSERT INTO awkward (text) VALUES
    ('She said "no", twice'), ('""'), ('"'), (''''), ('O''Reilly''s ''quoted'' guide'), ('“Curly” and „low“ quotes'),
    ('one, two, three'), (','), ('semi; colon; list'), ('tab\there\tand there'), ('pipe | pipe'),
    ('first line\nsecond line'), ('windows\r\nline end'), ('old mac\rline end'), ('ends in a newline\n'),
    ('\nbegins with one'), ('\r\n'), ('\ttab first'), (' leading and trailing spaces  '), (' '), (''),
    (REPEAT('long title ', 23)),
    ('=1+1'), ('=SUM(A1:A9)'), ('=HYPERLINK("http://example.com/?q="&A1,"click")'), ('+49 30 1234567'), ('-5'),
    ('-2+3+cmd|'' /C calc''!A0'), ('@SUM(1,2)'), ('''=x'), ('''''=x'), ('''quoted'), ('=x'), ('--'), ('＝1+1'),
    ('<b>Bold</b> moves'), ('<script>document.title = "stolen"</script>'), ('<img src=x onerror=alert(1)>'),
    ('</td></tr></table><h1>out</h1>'), ('</title><script>alert(1)</script>'), ('AT&amp;T &lt;tag&gt; & more'),
    ('<!-- comment'), ('a < b && c > d'), ('javascript:alert(1)'), ('" onmouseover="alert(1)'),
    ('Emoji: 📚🧵👩🏽‍🚀🏳️‍🌈'), ('𝔉𝔯𝔞𝔨𝔱𝔲𝔯 𝟙𝟚𝟛'), ('עברית מימין לשמאל'), ('كتاب: "العربية" (٣)'),
    ('mixed עברית and English, in 1 line'), ('Zalgo: Z̸̢͝a̵̛l̷g̶̀o̸'),
    ('日本語の本、第１巻'), ('中文書名《紅樓夢》'), ('Ελληνικά, Кириллица, हिन्दी, ไทย'), ('ß ẞ ſ İ ı ﬁ'),
    -- Characters one cannot see are written as their bytes.
    (CONCAT('evil ', _utf8mb4 X'E280AE', ' override')),
    (CONCAT('e', _utf8mb4 X'CC81', ' is not é, n', _utf8mb4 X'CC83', ' is not ñ')),
    (CONCAT('zero', _utf8mb4 X'E2808B', 'width', _utf8mb4 X'E2808D', 'space')),
    (CONCAT('no', _utf8mb4 X'C2A0', 'break space')),
    (CONCAT(_utf8mb4 X'EFBBBF', 'byte order mark')),
    (CONCAT('line', _utf8mb4 X'E280A8', 'separator', _utf8mb4 X'E280A9', 'paragraph')),
    (CONCAT('bell ', _utf8mb4 X'07', ' and escape ', _utf8mb4 X'1B', '[31m red')),
    (CONCAT('start of heading ', _utf8mb4 X'01')),
    ('007'), ('0012345'), ('1e5'), ('1E400'), ('3-4'), ('2023-02-30'), ('MAR1'), ('TRUE'), ('1,234.50'), ('0x1F'),
    ('NULL'), ('null'), ('\\N'), ('back\\slash'), ('\\'), ('\\"'), ('C:\\new\\table'), ('trailing backslash\\'),
    ('%s %d %n %00'), ('%E2%82%AC'), ('${HOME} `id` $(id)'), ('../../etc/passwd'), ('a;b,c\td|e'),
    ('''; DROP TABLE books; --'), (':owner'), ('? ?'), ('/* not a comment */ -- nor this'), ('{"json": "in a title"}');

SET @texts = (SELECT COUNT(*) FROM awkward);
-- The rows to spoil; each column takes the texts from another place on.
CREATE TEMPORARY TABLE spoiled (
    id INT UNSIGNED NOT NULL PRIMARY KEY, j INT NOT NULL,
    in_title INT NOT NULL, in_note INT NOT NULL, in_summary INT NOT NULL, in_author INT NOT NULL,
    in_remark INT NOT NULL
)
SELECT id, j, 1 + (j - 1) MOD @texts AS in_title, 1 + (j + 6) MOD @texts AS in_note,
       1 + (j + 12) MOD @texts AS in_summary, 1 + (j + 18) MOD @texts AS in_author,
       1 + (j + 24) MOD @texts AS in_remark
FROM (SELECT n + n DIV 97 AS id, ((n - 1) DIV 15 * 5 + place DIV 3 + 1) / 10 AS j FROM seed
      WHERE place MOD 3 = 0 AND (n - 1) DIV 15 < 400
        AND ((n - 1) DIV 15 * 5 + place DIV 3 + 1) MOD 10 = 0) tenth;

UPDATE books_loading b JOIN spoiled s ON s.id = b.id JOIN awkward a ON a.k = s.in_title SET b.title = a.text;
UPDATE books_loading b JOIN spoiled s ON s.id = b.id JOIN awkward a ON a.k = s.in_note SET b.note = a.text;
UPDATE books_loading b JOIN spoiled s ON s.id = b.id JOIN awkward a ON a.k = s.in_summary SET b.summary = a.text;
UPDATE books_loading b JOIN spoiled s ON s.id = b.id JOIN awkward a ON a.k = s.in_author
    SET b.author = LEFT(a.text, 120) WHERE s.j MOD 3 = 0;
UPDATE books_loading b JOIN spoiled s ON s.id = b.id JOIN awkward a ON a.k = s.in_remark
    SET b.attributes = JSON_OBJECT('remark', a.text) WHERE s.j MOD 3 = 1;

-- Text near the limit of its column, a row of NULLs, and the ends of each type's range.
UPDATE books_loading b JOIN spoiled s ON s.id = b.id
    SET b.summary = REPEAT('A very long summary, with "quotes" and ends\r\n', 1300) WHERE s.j = 77;
UPDATE books_loading b JOIN spoiled s ON s.id = b.id
    SET b.author = NULL, b.isbn = NULL, b.language = NULL, b.published = NULL, b.price = NULL, b.rating = NULL,
        b.weight_kg = NULL, b.pages = NULL, b.reading_time = NULL, b.summary = NULL, b.attributes = NULL,
        b.note = NULL
    WHERE s.j = 88;
UPDATE books_loading b JOIN spoiled s ON s.id = b.id
    SET b.published = '9999-12-31', b.price = -999999.99, b.rating = 3.4028e38,
        b.weight_kg = 1.7976931348623157e308, b.pages = -2147483648, b.reading_time = '838:59:59',
        b.added_at = '9999-12-31 23:59:59.999999'
    WHERE s.j = 99;
UPDATE books_loading b JOIN spoiled s ON s.id = b.id
    SET b.published = '1000-01-01', b.price = 999999.99, b.rating = 1.17549e-38, b.weight_kg = 5e-324,
        b.pages = 2147483647, b.reading_time = '-838:59:59', b.added_at = '1000-01-01 00:00:00.000001'
    WHERE s.j = 111;

DROP TABLE IF EXISTS books;
RENAME TABLE books_loading TO books;
