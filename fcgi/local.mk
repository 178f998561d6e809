# SPDX-License-Identifier: MIT
# fcgi: the API; the only place that includes fcgiapp.h

noinst_LIBRARIES += libapi.a
libapi_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(FCGI_CFLAGS) $(JSON_CFLAGS) $(CRYPTO_CFLAGS)
libapi_a_SOURCES = \
	fcgi/accel.h fcgi/accel.c \
	fcgi/admission.h fcgi/admission.c \
	fcgi/backend.h fcgi/backend.c \
	fcgi/body_file.h fcgi/body_file.c \
	fcgi/breaker.h fcgi/breaker.c \
	fcgi/capture.h fcgi/capture.c \
	fcgi/cgi.h fcgi/cgi.c \
	fcgi/child.h fcgi/child.c \
	fcgi/combine.h fcgi/combine.c \
	fcgi/conn.h fcgi/conn.c \
	fcgi/creator.h fcgi/creator.c \
	fcgi/cursor.h fcgi/cursor.c \
	fcgi/disposition.h fcgi/disposition.c \
	fcgi/exchange.h fcgi/exchange.c \
	fcgi/gateway.h fcgi/gateway.c \
	fcgi/handle_about.c fcgi/handle_attempts.c fcgi/handle_cancel.c fcgi/handle_create.c \
	fcgi/handle_defer.c \
	fcgi/handle_download.c fcgi/handle_export.c fcgi/handle_list.c fcgi/handle_result.c \
	fcgi/handle_job.c fcgi/job.h \
	fcgi/handle_task.c fcgi/handle_upload.c fcgi/handle_worker.c \
	fcgi/idempotency.h fcgi/idempotency.c \
	fcgi/kept_headers.h fcgi/kept_headers.c \
	fcgi/outcome.h \
	fcgi/page.h fcgi/page.c \
	fcgi/poller.c \
	fcgi/pool.h fcgi/pool.c \
	fcgi/precondition.h fcgi/precondition.c \
	fcgi/prefer.h fcgi/prefer.c \
	fcgi/problem.h fcgi/problem.c fcgi/problems.def \
	fcgi/quota.h fcgi/quota.c \
	fcgi/reference.h fcgi/reference.c \
	fcgi/request.h fcgi/request.c \
	fcgi/response.h fcgi/response.c \
	fcgi/ring.h fcgi/ring.c \
	fcgi/route.h fcgi/route.c fcgi/routes.def \
	fcgi/stats.h fcgi/stats.c \
	fcgi/stored_answer.h fcgi/stored_answer.c \
	fcgi/store_pool.h fcgi/store_pool.c \
	fcgi/supervisor.h fcgi/supervisor.c \
	fcgi/task_input.h fcgi/task_input.c \
	fcgi/tokens.h fcgi/tokens.c \
	fcgi/transport.h \
	fcgi/url.h fcgi/url.c \
	fcgi/view.h fcgi/view_attempt.c fcgi/view_export.c fcgi/view_member.c fcgi/view_runner.c \
	fcgi/view_task.c \
	fcgi/waiters.h fcgi/waiters.c \
	fcgi/watch.h

API_LIBS = libapi.a $(STORE_LIBS) $(DB_LIBS) $(TASK_LIBS) $(BASE_LIBS) $(FCGI_LIBS)

libexecprogdir = $(libexecdir)/backdesk
libexecprog_PROGRAMS = tasks.fcgi
tasks_fcgi_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(JSON_CFLAGS)
tasks_fcgi_SOURCES = fcgi/main.c
tasks_fcgi_LDADD = $(API_LIBS)

dist_man_MANS += fcgi/tasks.fcgi.8
nobase_dist_doc_DATA += fcgi/API.md
