-- SPDX-License-Identifier: MIT
-- The queue: tasks, their files, their history, and the runners.
-- Every statement ends with a semicolon at the end of a line, and may be run again after a crash.

-- One row per task. INSERT INTO tasks (type, data, created_by) VALUES (...) is a complete task.
--
-- turn orders the tasks of one status, type and priority, in microseconds since 1970: a fresh task's
-- place in the queue, a scheduled one's due time, a started one's claim, a finished one's end. Two
-- indexes are all there is, because every change of status pays for each index that names it.
CREATE TABLE IF NOT EXISTS tasks (
    id               BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    type             VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    data             LONGTEXT NOT NULL,
    status           VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'fresh',
    priority         TINYINT UNSIGNED NOT NULL DEFAULT 5,
    turn             BIGINT NOT NULL DEFAULT
                     (TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', UTC_TIMESTAMP(6))),
    worker           VARCHAR(128) NULL,
    created_at       DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    updated_on       DATETIME(6) NULL,
    created_by       BIGINT NOT NULL,
    run_at           DATETIME(6) NULL,
    started_at       DATETIME(6) NULL,
    finished_at      DATETIME(6) NULL,
    expires_at       DATETIME(6) NULL,
    attempt          INT UNSIGNED NOT NULL DEFAULT 0,
    max_attempts     INT UNSIGNED NULL,            -- NULL: as the type's setting says
    fence            BIGINT UNSIGNED NOT NULL DEFAULT 0,
    cancel_requested TINYINT(1) NOT NULL DEFAULT 0,
    cancel_by        BIGINT NULL,
    cancel_reason    VARCHAR(500) NULL,
    progress         VARCHAR(1000) NULL,           -- JSON
    error            TEXT NULL,                    -- JSON {code, message}
    result           MEDIUMTEXT NULL,              -- JSON
    PRIMARY KEY (id),
    KEY claim (status, type, priority, turn, id, created_by),
    KEY owner (created_by, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- One row per file that can be downloaded, whatever its format. path is below the shared directory
-- and never shown; filename is what the browser saves.
CREATE TABLE IF NOT EXISTS csv_export (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    filename   VARCHAR(255) NOT NULL,
    owner_id   BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    task_id    BIGINT UNSIGNED NOT NULL,
    format     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'csv',
    path       VARCHAR(127) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    bytes      BIGINT UNSIGNED NOT NULL DEFAULT 0,
    `rows`     BIGINT UNSIGNED NULL,
    sha256     CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    expires_at DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY path (path),
    KEY owner (owner_id, id),
    KEY task (task_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- How each ended claim went; the running one is the task's own row.
CREATE TABLE IF NOT EXISTS attempts (
    task_id     BIGINT UNSIGNED NOT NULL,
    fence       BIGINT UNSIGNED NOT NULL,
    attempt     INT UNSIGNED NOT NULL,
    worker      VARCHAR(128) NULL,
    started_at  DATETIME(6) NULL,
    finished_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    outcome     VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    error       TEXT NULL,
    log         MEDIUMTEXT NULL,
    PRIMARY KEY (task_id, fence)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who runs tasks. A runner whose last_seen is older than its lease has lost its tasks; gone_at says
-- that somebody noticed, or that it said good-bye.
CREATE TABLE IF NOT EXISTS runners (
    worker     VARCHAR(128) NOT NULL,
    host       VARCHAR(255) NOT NULL,
    pid        INT UNSIGNED NOT NULL,
    version    VARCHAR(32) NOT NULL,
    types      TEXT NOT NULL,                      -- JSON array of names
    slots      INT UNSIGNED NOT NULL,
    busy       INT UNSIGNED NOT NULL DEFAULT 0,
    lease_usec BIGINT UNSIGNED NOT NULL,
    started_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    last_seen  DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    gone_at    DATETIME(6) NULL,
    PRIMARY KEY (worker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Files whose row has been deleted: a runner removes them and then the entry.
CREATE TABLE IF NOT EXISTS file_trash (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    path       VARCHAR(127) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
