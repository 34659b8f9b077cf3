#include "base/log.h"
#include "base/mem.h"
#include "base/nc.h"
#include "group/irreps.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below this order finding is as fast as reading. */
enum { WORTH = 200, PAIRS = 4 };
/* Changes whenever the numbers of elements, the order of irreps or the file's layout do. */
static const uint64_t format = 2;
/* Of single products, and of sums over all classes. */
static const double accepted = 1e-9, accepted_characters = 1e-6;

/* Whoever else could have written it could have written anything. */
static int only_ours(const struct stat *s) {
  return (s->st_uid == geteuid() || s->st_uid == 0) && !(s->st_mode & (S_IWGRP | S_IWOTH));
}

/* Once for each process: it is asked for with every group. */
static void warn_of_folder(const char *folder) {
  static int warned;
  if (!warned++)
    pl_log(PL_LOG_WARNING,
           "%s: no cache of irreps, since others own the folder or may write there (chmod go-w)",
           folder);
}

/* Name of the file, the folder made; NULL: no cache. */
static char *cache_path(const pl_finite *f) {
  const char *own = getenv("PLANCHEREL_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
             *home = getenv("HOME");
  char *base, *folder;
  if (f->order < WORTH || (own && !*own)) return NULL;
  if (own)
    base = pl_strdup(own), folder = pl_strdup(own);
  else if (xdg && *xdg)
    base = pl_strdup(xdg), folder = pl_asprintf("%s/plancherel", xdg);
  else if (home && *home)
    base = pl_asprintf("%s/.cache", home), folder = pl_asprintf("%s/plancherel", base);
  else
    return NULL;
  /* What is wrong with them shows when the file is written. */
  mkdir(base, 0700);
  mkdir(folder, 0700);
  struct stat s;
  char *path = NULL;
  if (!stat(folder, &s) && S_ISDIR(s.st_mode) && !only_ours(&s))
    warn_of_folder(folder);
  else
    path = pl_asprintf("%s/irreps-%lld-%016llx.nc", folder, (long long)f->order,
                       (unsigned long long)f->hash);
  pl_free(base);
  pl_free(folder);
  return path;
}

/* The last 8 bytes of a file are the FNV-1a hash of those before and of the format: seal writes
 * them, otherwise they are compared.  So the NetCDF library, which trusts headers, sees no damaged
 * file. */
static int sealed(const char *path, int seal) {
  uint64_t hash = UINT64_C(14695981039346656037) + format, written = 0;
  /* Neither through a link, nor waiting for a FIFO. */
  int fd = open(path, (seal ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat s;
  int ok = fd >= 0 && !fstat(fd, &s) && S_ISREG(s.st_mode) && only_ours(&s);
  FILE *file = ok ? fdopen(fd, seal ? "r+" : "r") : NULL;
  if (!file) {
    if (fd >= 0) close(fd);
    return 0;
  }
  int64_t left = s.st_size - (seal ? 0 : (int64_t)sizeof hash);
  unsigned char block[8192];
  while (ok && left > 0) {
    size_t n = left < (int64_t)sizeof block ? (size_t)left : sizeof block;
    ok = fread(block, 1, n, file) == n;
    for (size_t i = 0; ok && i < n; i++) hash = (hash ^ block[i]) * UINT64_C(1099511628211);
    left -= (int64_t)n;
  }
  if (seal)
    ok = ok && !fseek(file, 0, SEEK_END) && fwrite(&hash, sizeof hash, 1, file) == 1;
  else
    ok = ok && left == 0 && fread(&written, sizeof written, 1, file) == 1 && written == hash;
  return !fclose(file) && ok;
}

/* ---- writing ---- */

static pl_status define(pl_nc *nc, const pl_irreps *r, int64_t values) {
  PL_TRY(pl_nc_def_dim(nc, "irrep", r->n));
  PL_TRY(pl_nc_def_dim(nc, "letter", 16));
  PL_TRY(pl_nc_def_dim(nc, "value", values));
  const char *const on_irrep[] = {"irrep", NULL};
  PL_TRY(pl_nc_def_var(nc, "irrep_dim", PL_NC_INT, on_irrep, "dimension", "1"));
  PL_TRY(pl_nc_def_var(nc, "irrep_type", PL_NC_INT, on_irrep, "0 real, 1 complex, 2 quaternionic",
                       "1"));
  PL_TRY(pl_nc_def_var(nc, "irrep_label", PL_NC_CHAR,
                       (const char *const[]){"irrep", "letter", NULL}, "label", NULL));
  PL_TRY(pl_nc_def_var(nc, "matrix", PL_NC_DOUBLE, (const char *const[]){"value", NULL},
                       "matrices of the elements of the transversals, irrep by irrep", "1"));
  return pl_nc_end_def(nc);
}

static pl_status put(pl_nc *nc, const pl_irreps *r) {
  int64_t at = 0;
  for (int64_t i = 0; i < r->n; i++) {
    int64_t dim = r->irrep[i].dim, type = r->irrep[i].type,
            count = r->transversal * pl_irrep_size(r->irrep[i]), single = 1;
    PL_TRY(pl_nc_put_ints(nc, "irrep_dim", &i, &single, &dim));
    PL_TRY(pl_nc_put_ints(nc, "irrep_type", &i, &single, &type));
    PL_TRY(pl_nc_put_text(nc, "irrep_label", (int64_t[]){i, 0}, (int64_t[]){1, 16}, r->label[i]));
    PL_TRY(pl_nc_put_doubles(nc, "matrix", &at, &count, r->matrix[i]));
    at += count;
  }
  return PL_OK;
}

/* Readers see the whole file or none, however many write it. */
static void write_cache(const char *path, const pl_irreps *r) {
  int64_t values = 0;
  for (int64_t i = 0; i < r->n; i++) values += r->transversal * pl_irrep_size(r->irrep[i]);
  pl_nc *nc;
  if (pl_nc_create_beside(path, false, &nc)) return;
  char *part = pl_strdup(pl_nc_path(nc));
  pl_status st = define(nc, r, values);
  if (!st) st = put(nc, r);
  if (pl_nc_close(nc) || st || chmod(part, 0644) || !sealed(part, 1) || rename(part, path))
    unlink(part);
  pl_free(part);
}

/* ---- reading ---- */

static pl_status get(const pl_nc *nc, const pl_finite *f, pl_irreps *r) {
  int64_t values = -1, letters[2] = {-1, 16}, sum = 0, at = 0;
  PL_TRY(pl_nc_expect(nc, "matrix", false, 1, &values));
  PL_TRY(pl_nc_expect(nc, "irrep_label", true, 2, letters));
  int64_t n = letters[0];
  PL_TRY(pl_nc_expect(nc, "irrep_dim", false, 1, &n));
  PL_TRY(pl_nc_expect(nc, "irrep_type", false, 1, &n));
  if (n > f->order) return pl_error(PL_EINPUT, "%s: too many irreps", pl_nc_path(nc));
  r->n = n;
  for (int level = 0; level < pl_finite_levels(f); level++)
    r->transversal += pl_finite_level_size(f, level);
  r->irrep = pl_alloc((size_t)n, sizeof *r->irrep, "irreps");
  r->label = pl_alloc((size_t)n, sizeof *r->label, "labels of irreps");
  r->matrix = pl_zalloc((size_t)n, sizeof *r->matrix, "matrices of irreps");
  PL_TRY(pl_nc_get_text(nc, "irrep_label", NULL, NULL, r->label[0]));
  for (int64_t i = 0; i < n; i++) {
    int64_t dim, type, single = 1;
    PL_TRY(pl_nc_get_ints(nc, "irrep_dim", &i, &single, &dim));
    PL_TRY(pl_nc_get_ints(nc, "irrep_type", &i, &single, &type));
    if (dim < 1 || dim > 100 || type < 0 || type > 2 || !memchr(r->label[i], 0, 16))
      return pl_error(PL_EINPUT, "%s: not a cache of irreps", pl_nc_path(nc));
    r->irrep[i] = (pl_irrep){(int)dim, (pl_irrep_type)type, type == PL_COMPLEX ? 2 : 1};
    sum += r->irrep[i].mult * dim * dim;
    if (sum > f->order) break;
    int64_t count = r->transversal * pl_irrep_size(r->irrep[i]);
    if (at + count > values) return pl_error(PL_EINPUT, "%s: cut off", pl_nc_path(nc));
    r->matrix[i] = pl_alloc((size_t)count, sizeof **r->matrix, "matrices of an irrep");
    PL_TRY(pl_nc_get_doubles(nc, "matrix", &at, &count, r->matrix[i]));
    at += count;
  }
  if (sum != f->order || at != values)
    return pl_error(PL_EINPUT, "%s: another group's irreps", pl_nc_path(nc));
  return PL_OK;
}

static pl_irreps *read_cache(const char *path, const pl_finite *f) {
  pl_nc *nc;
  if (!sealed(path, 0) || pl_nc_open(path, false, &nc)) return NULL;
  pl_irreps *r = pl_zalloc(1, sizeof *r, "irreps");
  pl_status st = get(nc, f, r);
  pl_nc_close(nc);
  if (!st && pl_irreps_residual(r, f, PAIRS) <= accepted &&
      pl_irreps_disorder(r, f) <= accepted_characters)
    return r;
  pl_irreps_free(r);
  return NULL;
}

pl_status pl_irreps_cached(const pl_finite *f, pl_irreps **out) {
  char *path = cache_path(f);
  pl_irreps *r = path ? read_cache(path, f) : NULL;
  pl_status st = PL_OK;
  if (!r) {
    st = pl_irreps_new(f, &r);
    if (!st && path) write_cache(path, r);
  }
  pl_free(path);
  if (!st) *out = r;
  return st;
}
