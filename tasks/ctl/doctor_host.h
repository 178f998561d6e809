/* SPDX-License-Identifier: MIT */
/* doctor_host.h: what of this host stands in Backdesk's way: directories, space, files. */
#ifndef TASKS_CTL_DOCTOR_HOST_H
#define TASKS_CTL_DOCTOR_HOST_H

#include "base/settings.h"
#include "store/doctor.h"

/* Everything that can be seen without the database. */
void doctor_host(const struct settings *s, const struct findings *f);

/* Are the newest files that rows name there? By the account of the runner. */
void doctor_files(const struct settings *s, const struct db_address *runner, const struct findings *f);

#endif
