/* SPDX-License-Identifier: MIT */
/* nginx_check.h: whether locations that defer do so, and are protected as their operator thinks. nginx itself
 * accepts all of what is found here. */
#ifndef TASKS_CTL_NGINX_CHECK_H
#define TASKS_CTL_NGINX_CHECK_H

#include "base/settings.h"
#include "nginx_conf.h"

/* What is wrong with ROOT goes to REPORT; S (may be NULL) says where replays are sent. Returns how many locations
 * defer. */
size_t nginx_check(const struct nginx_directive *root, const struct settings *s, struct settings_report *report);

#endif
