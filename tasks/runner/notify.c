/* SPDX-License-Identifier: MIT */
/* notify.c: sd_notify, where it was built in. */
#include "notify.h"

#ifdef HAVE_SYSTEMD
#include <stdint.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_alive(void)
{
    static int64_t fed_ns;
    uint64_t interval_usec;
    int64_t now = clock_mono_ns();
    if (now - fed_ns < 500000000 || sd_watchdog_enabled(0, &interval_usec) <= 0)
        return;
    sd_notify(0, "WATCHDOG=1");
    fed_ns = now;
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}
#else
void notify_ready(void)
{
}

void notify_alive(void)
{
}

void notify_stopping(void)
{
}
#endif
