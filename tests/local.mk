# SPDX-License-Identifier: MIT
# tests: what `make check` runs. Tests that talk to a running stack are pytest's; see tests/check.

include tests/unit/local.mk
include tests/lint/local.mk
include tests/fuzz/local.mk
include tests/store/local.mk
include tests/types/local.mk
include tests/bench/local.mk

# Tests that talk to a running stack (pytest), and the script that runs everything.
EXTRA_DIST += \
	.ci/run \
	tests/api \
	tests/browser \
	tests/clients \
	tests/check \
	tests/conftest.py \
	tests/ctl \
	tests/demo \
	tests/every_type.py \
	tests/formats.py \
	tests/mariadb.py \
	tests/nginx \
	tests/pytest.ini \
	tests/runner \
	tests/history.py \
	tests/load.py \
	tests/plain_server.py \
	tests/ports.py \
	tests/proc.py \
	tests/stack.py \
	tests/types/conftest.py \
	tests/types/test_backup.py \
	tests/types/test_connections.py \
	tests/types/test_faults.py \
	tests/types/test_gzip.py \
	tests/types/test_import.py \
	tests/types/test_json.py \
	tests/types/test_long.py \
	tests/types/test_pages.py \
	tests/types/test_resume.py \
	tests/types/test_tls.py \
	tests/types/test_values.py \
	tests/types/test_xlsx.py
