# SPDX-License-Identifier: MIT
# store: the task table as verbs; its SQL is in states.def and statements.def

noinst_LIBRARIES += libstore.a
libstore_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
libstore_a_SOURCES = \
	include/store/change.h tasks/store/cancel.c tasks/store/change.c \
	include/store/claim.h tasks/store/claim.c tasks/store/finish.c \
	tasks/store/look.c tasks/store/runner.c tasks/store/sweep.c \
	include/store/doctor.h tasks/store/doctor.c tasks/store/doctor_impl.h \
	tasks/store/doctor_queue.c tasks/store/doctor_server.c tasks/store/doctor_source.c \
	include/store/doorbell.h tasks/store/doorbell.c \
	include/store/http_request.h tasks/store/http_request.c \
	include/store/history.h tasks/store/history.c \
	include/store/migrate.h tasks/store/migrate.c \
	include/store/query.h tasks/store/list.c tasks/store/query.c \
	include/store/states.def tasks/store/move.c \
	include/store/store.h tasks/store/store.c \
	include/store/submit.h tasks/store/reserve.c tasks/store/submit.c tasks/store/submit_once.c \
	include/store/task.h \
	include/store/token.h tasks/store/token.c \
	include/store/upload.h tasks/store/upload.c \
	tasks/store/impl.h tasks/store/statements.def tasks/store/statements.h

STORE_LIBS = libstore.a $(CRYPTO_LIBS)
