/* What the files of base/nc share: the one place that includes netcdf.h. */
#ifndef PL_BASE_NC_INTERNAL_H
#define PL_BASE_NC_INTERNAL_H

#include "base/nc.h"

#include <netcdf.h>
#include <sys/stat.h>

enum { PL_NC_MAX_RANK = 8, PL_NC_DEFLATE_LEVEL = 4, PL_NC_DESCRIPTION = 1024 };

struct pl_nc {
  int id;
  char *path;
  bool netcdf4, defining;
  struct stat file; /* at creation or opening; st_size: the least it may have */
  pl_status failed; /* of the first define, write or sync that failed */
  char *message;
};

_Static_assert(sizeof(long long) == sizeof(int64_t), "NetCDF's long long is int64_t here");

/* PL_OK for NC_NOERR, else a message "path: cannot <doing> 'name': reason". */
pl_status pl_nc_check(const pl_nc *nc, int rc, bool writing, const char *doing, const char *name);
/* The same when writing, kept for pl_nc_close. */
pl_status pl_nc_check_write(pl_nc *nc, int rc, const char *doing, const char *name);
pl_status pl_nc_keep(pl_nc *nc, pl_status st);
pl_status pl_nc_no_variable(const pl_nc *nc, const char *var);

/* The owner of an attribute: a variable or, for NULL, the file; -2 if there is no such variable. */
int pl_nc_owner(const pl_nc *nc, const char *var);
pl_nc_type pl_nc_type_of(nc_type type);
/* "numbers x(sample = 10, element = 24)", for messages about an existing variable. */
void pl_nc_describe(const pl_nc *nc, const char *var, char *buf); /* PL_NC_DESCRIPTION bytes */
void pl_nc_append(char *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A hyperslab that lies inside its variable. */
typedef struct pl_nc_slab {
  int var;
  size_t start[PL_NC_MAX_RANK], count[PL_NC_MAX_RANK];
} pl_nc_slab;
pl_status pl_nc_locate(const pl_nc *nc, const char *var, bool text, const int64_t *start,
                       const int64_t *count, pl_nc_slab *s);

/* Does the header of this file, if it is of a classic format, make sense, and has the file room for
 * what it describes?  The library trusts it: it crashes on some damaged ones, does not end on
 * others, and reads values beyond the end of the file as zeros.  Local. */
pl_status pl_nc_check_header(const char *path);

/* Does the HDF5 library get through this file, if it is one?  It crashes on some damaged files and
 * does not end on others, and what it reads is too intricate to be checked from outside: so all of
 * it (of long files the first 2^26 values) is read in a process of its own first, which may end
 * badly.  Twice the reading, but of netCDF-4 files alone, which the program itself never writes to
 * while it trains.  Local. */
pl_status pl_nc_try(const char *path);

#endif
