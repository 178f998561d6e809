# SPDX-License-Identifier: MIT
# unit: one cmocka program per area; cases are tables

if HAVE_CMOCKA
unit_tests = \
	unit_aside \
	unit_buf \
	unit_cell \
	unit_checkpoint \
	unit_claim \
	unit_clock \
	unit_combine \
	unit_command \
	unit_conn \
	unit_csv_read \
	unit_doorbell \
	unit_idempotency \
	unit_import_value \
	unit_json \
	unit_kept_headers \
	unit_json_cell \
	unit_lanes \
	unit_log \
	unit_long_result \
	unit_output \
	unit_nginx_check \
	unit_pack \
	unit_page_sql \
	unit_prefer \
	unit_process \
	unit_program \
	unit_query \
	unit_quota \
	unit_request \
	unit_response \
	unit_result_file \
	unit_route \
	unit_seal \
	unit_settings \
	unit_settings_secret \
	unit_settings_text \
	unit_slot \
	unit_stored_response \
	unit_url \
	unit_utf8 \
	unit_validate \
	unit_wire \
	unit_xlsx_cell

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(JSON_CFLAGS)
UNIT_LIBS = $(BASE_LIBS) $(CMOCKA_LIBS)

unit_buf_SOURCES = tests/unit/unit.h tests/unit/test_buf.c
unit_buf_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_buf_LDADD = $(UNIT_LIBS)

unit_clock_SOURCES = tests/unit/unit.h tests/unit/test_clock.c
unit_clock_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_clock_LDADD = $(UNIT_LIBS)

unit_combine_SOURCES = tests/unit/unit.h tests/unit/test_combine.c
unit_combine_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_combine_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

unit_conn_SOURCES = tests/unit/unit.h tests/unit/test_conn.c
unit_conn_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_conn_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
unit_conn_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=epoll_ctl

unit_idempotency_SOURCES = tests/unit/unit.h tests/unit/test_idempotency.c
unit_idempotency_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_idempotency_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

unit_json_SOURCES = tests/unit/unit.h tests/unit/test_json.c
unit_json_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_json_LDADD = $(UNIT_LIBS)

unit_log_SOURCES = tests/unit/unit.h tests/unit/test_log.c
unit_log_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_log_LDADD = $(UNIT_LIBS)

unit_prefer_SOURCES = tests/unit/unit.h tests/unit/test_prefer.c
unit_prefer_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_prefer_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

unit_process_SOURCES = tests/unit/unit.h tests/unit/test_process.c
unit_process_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_process_LDADD = $(UNIT_LIBS)

unit_query_SOURCES = tests/unit/unit.h tests/unit/test_query.c
unit_query_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_query_LDADD = $(TASK_LIBS) $(UNIT_LIBS)

unit_quota_SOURCES = tests/unit/unit.h tests/unit/test_quota.c
unit_quota_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_quota_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

unit_request_SOURCES = tests/unit/unit.h tests/unit/test_request.c
unit_request_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_request_LDADD = $(TASK_LIBS) $(UNIT_LIBS)

unit_response_SOURCES = tests/unit/unit.h tests/unit/test_response.c
unit_response_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_response_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

unit_route_SOURCES = tests/unit/unit.h tests/unit/test_route.c
unit_route_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_route_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

unit_settings_SOURCES = tests/unit/unit.h tests/unit/test_settings.c
unit_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_settings_LDADD = $(TASK_LIBS) $(UNIT_LIBS)

unit_settings_secret_SOURCES = tests/unit/unit.h tests/unit/test_settings_secret.c
unit_settings_secret_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_settings_secret_LDADD = $(UNIT_LIBS)

unit_settings_text_SOURCES = tests/unit/unit.h tests/unit/test_settings_text.c
unit_settings_text_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_settings_text_LDADD = $(UNIT_LIBS)

unit_stored_response_SOURCES = tests/unit/unit.h tests/unit/test_stored_response.c
unit_stored_response_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_stored_response_LDADD = $(TASK_LIBS) $(UNIT_LIBS)

unit_url_SOURCES = tests/unit/unit.h tests/unit/test_url.c
unit_url_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_url_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

unit_utf8_SOURCES = tests/unit/unit.h tests/unit/test_utf8.c
unit_utf8_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_utf8_LDADD = $(TASK_LIBS) $(UNIT_LIBS)

unit_validate_SOURCES = tests/unit/unit.h tests/unit/test_validate.c
unit_validate_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_validate_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=newlocale
unit_validate_LDADD = $(TASK_LIBS) $(UNIT_LIBS)

# the code of the task types, below its folder
TYPES_UNIT_LIBS = $(TYPES_LIBS) $(TASK_LIBS) $(DB_LIBS) $(UNIT_LIBS)

