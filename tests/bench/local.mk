# SPDX-License-Identifier: MIT
# bench: tests/bench/run measures; make check only compiles the peers in C, so that they do not rot

bench_peers = tests/bench/export_bare tests/bench/fork_bare tests/bench/insert_bare tests/bench/page_bare \
	tests/bench/queue_bare
check_PROGRAMS += $(bench_peers)
BENCH_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)

tests_bench_queue_bare_SOURCES = tests/bench/peers/bench.h tests/bench/peers/queue_bare.c
tests_bench_queue_bare_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_queue_bare_LDADD = $(MYSQL_LIBS)

tests_bench_page_bare_SOURCES = tests/bench/peers/bench.h tests/bench/peers/page_bare.c
tests_bench_page_bare_CPPFLAGS = $(BENCH_CPPFLAGS) $(FCGI_CFLAGS)
tests_bench_page_bare_LDADD = $(MYSQL_LIBS) $(FCGI_LIBS)

tests_bench_export_bare_SOURCES = tests/bench/peers/bench.h tests/bench/peers/export_bare.c
tests_bench_export_bare_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_export_bare_LDADD = $(MYSQL_LIBS)

tests_bench_fork_bare_SOURCES = tests/bench/peers/bench.h tests/bench/peers/fork_bare.c
tests_bench_fork_bare_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_fork_bare_LDADD = $(MYSQL_LIBS)

tests_bench_insert_bare_SOURCES = tests/bench/peers/bench.h tests/bench/peers/insert_bare.c
tests_bench_insert_bare_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_insert_bare_LDADD = $(MYSQL_LIBS)

EXTRA_DIST += tests/bench/README.md tests/bench/growth.svg tests/bench/plot tests/bench/run tests/bench/harness.py \
	tests/bench/place.py tests/bench/web.py tests/bench/bench_create.py tests/bench/bench_defer.py \
	tests/bench/bench_export.py tests/bench/bench_growth.py tests/bench/bench_import.py \
	tests/bench/bench_latency.py tests/bench/bench_programs.py tests/bench/bench_queue.py \
	tests/bench/bench_read.py tests/bench/peers/export.js tests/bench/peers/export.php \
	tests/bench/peers/import.php tests/bench/peers/package-lock.json tests/bench/peers/package.json \
	tests/bench/peers/page.php tests/bench/peers/pg_queue.js \
	tests/bench/peers/request.lua tests/bench/peers/server.js tests/bench/peers/stamp.py
