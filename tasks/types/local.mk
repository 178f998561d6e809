# SPDX-License-Identifier: MIT
# types: the code of every task type; only the runner links it

noinst_LIBRARIES += libtypes.a
libtypes_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JSON_CFLAGS)
libtypes_a_SOURCES = \
	tasks/types/cell.h tasks/types/cell.c \
	tasks/types/command.h tasks/types/command.c tasks/types/command_exec.c \
	tasks/types/command_impl.h tasks/types/command_persistent.c \
	tasks/types/command_environment.c tasks/types/command_files.c \
	tasks/types/command_log.h tasks/types/command_log.c \
	tasks/types/command_progress.h tasks/types/command_progress.c \
	tasks/types/conversation.h tasks/types/conversation.c \
	tasks/types/program.h tasks/types/program.c \
	tasks/types/supervisor.h tasks/types/supervisor.c \
	tasks/types/csv_cell.h tasks/types/csv_cell.c \
	tasks/types/dummy.h tasks/types/dummy.c \
	tasks/types/export.h tasks/types/export.c \
	tasks/types/export_csv.c tasks/types/export_html.c \
	tasks/types/html_cell.h tasks/types/html_cell.c \
	tasks/types/html_page.h tasks/types/html_page.c \
	tasks/types/key.h tasks/types/key.c \
	tasks/types/page_sql.h tasks/types/page_sql.c \
	tasks/types/row_count.h tasks/types/row_count.c \
	tasks/types/row_source.h tasks/types/row_source_impl.h \
	tasks/types/row_source.c tasks/types/row_source_open.c tasks/types/long_row.c \
	tasks/types/scan.h \
	tasks/types/source.h tasks/types/source.c \
	tasks/types/table.c

EXTRA_DIST += tasks/types/README.md tasks/types/COMMANDS.md

# Programs to begin with; COMMANDS.md explains them.
examplesdir = $(pkgdatadir)/examples
dist_examples_SCRIPTS = \
	tasks/types/examples/count_words.py \
	tasks/types/examples/disk_report.sh \
	tasks/types/examples/invoice.php \
	tasks/types/examples/slugs.py

# its users also link TASK_LIBS, DB_LIBS and BASE_LIBS, in this order
TYPES_LIBS = libtypes.a
