/* The lines of a file of rankings (group/rankings.h), before equal orders are made one.  Inside
 * group/ only. */
#ifndef PL_GROUP_RANKINGS_TEXT_H
#define PL_GROUP_RANKINGS_TEXT_H

#include "group/rankings.h"

typedef struct rankings_text {
  pl_rankings *r; /* num, ballots, rank, count, name in the order of the lines */
  int8_t *listed; /* [num]: items that the line has, of which the last ones may be missing */
  int64_t voters, unique; /* by the header; -1: not given */
  int voters_line, unique_line;
} rankings_text;

/* Read the lines of text, which ends in a zero and is spent.  Whatever happens, what is in *out is
 * the caller's (pl_rankings_free, pl_free of listed).  PL_EINPUT. */
pl_status rankings_text_read(const char *path, char *text, const pl_rankings_how *how,
                             rankings_text *out);

#endif
