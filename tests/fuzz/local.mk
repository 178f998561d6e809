# SPDX-License-Identifier: MIT
# fuzz: one target per parser. `make check` replays the corpus; with --enable-fuzzers (clang) the
# programs are libFuzzer's: ./fuzz_json -max_total_time=600 new/ tests/fuzz/corpus/json

fuzz_targets = \
	fuzz_cells \
	fuzz_checkpoint \
	fuzz_csv \
	fuzz_headers \
	fuzz_import \
	fuzz_json \
	fuzz_nginx \
	fuzz_progress \
	fuzz_query \
	fuzz_request \
	fuzz_response \
	fuzz_settings \
	fuzz_url

check_PROGRAMS += $(fuzz_targets)

if FUZZERS
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZ_MAIN =
else
FUZZ_LINK = $(AM_LDFLAGS)
FUZZ_MAIN = tests/fuzz/driver.c
endif

fuzz_cells_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_cells.c $(FUZZ_MAIN)
fuzz_cells_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
fuzz_cells_LDFLAGS = $(FUZZ_LINK)
fuzz_cells_LDADD = $(TYPES_LIBS) $(TASK_LIBS) $(DB_LIBS) $(BASE_LIBS)

fuzz_csv_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_csv.c $(FUZZ_MAIN)
fuzz_csv_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
fuzz_csv_LDFLAGS = $(FUZZ_LINK)
fuzz_csv_LDADD = $(TYPES_LIBS) $(BASE_LIBS)

fuzz_checkpoint_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_checkpoint.c $(FUZZ_MAIN)
fuzz_checkpoint_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
fuzz_checkpoint_LDFLAGS = $(FUZZ_LINK)
fuzz_checkpoint_LDADD = $(TASK_LIBS) $(BASE_LIBS)

fuzz_import_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_import.c $(FUZZ_MAIN)
fuzz_import_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
fuzz_import_LDFLAGS = $(FUZZ_LINK)
fuzz_import_LDADD = $(TYPES_LIBS) $(TASK_LIBS) $(DB_LIBS) $(BASE_LIBS)

fuzz_headers_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_headers.c $(FUZZ_MAIN)
fuzz_headers_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(JSON_CFLAGS)
fuzz_headers_LDFLAGS = $(FUZZ_LINK)
fuzz_headers_LDADD = $(API_LIBS)

fuzz_json_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_json.c $(FUZZ_MAIN)
fuzz_json_CPPFLAGS = $(AM_CPPFLAGS) $(JSON_CFLAGS)
fuzz_json_LDFLAGS = $(FUZZ_LINK)
fuzz_json_LDADD = $(BASE_LIBS)

fuzz_progress_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_progress.c $(FUZZ_MAIN)
fuzz_progress_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
fuzz_progress_LDFLAGS = $(FUZZ_LINK)
fuzz_progress_LDADD = $(TYPES_LIBS) $(TASK_LIBS) $(BASE_LIBS)

fuzz_nginx_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_nginx.c tasks/ctl/nginx_conf.c \
	tasks/ctl/nginx_check.c $(FUZZ_MAIN)
fuzz_nginx_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
fuzz_nginx_LDFLAGS = $(FUZZ_LINK)
fuzz_nginx_LDADD = $(BASE_LIBS)

fuzz_query_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_query.c $(FUZZ_MAIN)
fuzz_query_LDFLAGS = $(FUZZ_LINK)
fuzz_query_LDADD = $(TASK_LIBS) $(BASE_LIBS)

fuzz_request_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_request.c $(FUZZ_MAIN)
fuzz_request_LDFLAGS = $(FUZZ_LINK)
fuzz_request_LDADD = $(TASK_LIBS) $(BASE_LIBS)

fuzz_response_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_response.c $(FUZZ_MAIN)
fuzz_response_LDFLAGS = $(FUZZ_LINK)
fuzz_response_LDADD = $(TASK_LIBS) $(BASE_LIBS)

fuzz_settings_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_settings.c $(FUZZ_MAIN)
fuzz_settings_LDFLAGS = $(FUZZ_LINK)
fuzz_settings_LDADD = $(TASK_LIBS) $(BASE_LIBS)

fuzz_url_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_url.c $(FUZZ_MAIN)
fuzz_url_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
fuzz_url_LDFLAGS = $(FUZZ_LINK)
fuzz_url_LDADD = $(API_LIBS)

TESTS += tests/fuzz/replay
EXTRA_DIST += tests/fuzz/replay tests/fuzz/driver.c tests/fuzz/corpus
