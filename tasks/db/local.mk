# SPDX-License-Identifier: MIT
# db: the only place that includes mysql.h

noinst_LIBRARIES += libdb.a
libdb_a_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
libdb_a_SOURCES = \
	include/base/db_address.h \
	include/db/db.h tasks/db/db.c \
	include/db/rows.h tasks/db/rows.c \
	tasks/db/impl.h tasks/db/stmt.c

DB_LIBS = libdb.a $(MYSQL_LIBS)
