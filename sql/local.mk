# SPDX-License-Identifier: MIT
# sql: numbered migrations, grants

sqldir = $(pkgdatadir)/sql
dist_sql_DATA = \
	sql/0001_tasks.sql \
	sql/0002_lifecycle.sql \
	sql/0003_files.sql \
	sql/0004_uploads.sql \
	sql/0005_http_requests.sql \
	sql/0006_attempts.sql \
	sql/grants.sql

# for the databases that imports fill
sqlimportdir = $(sqldir)/import
dist_sqlimport_DATA = sql/import/ledger.sql

nobase_dist_doc_DATA += sql/README.md
