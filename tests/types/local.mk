# SPDX-License-Identifier: MIT
# types: runs one task of a type without queue and runner; the tests around it are pytest's

check_PROGRAMS += tests/types/run_type
tests_types_run_type_SOURCES = tests/types/run_type.c
tests_types_run_type_LDADD = $(TYPES_LIBS) $(TASK_LIBS) $(DB_LIBS) $(BASE_LIBS)
