/* SPDX-License-Identifier: MIT */
/* nginx_conf.h: nginx's configuration as a tree, with its includes in their places. It knows the form of the
 * file, not what the directives mean. */
#ifndef TASKS_CTL_NGINX_CONF_H
#define TASKS_CTL_NGINX_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"

struct nginx_directive {
    const char *file;
    int line; /* where it begins */
    const char **words; /* the name and its arguments, without quotes; NULL at the end */
    size_t count;
    bool block;
    struct nginx_directive *parent, *first, *last, *next;
};

enum { NGINX_DEPTH_MAX = 64 };

/* Appends what TEXT says to PARENT. An include is one directive like any other. ERR_INVALID with file and line. */
int nginx_conf_parse(const char *file, const char *text, size_t len, struct arena *arena,
                     struct nginx_directive *parent, struct error *e) MUST_USE;

/* Reads PATH; what its include directives name, relative to PATH's directory, stands in their places. *ROOT is a
 * nameless block of ARENA. ERR_IO, ERR_INVALID with file and line. */
int nginx_conf_read(const char *path, struct arena *arena, struct nginx_directive **root,
                    struct error *e) MUST_USE;

/* Whether D's name is NAME. */
bool nginx_is(const struct nginx_directive *d, const char *name);

/* The first child of D of this name; NULL: none. */
const struct nginx_directive *nginx_child(const struct nginx_directive *d, const char *name);

/* The word AT of D, "" where it has fewer. */
const char *nginx_word(const struct nginx_directive *d, size_t at);

#endif
