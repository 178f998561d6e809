# SPDX-License-Identifier: MIT
# types: the code of every task type; only the runner links it

noinst_LIBRARIES += libtypes.a
libtypes_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(ZLIB_CFLAGS) $(XLSX_CFLAGS)
libtypes_a_SOURCES = \
	tasks/types/cell.h tasks/types/cell.c \
	tasks/types/csv_cell.h tasks/types/csv_cell.c \
	tasks/types/dummy.h tasks/types/dummy.c \
	tasks/types/export.h tasks/types/export.c tasks/types/export_value.c \
	tasks/types/export_csv.c tasks/types/export_html.c tasks/types/export_json.c \
	tasks/types/export_xlsx.c \
	tasks/types/html_cell.h tasks/types/html_cell.c \
	tasks/types/html_page.h tasks/types/html_page.c \
	tasks/types/json_cell.h tasks/types/json_cell.c \
	tasks/types/json_check.h tasks/types/json_check.c \
	tasks/types/key.h tasks/types/key.c \
	tasks/types/output.h tasks/types/output.c \
	tasks/types/page_sql.h tasks/types/page_sql.c \
	tasks/types/row_count.h tasks/types/row_count.c \
	tasks/types/row_source.h tasks/types/row_source_impl.h \
	tasks/types/row_source.c tasks/types/row_source_open.c tasks/types/long_row.c \
	tasks/types/scan.h \
	tasks/types/source.h tasks/types/source.c \
	tasks/types/table.c \
	tasks/types/xlsx_book.h tasks/types/xlsx_book.c \
	tasks/types/xlsx_cell.h tasks/types/xlsx_cell.c \
	tasks/types/xlsx_check.h tasks/types/xlsx_check.c

EXTRA_DIST += tasks/types/README.md

# its users also link TASK_LIBS, DB_LIBS and BASE_LIBS, in this order
TYPES_LIBS = libtypes.a $(XLSX_LIBS) $(MINIZIP_LIBS) $(ZLIB_LIBS)
