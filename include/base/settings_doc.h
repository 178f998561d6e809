/* SPDX-License-Identifier: MIT */
/* settings_doc.h: the table of settings written for people. Reads settings.def, never a file. */
#ifndef BASE_SETTINGS_DOC_H
#define BASE_SETTINGS_DOC_H

#include "base/buf.h"

void settings_doc_text(struct buf *out);    /* one paragraph per setting, for a terminal */
void settings_doc_example(struct buf *out); /* a configuration file with every setting in it */
void settings_doc_man(struct buf *out);     /* the same as man(7) source, for backdesk.conf(5) */

#endif
