/* Records and the fates of runs on their way to the file, written together.  A run of ten steps
 * leaves hundreds of numbers in thirty variables: one by one they cost more than the training.
 * Gathered, those of consecutive runs and records lie side by side in every variable and are
 * written as slabs.  Local. */
#ifndef PL_RUN_RECORD_BUFFER_H
#define PL_RUN_RECORD_BUFFER_H

#include "base/nc.h"
#include "run/outline.h"
#include "run/train.h"

typedef struct pl_record_buffer pl_record_buffer;

/* nc and outline are borrowed. */
pl_record_buffer *pl_record_buffer_new(pl_nc *nc, const pl_outline *outline);
/* What has not been flushed is lost; b may be NULL. */
void pl_record_buffer_free(pl_record_buffer *b);

/* As pl_recorder_start, _record and _end; values are copied. */
void pl_record_buffer_start(pl_record_buffer *b, int64_t run, int ranks);
void pl_record_buffer_take(pl_record_buffer *b, int64_t run, int64_t index, const double *values,
                           int64_t n);
void pl_record_buffer_end(pl_record_buffer *b, int64_t run, const pl_outcome *outcome);
/* Bytes held, and pl_clock of the oldest of it; 0 and infinity: nothing. */
size_t pl_record_buffer_bytes(const pl_record_buffer *b);
double pl_record_buffer_oldest(const pl_record_buffer *b);

/* Write all of it, in an order that leaves a file with a meaning wherever a kill cuts it: runs
 * begin, then measures, then `step`, which makes records whole, then how runs ended, their `status`
 * last.  Does not sync.  What was held is gone, also after a failure. */
pl_status pl_record_buffer_flush(pl_record_buffer *b);

/* All that is held is gone. */
void pl_record_buffer_drop(pl_record_buffer *b);

/* Where measure i of a run's records lies along (run, record, axis): at[2] and count[2]. */
void pl_record_place(const pl_outline *o, const pl_schema *s, int i, int64_t at[3],
                     int64_t count[3]);

#endif
