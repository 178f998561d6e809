# SPDX-License-Identifier: MIT
# base: memory, buffers, clocks, log, settings, JSON; depends on no other layer

noinst_LIBRARIES += libbase.a
libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(UUID_CFLAGS) $(CONFUSE_CFLAGS) $(JSON_CFLAGS)
libbase_a_SOURCES = \
	include/base/buf.h tasks/base/buf.c \
	include/base/clock.h tasks/base/clock.c \
	include/base/compiler.h \
	include/base/db_address.h \
	include/base/error.h tasks/base/error.c \
	include/base/hex.h tasks/base/hex.c \
	include/base/json.h tasks/base/json.c tasks/base/json_scan.c \
	tasks/base/json_names.h tasks/base/json_names.c \
	include/base/log.h tasks/base/log.c \
	include/base/mem.h tasks/base/mem.c \
	include/base/process.h tasks/base/process.c tasks/base/process_tree.c \
	include/base/random.h tasks/base/random.c \
	include/base/settings.def include/base/settings.h tasks/base/settings.c \
	include/base/settings_doc.h tasks/base/settings_doc.c \
	tasks/base/settings_impl.h tasks/base/settings_check.c tasks/base/settings_keep.c \
	tasks/base/settings_name.c tasks/base/settings_parse.c \
	tasks/base/settings_command.c \
	tasks/base/settings_table.c tasks/base/settings_text.c tasks/base/settings_value.c \
	include/base/utf8.h tasks/base/utf8.c

BASE_LIBS = libbase.a $(CONFUSE_LIBS) $(JSON_LIBS) $(UUID_LIBS)
