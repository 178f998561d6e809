# SPDX-License-Identifier: MIT
# ctl: taskctl, the manual page of the configuration and its example

bin_PROGRAMS += taskctl
taskctl_CPPFLAGS = $(AM_CPPFLAGS)
taskctl_SOURCES = \
	tasks/ctl/cmd_check.c \
	tasks/ctl/cmd_check_nginx.c \
	tasks/ctl/cmd_doctor.c \
	tasks/ctl/cmd_migrate.c \
	tasks/ctl/cmd_pause.c \
	tasks/ctl/cmd_settings.c \
	tasks/ctl/cmd_token.c \
	tasks/ctl/cmd_types.c \
	tasks/ctl/command.h tasks/ctl/commands.def \
	tasks/ctl/nginx_check.h tasks/ctl/nginx_check.c \
	tasks/ctl/nginx_conf.h tasks/ctl/nginx_conf.c \
	tasks/ctl/doctor_connect.c tasks/ctl/doctor_connect.h \
	tasks/ctl/doctor_host.c tasks/ctl/doctor_host.h \
	tasks/ctl/taskctl.c
taskctl_LDADD = $(STORE_LIBS) $(DB_LIBS) $(TASK_LIBS) $(BASE_LIBS)

dist_man_MANS += tasks/ctl/taskctl.1

# The example and the settings' part of backdesk.conf(5) are written by taskctl itself, from the one
# table of settings; so no release and no change can forget one.
exampledir = $(sysconfdir)/backdesk
nodist_example_DATA = backdesk.conf.example
backdesk.conf.example: taskctl$(EXEEXT)
	$(AM_V_GEN)./taskctl$(EXEEXT) settings --example >$@.tmp && mv $@.tmp $@

nodist_man_MANS = backdesk.conf.5
backdesk.conf.5: taskctl$(EXEEXT) $(srcdir)/tasks/ctl/backdesk.conf.5.in
	$(AM_V_GEN)./taskctl$(EXEEXT) settings --man >$@.part && \
	$(SED) -e '/^@SETTINGS@$$/r $@.part' -e '/^@SETTINGS@$$/d' \
		$(srcdir)/tasks/ctl/backdesk.conf.5.in >$@.tmp && rm -f $@.part && mv $@.tmp $@

EXTRA_DIST += tasks/ctl/backdesk.conf.5.in
CLEANFILES += backdesk.conf.example backdesk.conf.5
