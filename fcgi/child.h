/* SPDX-License-Identifier: MIT */
/* child.h: what one process needs to answer requests, made from a configuration. */
#ifndef FCGI_CHILD_H
#define FCGI_CHILD_H

#include "base/compiler.h"
#include "base/error.h"
#include "fcgi/supervisor.h"
#include "task/catalogue.h"

/* Serves as a child of the pool until it has drained; returns its exit status. */
int child_serve(const struct catalogue *catalogue, const struct child_descriptors *descriptors);

/* Answers one CGI request from the environment and IN on OUT; returns the program's exit status. */
int child_answer_one(const struct catalogue *catalogue, int in, int out);

#endif
