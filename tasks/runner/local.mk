# SPDX-License-Identifier: MIT
# runner: taskrunner, its dispatcher and its workers

noinst_LIBRARIES += librunner.a
librunner_a_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS)
librunner_a_SOURCES = \
	tasks/runner/aside.h tasks/runner/aside.c \
	tasks/runner/claim.h tasks/runner/claim.c \
	tasks/runner/dispatcher.h tasks/runner/dispatcher.c \
	tasks/runner/endings.h tasks/runner/endings.c \
	tasks/runner/housekeeping.c tasks/runner/lease.c tasks/runner/look.c tasks/runner/turnover.c \
	tasks/runner/turn.h tasks/runner/turn.c \
	tasks/runner/impl.h \
	tasks/runner/lanes.h tasks/runner/lanes.c \
	tasks/runner/long_result.h tasks/runner/long_result.c \
	tasks/runner/notify.h tasks/runner/notify.c \
	tasks/runner/pool.h tasks/runner/pool_impl.h tasks/runner/pool.c tasks/runner/pool_work.c \
	tasks/runner/run_impl.h tasks/runner/run.c \
	tasks/runner/slot.h tasks/runner/slot.c \
	tasks/runner/wire.h tasks/runner/wire.c \
	tasks/runner/worker.h tasks/runner/worker.c tasks/runner/worker_many.c

dist_man_MANS += tasks/runner/taskrunner.8
sbin_PROGRAMS += taskrunner
taskrunner_SOURCES = tasks/runner/main.c
taskrunner_LDADD = librunner.a $(TYPES_LIBS) $(STORE_LIBS) $(TASK_LIBS) $(DB_LIBS) $(BASE_LIBS) \
	$(SYSTEMD_LIBS)
