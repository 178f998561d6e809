-- SPDX-License-Identifier: MIT
-- Keys that make a POST repeatable, API tokens, pauses, counters, expiry.

-- One row per Idempotency-Key and user: the first request's body and the tasks it made.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    user_id    BIGINT NOT NULL,
    idem_key   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    body       CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- its SHA-256
    task_ids   MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- separated by commas
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (user_id, idem_key),
    KEY expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Bearer tokens: only their SHA-256 is stored.
CREATE TABLE IF NOT EXISTS api_tokens (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    user_id    BIGINT NOT NULL,
    role       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
    label      VARCHAR(200) NOT NULL DEFAULT '',
    hash       CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    expires_at DATETIME(6) NULL,
    revoked_at DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY hash (hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What an operator has said of a type; its row is also the lock of a limit over all runners.
CREATE TABLE IF NOT EXISTS type_control (
    type      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    paused_at DATETIME(6) NULL,
    paused_by BIGINT NULL,
    PRIMARY KEY (type)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- How many claims of a type have ended in which way. Each runner counts in one of a few slots, so that
-- runners do not wait for each other; a reader adds the slots up.
CREATE TABLE IF NOT EXISTS task_counters (
    slot    TINYINT UNSIGNED NOT NULL,
    type    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    outcome VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ended   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    PRIMARY KEY (slot, type, outcome)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Never less than how many tasks of a user wait (user 0: of all): counted anew when it reaches the limit,
-- so that a POST need not count.
CREATE TABLE IF NOT EXISTS user_quota (
    user_id BIGINT NOT NULL,
    bound   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What has expired is found by these two, not by a look at all that was ever done.
ALTER TABLE tasks ADD KEY expires (expires_at);
ALTER TABLE csv_export ADD COLUMN removed_at DATETIME(6) NULL, ADD KEY expires (expires_at);
