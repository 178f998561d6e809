-- SPDX-License-Identifier: MIT
-- Most claims succeed and say nothing: the task's own row has all of it, and a second one would cost as much as the move.

ALTER TABLE attempts COMMENT = 'ended claims; a success without a log is in its row of tasks only';
