# SPDX-License-Identifier: MIT
# packaging: units of systemd, and the directories of sockets, to be copied by the operator (README.md)

packagingdir = $(pkgdatadir)/packaging
dist_packaging_DATA = packaging/backdesk-tmpfiles.conf
nodist_packaging_DATA = packaging/backdesk-api.service packaging/backdesk-runner.service

# A runner that was built without libsystemd does not say when it is ready, nor that it is alive.
if HAVE_SYSTEMD
UNIT_EDIT =
else
UNIT_EDIT = -e 's/^Type=notify$$/Type=exec/' -e '/^WatchdogSec=/d'
endif

packaging/%.service: $(srcdir)/packaging/%.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) packaging && \
	$(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@libexecdir[@]|$(libexecdir)|g' $(UNIT_EDIT) \
		$(srcdir)/packaging/$*.service.in >$@.tmp && mv $@.tmp $@

EXTRA_DIST += packaging/backdesk-api.service.in packaging/backdesk-runner.service.in
CLEANFILES += $(nodist_packaging_DATA)
