/* SPDX-License-Identifier: MIT */
/* doctor_connect.h: whether each account and each source gets in, and which setting is wrong where it does not. */
#ifndef TASKS_CTL_DOCTOR_CONNECT_H
#define TASKS_CTL_DOCTOR_CONNECT_H

#include "store/doctor.h"
#include "task/catalogue.h"

/* Takes out of ACCOUNTS what does not get in, with the reason told; a server that is not there is told once. */
void doctor_accounts(const struct settings *s, struct doctor_accounts *accounts, const struct findings *f);

/* What exports, imports and backups read and write, as a runner's host has it: nothing is run or changed. */
void doctor_sources(const struct catalogue *c, const struct findings *f);

#endif
