# SPDX-License-Identifier: MIT
# task: what task types there are, and the checks of their data; no code of a type

noinst_LIBRARIES += libtask.a
libtask_a_CPPFLAGS = $(AM_CPPFLAGS) $(JSON_CFLAGS) $(CRYPTO_CFLAGS)
libtask_a_SOURCES = \
	include/task/catalogue.h tasks/task/catalogue.c \
	tasks/task/catalogue_types.c tasks/task/catalogue_exports.c tasks/task/catalogue_find.c tasks/task/catalogue_impl.h \
	include/task/command.h tasks/task/command.c \
	include/task/query.h tasks/task/query.c \
	include/task/checkpoint.h tasks/task/checkpoint.c \
	include/task/request.h tasks/task/request.c \
	include/task/result_file.h tasks/task/result_file.c tasks/task/result_file_impl.h \
	tasks/task/result_checkpoint.c tasks/task/result_resume.c \
	tasks/task/result_path.h tasks/task/result_path.c tasks/task/result_remove.c \
	include/task/run.h tasks/task/outcome.c \
	include/task/seal.h tasks/task/seal.c \
	include/task/stored_response.h tasks/task/stored_response.c \
	include/task/type.h tasks/task/types.c \
	include/task/upload.h tasks/task/upload.c \
	include/task/validate.h tasks/task/validate.c \
	include/task/work_dir.h tasks/task/work_dir.c tasks/task/tree_remove.c \
	tasks/task/describe.c \
	tasks/task/param.h tasks/task/param.c \
	tasks/task/schema.c

TASK_LIBS = libtask.a $(CRYPTO_LIBS) -lm
