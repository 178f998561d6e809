/* SPDX-License-Identifier: MIT */
/* notify.h: readiness and watchdog messages to systemd; nothing where there is no systemd. */
#ifndef TASKS_RUNNER_NOTIFY_H
#define TASKS_RUNNER_NOTIFY_H

void notify_ready(void);
void notify_alive(void); /* feeds the watchdog if one is set; may be called often */
void notify_stopping(void);

#endif
