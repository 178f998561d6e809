-- SPDX-License-Identifier: MIT
-- Deferred requests of the site: what their tasks' data does not show.

-- One row per task of type http_request, as long as the task.
-- sealed: cookies, credentials and other secret headers, encrypted (include/task/seal.h); NULL once the task
-- has succeeded: then there is nothing left to replay.
-- body_path: the request's body, a file below the shared directory; NULL: there is none, or none any more.
-- job_of: the user to whom the task is a job of the ArangoDB-style interface; NULL: it is none.
CREATE TABLE IF NOT EXISTS http_requests (
    task_id    BIGINT UNSIGNED NOT NULL,
    sealed     MEDIUMBLOB NULL,
    body_path  VARCHAR(127) CHARACTER SET ascii COLLATE ascii_bin NULL,
    body_bytes BIGINT UNSIGNED NOT NULL DEFAULT 0,
    job_of     BIGINT NULL,
    PRIMARY KEY (task_id),
    UNIQUE KEY body_path (body_path),
    KEY job (job_of, task_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
