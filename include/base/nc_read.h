/* What a user gives in NetCDF files, read strictly: numbers that are there and finite, on the
 * dimensions that were asked for, and labels in a known order.  Local.
 *
 * Meaning follows CF and what xarray and netCDF4-python do.  A value is missing if it equals
 * _FillValue, one of missing_value, or, where the variable has no _FillValue, the fill value of its
 * type (not for bytes, in which every value is a number, nor where the file switched filling off),
 * or lies outside valid_range, valid_min, valid_max.  _Unsigned is obeyed, then scale_factor and
 * add_offset.  Missing values and what is not finite are PL_EINPUT and named with their index:
 * "f.nc: x[3, 17] is missing: it equals _FillValue". */
#ifndef PL_BASE_NC_READ_H
#define PL_BASE_NC_READ_H

#include "base/nc.h"

typedef enum {
  PL_NC_REAL,   /* any numbers */
  PL_NC_INTEGER /* whole ones, below 2^63; scale_factor and add_offset are refused */
} pl_nc_number;

/* A dimension that is wanted. */
typedef struct pl_nc_axis {
  const char *name; /* NULL: any */
  int64_t length;   /* -1: any; set to what was found */
  const char *is;   /* may be NULL: what length is, for messages, "the order of S_4" */
} pl_nc_axis;

/* A variable to read numbers from.  Opaque: what its attributes say. */
typedef struct pl_nc_input pl_nc_input;

/* Find var, numbers on exactly these dimensions (ndims up to 8; 0: a scalar).  PL_EINPUT names what
 * was found and what was wanted: no such variable, text, strings, types of the user's own, other
 * dimensions (also in another order), other lengths, attributes that make no sense.  No values are
 * read.  nc is borrowed until pl_nc_input_free. */
pl_status pl_nc_input_new(const pl_nc *nc, const char *var, pl_nc_number number, int ndims,
                          pl_nc_axis *axes, pl_nc_input **out);
void pl_nc_input_free(pl_nc_input *in); /* may be NULL */

/* A hyperslab, as in pl_nc_get_doubles, each value checked.  Needs no room beside v. */
pl_status pl_nc_input_doubles(const pl_nc_input *in, const int64_t *start, const int64_t *count,
                              double *v);
/* PL_NC_INTEGER only. */
pl_status pl_nc_input_ints(const pl_nc_input *in, const int64_t *start, const int64_t *count,
                           int64_t *v);

/* An attribute of var that is one whole number, from least to most.  Absent, *out keeps its value;
 * PL_EINPUT: it is text, several numbers, or another one. */
pl_status pl_nc_input_count(const pl_nc *nc, const char *var, const char *name, int64_t least,
                            int64_t most, int64_t *out);

/* Called with rows first .. first + rows - 1 of the slowest dimension, row[rows][row length]. */
typedef pl_status pl_nc_visit(void *context, int64_t first, int64_t rows, const double *row);
/* All values, as many rows at a time as fit `room` doubles, one at least.  visit may be NULL: all
 * are checked then.  Ends with the first status that is not PL_OK. */
pl_status pl_nc_input_each(const pl_nc_input *in, int64_t room, pl_nc_visit *visit, void *context);

/* Label number i into buf as snprintf does. */
typedef int pl_nc_label(const void *context, int64_t i, char *buf, size_t n);
/* n labels that var(dim) or, of characters, var(dim, any) holds: text, strings, or numbers, which
 * count from 0.  Blanks and zero bytes at their ends do not count.  *order is NULL if they are
 * those of expected in its order; if they are all of them in another order, order[k] is the number
 * that the k-th of the file has there (the caller frees it, pl_free), which is looked for up to
 * PL_NC_MOST_SORTED labels.  PL_EINPUT: the first that is unknown, stands twice or, of more labels,
 * is not expected there.  what names the labels in messages ("elements of S_3"). */
enum { PL_NC_MOST_SORTED = 50000000 };
pl_status pl_nc_labels(const pl_nc *nc, const char *var, const char *dim, int64_t n,
                       pl_nc_label *expected, const void *context, const char *what,
                       int64_t **order);

#endif
