/* Reading an output file many runs at a time: what is asked for run by run comes out of a window of
 * consecutive runs that record alike.  Local. */
#ifndef PL_RUN_RECORD_WINDOW_H
#define PL_RUN_RECORD_WINDOW_H

#include "base/nc.h"
#include "run/outline.h"
#include "run/train.h"

typedef struct pl_record_window pl_record_window;

/* nc and outline are borrowed. */
pl_record_window *pl_record_window_new(const pl_nc *nc, const pl_outline *outline);
void pl_record_window_free(pl_record_window *w);
/* The file has changed, in runs up to `run` or in all (INT64_MAX): they are read anew. */
void pl_record_window_forget(pl_record_window *w, int64_t run);

/* As pl_recorder_run, _ranks and _read. */
pl_status pl_record_window_run(pl_record_window *w, int64_t run, pl_outcome *out);
pl_status pl_record_window_ranks(pl_record_window *w, int64_t run, int *out);
pl_status pl_record_window_read(pl_record_window *w, int64_t run, int64_t index, double *values);

#endif
