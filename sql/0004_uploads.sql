-- SPDX-License-Identifier: MIT
-- Files that users have sent, for imports.

-- One row per file. path is below the shared directory and follows from owner and id; never shown.
CREATE TABLE IF NOT EXISTS uploads (
    id         CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner_id   BIGINT NOT NULL,
    path       VARCHAR(127) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    bytes      BIGINT UNSIGNED NOT NULL,
    sha256     CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY path (path),
    KEY owner (owner_id, expires_at, bytes),
    KEY expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
