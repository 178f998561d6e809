-- SPDX-License-Identifier: MIT
-- Least rights for Backdesk's accounts. The accounts and the databases exist already; the names here
-- are the usual ones: change them where yours differ. Run as an administrator after `taskctl migrate`.
--
-- The API submits, reads, changes and deletes tasks; it never touches runners.
GRANT SELECT, INSERT, UPDATE, DELETE ON backdesk.tasks TO 'backdesk_api'@'localhost';
GRANT SELECT, DELETE ON backdesk.csv_export TO 'backdesk_api'@'localhost';
GRANT SELECT, DELETE ON backdesk.attempts TO 'backdesk_api'@'localhost';
GRANT INSERT ON backdesk.file_trash TO 'backdesk_api'@'localhost';
GRANT SELECT ON backdesk.runners TO 'backdesk_api'@'localhost';
GRANT SELECT, INSERT, DELETE ON backdesk.idempotency_keys TO 'backdesk_api'@'localhost';
GRANT SELECT ON backdesk.api_tokens TO 'backdesk_api'@'localhost';
GRANT SELECT, INSERT, UPDATE ON backdesk.type_control TO 'backdesk_api'@'localhost';
GRANT SELECT ON backdesk.task_counters TO 'backdesk_api'@'localhost';
GRANT SELECT, INSERT, UPDATE ON backdesk.user_quota TO 'backdesk_api'@'localhost';
GRANT SELECT, INSERT ON backdesk.uploads TO 'backdesk_api'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON backdesk.http_requests TO 'backdesk_api'@'localhost';
GRANT SELECT ON backdesk.schema_version TO 'backdesk_api'@'localhost';

-- The runner claims and finishes tasks, names their files and sweeps.
GRANT SELECT, UPDATE, DELETE ON backdesk.tasks TO 'backdesk_runner'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON backdesk.csv_export TO 'backdesk_runner'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON backdesk.attempts TO 'backdesk_runner'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON backdesk.runners TO 'backdesk_runner'@'localhost';
GRANT SELECT, INSERT, DELETE ON backdesk.file_trash TO 'backdesk_runner'@'localhost';
GRANT SELECT, DELETE ON backdesk.idempotency_keys TO 'backdesk_runner'@'localhost';
GRANT SELECT, INSERT, UPDATE ON backdesk.type_control TO 'backdesk_runner'@'localhost';
GRANT SELECT, INSERT, UPDATE ON backdesk.task_counters TO 'backdesk_runner'@'localhost';
GRANT SELECT, UPDATE, DELETE ON backdesk.uploads TO 'backdesk_runner'@'localhost';
GRANT SELECT, UPDATE, DELETE ON backdesk.http_requests TO 'backdesk_runner'@'localhost';
GRANT SELECT ON backdesk.schema_version TO 'backdesk_runner'@'localhost';

-- A site enqueues inside its own transaction with this and nothing more (the account is the site's own; any type, for
-- any user: see sql/README.md):
--   GRANT INSERT (type, data, created_by, priority, run_at, max_attempts) ON backdesk.tasks TO 'site'@'localhost';
-- What exports read; only ever SELECT, on the site's data, never on backdesk's:
--   GRANT SELECT ON site.books TO 'site_reader'@'localhost';
-- What a backup reads, beside SELECT and from an account of its own. Without these a dump leaves things out; a backup
-- checks that they are there. mysql.proc: for routines, in MariaDB; MySQL: GRANT SHOW_ROUTINE ON *.*
--   GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON site.* TO 'site_backup'@'localhost';
--   GRANT SELECT ON mysql.proc TO 'site_backup'@'localhost';
-- Migrations (given before the first migration, since the tables are made by it):
--   GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES ON backdesk.* TO 'backdesk_migration'@'localhost';
-- For `taskctl doctor`, which looks for transactions that others keep open, and is the only one to use it:
--   GRANT PROCESS ON *.* TO 'backdesk_migration'@'localhost';