unit_cell_SOURCES = tests/unit/unit.h tests/unit/test_cell.c
unit_cell_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_cell_LDADD = $(TYPES_UNIT_LIBS)

unit_csv_read_SOURCES = tests/unit/unit.h tests/unit/test_csv_read.c
unit_csv_read_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_csv_read_LDADD = $(TYPES_UNIT_LIBS)

unit_pack_SOURCES = tests/unit/unit.h tests/unit/test_pack.c
unit_pack_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_pack_LDADD = $(TYPES_UNIT_LIBS)

unit_json_cell_SOURCES = tests/unit/unit.h tests/unit/test_json_cell.c
unit_json_cell_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_json_cell_LDADD = $(TYPES_UNIT_LIBS)

unit_output_SOURCES = tests/unit/unit.h tests/unit/directory.h tests/unit/test_output.c
unit_output_CPPFLAGS = $(UNIT_CPPFLAGS) $(ZLIB_CFLAGS) -I$(top_srcdir)
unit_output_LDADD = $(TYPES_UNIT_LIBS)

unit_xlsx_cell_SOURCES = tests/unit/unit.h tests/unit/test_xlsx_cell.c
unit_xlsx_cell_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_xlsx_cell_LDADD = $(TYPES_UNIT_LIBS)

unit_command_SOURCES = tests/unit/unit.h tests/unit/test_command.c
unit_command_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_command_LDADD = $(TYPES_UNIT_LIBS)

unit_import_value_SOURCES = tests/unit/unit.h tests/unit/test_import_value.c
unit_import_value_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_import_value_LDADD = $(TYPES_UNIT_LIBS)

unit_page_sql_SOURCES = tests/unit/unit.h tests/unit/test_page_sql.c
unit_page_sql_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_page_sql_LDADD = $(TYPES_UNIT_LIBS)

unit_program_SOURCES = tests/unit/unit.h tests/unit/test_program.c
unit_program_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_program_LDADD = $(TYPES_UNIT_LIBS)

unit_checkpoint_SOURCES = tests/unit/unit.h tests/unit/directory.h tests/unit/test_checkpoint.c
unit_checkpoint_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_checkpoint_LDADD = $(TASK_LIBS) $(UNIT_LIBS)

unit_result_file_SOURCES = tests/unit/unit.h tests/unit/directory.h tests/unit/test_result_file.c
unit_result_file_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_result_file_LDADD = $(TASK_LIBS) $(UNIT_LIBS)
unit_result_file_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=write -Wl,--wrap=fsync -Wl,--wrap=fchmod \
	-Wl,--wrap=fstat -Wl,--wrap=mkdirat -Wl,--wrap=renameat

unit_kept_headers_SOURCES = tests/unit/unit.h tests/unit/test_kept_headers.c
unit_kept_headers_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_kept_headers_LDADD = $(API_LIBS) $(UNIT_LIBS)

unit_nginx_check_SOURCES = tests/unit/unit.h tests/unit/test_nginx_check.c tasks/ctl/nginx_conf.c \
	tasks/ctl/nginx_check.c
unit_nginx_check_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_nginx_check_LDADD = $(UNIT_LIBS)

unit_seal_SOURCES = tests/unit/unit.h tests/unit/test_seal.c
unit_seal_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_seal_LDADD = $(TASK_LIBS) $(UNIT_LIBS)

# the runner's parts that need no database
RUNNER_UNIT_LIBS = librunner.a $(TYPES_LIBS) $(STORE_LIBS) $(TASK_LIBS) $(DB_LIBS) $(UNIT_LIBS) $(SYSTEMD_LIBS)

unit_aside_SOURCES = tests/unit/unit.h tests/unit/test_aside.c
unit_aside_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_aside_LDADD = $(RUNNER_UNIT_LIBS)

unit_claim_SOURCES = tests/unit/unit.h tests/unit/test_claim.c
unit_claim_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_claim_LDADD = $(RUNNER_UNIT_LIBS)

unit_lanes_SOURCES = tests/unit/unit.h tests/unit/test_lanes.c
unit_lanes_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_lanes_LDADD = $(RUNNER_UNIT_LIBS)

unit_long_result_SOURCES = tests/unit/unit.h tests/unit/test_long_result.c
unit_long_result_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_long_result_LDADD = $(RUNNER_UNIT_LIBS)

unit_slot_SOURCES = tests/unit/unit.h tests/unit/test_slot.c
unit_slot_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_slot_LDADD = $(RUNNER_UNIT_LIBS)

unit_wire_SOURCES = tests/unit/unit.h tests/unit/test_wire.c
unit_wire_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_wire_LDADD = $(RUNNER_UNIT_LIBS)

unit_doorbell_SOURCES = tests/unit/unit.h tests/unit/test_doorbell.c
unit_doorbell_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)
unit_doorbell_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
endif
