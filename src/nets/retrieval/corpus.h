/* Collections in files, inside this room: the reader and the writer of the format that README.md
 * tells.  Local. */
#ifndef PL_NETS_RETRIEVAL_CORPUS_H
#define PL_NETS_RETRIEVAL_CORPUS_H

#include "nets/retrieval/data.h"

/* All but count and member; *split: a part for each query, the caller's to free.  judged: the file
 * must say what is relevant.  PL_EINPUT names file, variable and index; *out then holds nothing. */
pl_status corpus_read(const pl_nc *nc, bool judged, pl_corpus *out, int64_t **split);
pl_status corpus_write(const pl_corpus *c, const int8_t *split, const char *path,
                       const pl_attribute *attributes, int num);

#endif
