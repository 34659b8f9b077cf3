/* Files that are nothing once the program ends: its lock, and what has not got its name yet.  Where
 * a signal ends the program they go with it.  Local. */
#ifndef PL_BASE_REMAINS_H
#define PL_BASE_REMAINS_H

/* From now on SIGTERM, SIGINT, SIGHUP and SIGXCPU, where nobody handles them, remove the file at
 * path (copied) before they end the program, if it is still the one that is there now. */
void pl_remains_add(const char *path);
/* The file at path has its name, or is gone. */
void pl_remains_drop(const char *path);

#endif
