/* Version of the program and the commit it was built from. */
#ifndef PL_BASE_VERSION_H
#define PL_BASE_VERSION_H

extern const char pl_version[]; /* "0.1.0" */
extern const char pl_commit[];  /* abbreviated hash, "-dirty" appended; "unknown" outside git */

#endif
