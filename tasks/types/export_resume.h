/* SPDX-License-Identifier: MIT */
/* export_resume.h: how an export notes now and then how far it is, and goes on from there in another
 * attempt. It knows the rows' source, the format and the file, and nothing of how any of them works. */
#ifndef TASKS_TYPES_EXPORT_RESUME_H
#define TASKS_TYPES_EXPORT_RESUME_H

#include "export.h"

struct export_resume {
    const struct export_format *format;
    int64_t interval_ns;
    int64_t next_ns; /* by row_source_clock, when the next note is due; INT64_MAX = never */
    bool noted;      /* there has been one */
    unsigned char fingerprint[CHECKPOINT_DIGEST];
    struct buf state;
};

/* W has its source, its columns and its file. */
void export_resume_init(struct export_resume *x, struct export_writer *w,
                        const struct export_format *format, const struct export_call *call);

/* 1 where an earlier attempt has left a beginning: file, source and format stand behind its last row; 0
 * where the export begins at its beginning; negative with the failure in W's error or in O. */
int export_resume_begin(struct export_resume *x, struct export_writer *w, struct run_outcome *o);

static inline bool export_resume_due(const struct export_resume *x, const struct export_writer *w)
{
    return row_source_clock(w->source) >= x->next_ns && output_resumable(w->out);
}

/* Between two rows, when one is due. WAIT: until it is on the disk. */
void export_resume_note(struct export_resume *x, struct export_writer *w, bool wait);

/* Between two rows, when no further one comes: notes where the run has ended, unless it was short. */
void export_resume_last(struct export_resume *x, struct export_writer *w);

void export_resume_free(struct export_resume *x);

#endif
