-- SPDX-License-Identifier: MIT
-- What imports keep beside the tables that they fill, so that a row is written once whatever dies meanwhile:
-- run this in each database that an import section's target names, and give the target's account
--   GRANT SELECT, INSERT, UPDATE, DELETE ON site.backdesk_imports TO 'site_importer'@'localhost';
--   GRANT SELECT, INSERT, UPDATE, DELETE ON site.backdesk_import_rejects TO 'site_importer'@'localhost';
--   GRANT CREATE TEMPORARY TABLES ON site.* TO 'site_importer'@'localhost';
-- and, for each table that it may fill (here books)
--   GRANT SELECT, INSERT, UPDATE ON site.books TO 'site_importer'@'localhost';

-- How far each import is. A batch's rows and its line here are one transaction; fence is that of the claim
-- that may go on, as in backdesk.tasks.
CREATE TABLE IF NOT EXISTS backdesk_imports (
    upload     CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    task_id    BIGINT UNSIGNED NOT NULL,
    fence      BIGINT UNSIGNED NOT NULL,
    options    VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    position   BIGINT UNSIGNED NOT NULL DEFAULT 0,     -- bytes of the file, expanded
    line       BIGINT UNSIGNED NOT NULL DEFAULT 1,
    rows_read  BIGINT UNSIGNED NOT NULL DEFAULT 0,
    inserted   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    replaced   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    skipped    BIGINT UNSIGNED NOT NULL DEFAULT 0,
    rejected   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    done       TINYINT(1) NOT NULL DEFAULT 0,
    changed_at DATETIME NOT NULL,
    PRIMARY KEY (upload, task_id),
    KEY changed (changed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The rejected rows so far, for the report. Both are emptied of what is older than a month, or than
-- the setting api upload_keep where that is longer.
CREATE TABLE IF NOT EXISTS backdesk_import_rejects (
    upload      CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    task_id     BIGINT UNSIGNED NOT NULL,
    row_no      BIGINT UNSIGNED NOT NULL,
    line        BIGINT UNSIGNED NOT NULL,
    column_name VARCHAR(200) NULL,
    reason      VARCHAR(1000) NOT NULL,
    record      LONGBLOB NOT NULL,
    PRIMARY KEY (upload, task_id, row_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
