# SPDX-License-Identifier: MIT
# store: a program that says the store's verbs to a database, and one that checks the layer below; the tests around
# them are pytest's

check_PROGRAMS += tests/store/drive_store
tests_store_drive_store_SOURCES = tests/store/drive.h tests/store/drive_api.c tests/store/drive_json.c \
	tests/store/drive_runner.c tests/store/drive_store.c
tests_store_drive_store_CPPFLAGS = $(AM_CPPFLAGS) $(JSON_CFLAGS)
tests_store_drive_store_LDADD = $(STORE_LIBS) $(DB_LIBS) $(BASE_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/store/check_db
tests_store_check_db_SOURCES = tests/unit/unit.h tests/store/check_db.c
tests_store_check_db_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_store_check_db_LDADD = $(DB_LIBS) $(UNIT_LIBS)
endif

EXTRA_DIST += \
	tests/store/conftest.py \
	tests/store/relay.py \
	tests/store/statements.py \
	tests/store/test_claim.py \
	tests/store/test_db.py \
	tests/store/test_doctor.py \
	tests/store/test_finish.py \
	tests/store/test_list.py \
	tests/store/test_migrate.py \
	tests/store/test_rights.py \
	tests/store/test_runners.py \
	tests/store/test_states.py \
	tests/store/test_submit.py \
	tests/store/test_trouble.py
