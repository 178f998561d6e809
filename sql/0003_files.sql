-- SPDX-License-Identifier: MIT
-- What a file is for, who may have it, and of which series the newest are kept.

-- purpose: 'download', or 'result': a long JSON result, which stands here instead of in the task's row.
-- role: NULL: its owner and admins may have it; 'admin': admins only, whoever owns it.
-- series: NULL, or the name of what is made again and again (backups): the newest few are kept.
-- The lookup of a task names its files from the index `task` alone; lists skip no files of another purpose.
ALTER TABLE csv_export
    ADD COLUMN purpose VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'download',
    ADD COLUMN role VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN series VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NULL,
    DROP KEY owner, ADD KEY owner (owner_id, purpose, role, id),
    DROP KEY task, ADD KEY task (task_id, purpose, role, expires_at),
    ADD KEY purpose (purpose, id),
    ADD KEY series (series, id);
