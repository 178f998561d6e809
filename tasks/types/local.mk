# SPDX-License-Identifier: MIT
# types: the code of every task type; only the runner links it

noinst_LIBRARIES += libtypes.a
libtypes_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(CURL_CFLAGS) $(JSON_CFLAGS) $(ZLIB_CFLAGS) $(ZSTD_CFLAGS) \
	$(XLSX_CFLAGS) $(MINIZIP_CFLAGS)
libtypes_a_SOURCES = \
	tasks/types/ahead.h tasks/types/ahead.c \
	tasks/types/backup.h tasks/types/backup.c \
	tasks/types/backup_plan.h tasks/types/backup_plan.c \
	tasks/types/backup_verify.h tasks/types/backup_verify.c \
	tasks/types/cell.h tasks/types/cell.c \
	tasks/types/command.h tasks/types/command.c tasks/types/command_exec.c \
	tasks/types/command_impl.h tasks/types/command_persistent.c \
	tasks/types/command_environment.c tasks/types/command_files.c \
	tasks/types/command_log.h tasks/types/command_log.c \
	tasks/types/command_progress.h tasks/types/command_progress.c \
	tasks/types/conversation.h tasks/types/conversation.c \
	tasks/types/program.h tasks/types/program.c \
	tasks/types/supervisor.h tasks/types/supervisor.c tasks/types/supervisor_execute.c \
	tasks/types/supervisors.h tasks/types/supervisors.c \
	tasks/types/csv_cell.h tasks/types/csv_cell.c \
	tasks/types/csv_read.h tasks/types/csv_read.c \
	tasks/types/dummy.h tasks/types/dummy.c \
	tasks/types/dump_mark.h tasks/types/dump_mark.c \
	tasks/types/dump_process.h tasks/types/dump_process.c \
	tasks/types/dump_program.h tasks/types/dump_program.c \
	tasks/types/export.h tasks/types/export.c tasks/types/export_value.c \
	tasks/types/export_csv.c tasks/types/export_html.c tasks/types/export_json.c \
	tasks/types/export_xlsx.c \
	tasks/types/export_resume.h tasks/types/export_resume.c \
	tasks/types/finisher.h tasks/types/finisher.c \
	tasks/types/html_cell.h tasks/types/html_cell.c \
	tasks/types/html_page.h tasks/types/html_page.c \
	tasks/types/http_request.h tasks/types/http_request.c \
	tasks/types/import.h tasks/types/import_impl.h tasks/types/import.c \
	tasks/types/import_apply.c tasks/types/import_open.c \
	tasks/types/import_batch.h tasks/types/import_batch.c \
	tasks/types/import_input.h tasks/types/import_input.c \
	tasks/types/import_ledger.h tasks/types/import_ledger.c \
	tasks/types/import_report.h tasks/types/import_report.c \
	tasks/types/import_table.h tasks/types/import_table.c \
	tasks/types/import_value.h tasks/types/import_value.c \
	tasks/types/import_write.h tasks/types/import_write_impl.h tasks/types/import_write.c \
	tasks/types/import_stage.c \
	tasks/types/json_cell.h tasks/types/json_cell.c \
	tasks/types/json_check.h tasks/types/json_check.c \
	tasks/types/key.h tasks/types/key.c \
	tasks/types/output.h tasks/types/output.c \
	tasks/types/pack.h tasks/types/pack_impl.h \
	tasks/types/pack.c tasks/types/pack_gzip.c tasks/types/pack_zstd.c \
	tasks/types/page_sql.h tasks/types/page_sql.c \
	tasks/types/replay.h tasks/types/replay_request.c tasks/types/replay_response.c tasks/types/replay_end.c \
	tasks/types/row_count.h tasks/types/row_count.c \
	tasks/types/row_source.h tasks/types/row_source_impl.h \
	tasks/types/row_source.c tasks/types/row_source_open.c tasks/types/long_row.c \
	tasks/types/scan.h \
	tasks/types/source.h tasks/types/source.c \
	tasks/types/table.c \
	tasks/types/xlsx_book.h tasks/types/xlsx_book.c \
	tasks/types/xlsx_cell.h tasks/types/xlsx_cell.c \
	tasks/types/xlsx_check.h tasks/types/xlsx_check.c

nobase_dist_doc_DATA += tasks/types/README.md tasks/types/COMMANDS.md

# Programs to begin with; COMMANDS.md explains them.
examplesdir = $(pkgdatadir)/examples
dist_examples_SCRIPTS = \
	tasks/types/examples/count_words.py \
	tasks/types/examples/disk_report.sh \
	tasks/types/examples/invoice.php \
	tasks/types/examples/slugs.py

# its users also link TASK_LIBS, DB_LIBS and BASE_LIBS, in this order
TYPES_LIBS = libtypes.a $(CURL_LIBS) $(XLSX_LIBS) $(MINIZIP_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS)
