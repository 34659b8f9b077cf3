/* The grammar of CDF-1, CDF-2 and CDF-5: NetCDF User's Guide, file format specification. */
#include "nc_internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <unistd.h>

enum { WINDOW = 1 << 16, MOST_NAME = 256, MOST_RANK = 1024 };
enum { DIMENSIONS = 10, VARIABLES = 11, ATTRIBUTES = 12 };

/* Reads a header from its start; once something is wrong all reads give 0. */
typedef struct scanner {
  const char *path;
  int fd, version;
  int64_t size, at; /* of the file, and of what comes next */
  unsigned char *window;
  int64_t from, have;
  pl_status st;
} scanner;

static void wrong(scanner *s, const char *what) {
  if (!s->st)
    s->st = pl_error(PL_EINPUT, "%s: a damaged NetCDF file: %s, before byte %lld", s->path, what,
                     (long long)s->at);
}

/* n bytes (few), big end first. */
static uint64_t number(scanner *s, int n) {
  if (!s->st && s->at + n > s->size) wrong(s, "its header ends early");
  if (s->st) return 0;
  if (s->at < s->from || s->at + n > s->from + s->have) {
    ssize_t got = pread(s->fd, s->window, WINDOW, s->at);
    s->from = s->at;
    s->have = got > 0 ? got : 0;
    if (s->have < n) wrong(s, "its header cannot be read");
    if (s->st) return 0;
  }
  uint64_t x = 0;
  for (int i = 0; i < n; i++) x = x << 8 | s->window[s->at++ - s->from];
  return x;
}

/* A length: never negative, and of things that take `each` bytes of the file at least. */
static int64_t count(scanner *s, int64_t each, const char *what) {
  uint64_t n = number(s, s->version == 5 ? 8 : 4);
  if (n > INT64_MAX || (s->version < 5 && n > INT32_MAX) ||
      (each && (int64_t)n > (s->size - s->at) / each)) {
    wrong(s, what);
    return 0;
  }
  return (int64_t)n;
}

static void skip(scanner *s, int64_t n) {
  s->at += (n + 3) / 4 * 4;
  if (s->at > s->size) wrong(s, "its header ends early");
}

/* Number of entries of a list with this tag; an absent list has tag and number 0. */
static int64_t list(scanner *s, uint64_t tag, int64_t each) {
  uint64_t found = number(s, 4);
  int64_t n = count(s, each, "a list longer than the file");
  if (found != tag && (found || n)) wrong(s, "a list with another list's mark");
  return n;
}

static void name(scanner *s) {
  int64_t n = count(s, 1, "a name longer than the file");
  if (!s->st && (n < 1 || n > MOST_NAME)) wrong(s, "a name of impossible length");
  skip(s, n);
}

/* Bytes of a type, 0 if there is none of that number. */
static int64_t type(scanner *s) {
  static const int64_t bytes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
  uint64_t t = number(s, 4);
  int64_t n = t <= (s->version == 5 ? 11 : 6) ? bytes[t] : 0;
  if (!n) wrong(s, "a type that does not exist");
  return n;
}

static void attributes(scanner *s) {
  for (int64_t n = list(s, ATTRIBUTES, 12); n > 0 && !s->st; n--) {
    name(s);
    int64_t each = type(s), values = count(s, each, "an attribute longer than the file");
    skip(s, values * each);
  }
}

/* Lengths of all dimensions; of the unlimited one 0. */
static int64_t *dimensions(scanner *s, int64_t *n) {
  *n = list(s, DIMENSIONS, 12);
  int64_t *length = pl_zalloc((size_t)*n + 1, sizeof *length, "dimensions"), unlimited = 0;
  for (int64_t i = 0; i < *n && !s->st; i++) {
    name(s);
    length[i] = count(s, 0, "a dimension of negative length");
    if (!length[i] && unlimited++) wrong(s, "a second unlimited dimension");
  }
  return length;
}

typedef struct extent {
  double end, all;          /* of what is fixed: where it ends; bytes of all of it */
  double start, per_record; /* of what has records */
  int64_t shorter;          /* bytes of a record without its padding, if one variable has it */
  int records;              /* variables */
} extent;

static void variable(scanner *s, const int64_t *length, int64_t dims, extent *e) {
  name(s);
  int64_t rank = count(s, 4, "a variable with more dimensions than fit the file");
  double bytes = 1;
  bool record = false;
  if (rank > MOST_RANK) wrong(s, "a variable with too many dimensions");
  for (int64_t d = 0; d < rank && !s->st; d++) {
    int64_t id = count(s, 0, "a dimension of negative number");
    if (!s->st && id >= dims) wrong(s, "a dimension that does not exist");
    if (!s->st && !length[id] && d) wrong(s, "an unlimited dimension that is not the first");
    if (s->st) return;
    if (!length[id])
      record = true;
    else
      bytes *= (double)length[id];
  }
  attributes(s);
  bytes *= (double)type(s);
  number(s, s->version == 5 ? 8 : 4); /* its size: too small a number for large ones, so unused */
  double begin = (double)number(s, s->version == 1 ? 4 : 8);
  if (s->st) return;
  if (begin > (double)s->size && !record) {
    s->st = pl_error(PL_EINPUT, "%s: truncated: %lld bytes, but a variable begins at byte %.0f",
                     s->path, (long long)s->size, begin);
    return;
  }
  if (!record) {
    e->all += bytes;
    if (begin + bytes > e->end) e->end = begin + bytes;
    return;
  }
  if (!e->records++ || begin < e->start) e->start = begin;
  e->shorter = bytes < 9e18 ? (int64_t)bytes : INT64_MAX;
  e->per_record += bytes < 9e18 ? (double)(((int64_t)bytes + 3) / 4 * 4) : bytes;
}

static void scan(scanner *s) {
  uint64_t streaming = s->version == 5 ? UINT64_MAX : UINT32_MAX,
           records = number(s, s->version == 5 ? 8 : 4);
  int64_t dims, *length = dimensions(s, &dims);
  extent e = {0};
  attributes(s);
  for (int64_t n = s->st ? 0 : list(s, VARIABLES, 28); n > 0 && !s->st; n--)
    variable(s, length, dims, &e);
  pl_free(length);
  if (s->st) return;
  if (e.end > (double)s->size)
    s->st = pl_error(PL_EINPUT, "%s: truncated: %lld bytes, its variables alone fill %.0f", s->path,
                     (long long)s->size, e.all);
  if (!e.records || records == streaming || !records) return;
  /* The padding after the last record may be missing. */
  double each = e.records == 1 ? (double)e.shorter : e.per_record;
  if (e.start + (double)records * each - 3 * e.records > (double)s->size)
    s->st =
        pl_error(PL_EINPUT, "%s: truncated: %lld bytes, its %llu records need %.0f", s->path,
                 (long long)s->size, (unsigned long long)records, e.start + (double)records * each);
}

pl_status pl_nc_check_header(const char *path) {
  scanner s = {.path = path};
  struct stat file;
  PL_TRY(pl_file_open(path, &s.fd));
  s.size = fstat(s.fd, &file) ? 0 : file.st_size;
  s.window = pl_alloc(WINDOW, 1, "a header");
  /* Files of HDF5 are HDF5's to judge, others NetCDF's. */
  if (s.size >= 4 && number(&s, 3) == ('C' << 16 | 'D' << 8 | 'F')) {
    s.version = (int)number(&s, 1);
    if (s.version == 1 || s.version == 2 || s.version == 5) scan(&s);
  }
  pl_free(s.window);
  close(s.fd);
  return s.st;
}
