/* SPDX-License-Identifier: MIT */
/* watch.h: what must be said before a thread waits. */
#ifndef FCGI_WATCH_H
#define FCGI_WATCH_H

/* A worker that has just taken requests still has the watch of its pool (pool.h), so that it can go on with them,
 * and perhaps take more, without waking anybody. Before it waits for the database, a disk, a lock that is held for
 * long or a peer that is slow, it leaves the watch to another thread by this. Does nothing in any other thread. */
void watch_leave(void);

#endif
