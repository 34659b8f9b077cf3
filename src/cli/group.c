#include "cli/cli.h"

#include "base/mem.h"
#include "base/nc.h"
#include "group/check.h"
#include "group/fourier.h"
#include "group/group.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct options {
  const char *spec, *output;
  bool irreps, check, overwrite;
  int codepth; /* 0: the whole group */
} options;

enum { OVERWRITE = 256, CODEPTH };

static const struct argp_option known[] = {
    {"irreps", 'i', NULL, 0, "List the irreps: label, dimension, type, multiplicity", 0},
    {"codepth", CODEPTH, "K", 0,
     "Of S_n, n up to 52, only the irreps with first row n - K or longer: the band of band.codepth",
     0},
    {"check", 'c', NULL, 0, "Verify the irreps and the Fourier transform", 0},
    {"output", 'o', "FILE.nc", 0,
     "Write matrices of the irreps, of generators and (up to order 2048) of all elements", 0},
    {"overwrite", OVERWRITE, NULL, 0, "Replace an existing FILE.nc", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  char *end;
  switch (key) {
  case 'i':
    o->irreps = true;
    return 0;
  case CODEPTH:
    o->codepth = (int)strtol(arg, &end, 10);
    if (*end || end == arg || o->codepth < 1)
      argp_error(state, "--codepth %s: expected a positive integer", arg);
    return 0;
  case 'c':
    o->check = true;
    return 0;
  case 'o':
    o->output = arg;
    return 0;
  case OVERWRITE:
    o->overwrite = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->spec)
      argp_error(state, "one group at a time; products in quotes: '%s %s ..'", o->spec, arg);
    o->spec = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->spec) argp_error(state, "a group is missing");
    if (o->codepth && (o->check || o->output))
      argp_error(state, "--codepth: --check and --output need the whole group");
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

static void print_summary(const pl_group *g) {
  int64_t count[3], squares[3];
  pl_group_irrep_sums(g, count, squares);
  long long sum = squares[PL_REAL] + 2 * squares[PL_COMPLEX] + squares[PL_QUATERNIONIC];
  printf("group: %s\n", pl_group_spec(g));
  printf("order: %lld\n", (long long)pl_group_order(g));
  printf("conjugacy classes: %lld\n", (long long)pl_group_num_classes(g));
  printf("stored irreps: %lld\n", (long long)pl_group_num_irreps(g));
  for (int type = PL_REAL; type <= PL_QUATERNIONIC; type++)
    printf("  %s: %lld\n", pl_irrep_type_name(type), (long long)count[type]);
  printf("sum of m d^2: %lld (%s)\n", sum, sum == pl_group_order(g) ? "= order" : "NOT the order");
}

static void print_band(const pl_group *g) {
  int64_t count[3], squares[3];
  pl_group_irrep_sums(g, count, squares);
  double log10_order = pl_group_log_order(g) / log(10), digits = floor(log10_order);
  printf("group: %s, irreps of codepth up to %d\n", pl_group_spec(g), pl_group_codepth(g));
  printf("order: %d! = %.6fe%.0f, logarithm %.6f\n", pl_group_letters(g),
         pow(10, log10_order - digits), digits, pl_group_log_order(g));
  printf("irreps: %lld, all real\n", (long long)count[PL_REAL]);
  printf("D = sum of d^2: %lld\n", (long long)squares[PL_REAL]);
}

static void print_irreps(const pl_group *g) {
  printf("\nlabel\tdimension\ttype\tmultiplicity\n");
  for (int64_t i = 0; i < pl_group_num_irreps(g) && !ferror(stdout); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    char label[1024];
    pl_group_irrep_label(g, i, label, sizeof label);
    printf("%s\t%d\t%s\t%d\n", label, r.dim, pl_irrep_type_name(r.type), r.mult);
  }
}

static pl_status print_check(const pl_group *g) {
  pl_check check[PL_NUM_CHECKS];
  pl_status st = pl_group_check(g, check);
  if (st == PL_OK || st == PL_EBUG) {
    printf("\ncheck\tresult\tresidual\ttolerance\tcases\n");
    for (int i = 0; i < PL_NUM_CHECKS; i++)
      printf("%s\t%s\t%.2g\t%.2g\t%s\n", check[i].name,
             check[i].residual <= check[i].tolerance ? "passed" : "FAILED", check[i].residual,
             check[i].tolerance, check[i].cases);
  }
  return st;
}

/* ---- matrices in a file ---- */

/* Elements whose matrices are written, and where: all of them, or the generators. */
enum { ALL_ELEMENTS = 2048, MAX_GENERATORS = 256 };

static pl_status define(pl_nc *nc, const pl_group *g, int64_t elements, int64_t components,
                        int64_t label) {
  const char *const on_irrep[] = {"irrep", NULL}, *const on_element[] = {"element", NULL};
  pl_nc_att_text(nc, NULL, "Conventions", "CF-1.10");
  pl_nc_att_text(nc, NULL, "title", "Irreducible representations of a finite group");
  pl_nc_att_text(nc, NULL, "group", pl_group_spec(g));
  pl_nc_att_text(nc, NULL, "comment",
                 "Matrices are unitary, row-major; entries of irrep i start at irrep_start(i): "
                 "real numbers for real type, pairs (real, imaginary) otherwise. A complex irrep "
                 "stands for itself and its conjugate.");
  PL_TRY(pl_nc_def_dim(nc, "irrep", pl_group_num_irreps(g)));
  PL_TRY(pl_nc_def_dim(nc, "element", elements));
  PL_TRY(pl_nc_def_dim(nc, "component", components));
  PL_TRY(pl_nc_def_dim(nc, "letter", label));
  PL_TRY(pl_nc_def_var(nc, "irrep_label", PL_NC_CHAR,
                       (const char *const[]){"irrep", "letter", NULL}, "label of the irrep", NULL));
  PL_TRY(pl_nc_def_var(nc, "irrep_dim", PL_NC_INT, on_irrep, "dimension d", "1"));
  PL_TRY(pl_nc_def_var(nc, "irrep_type", PL_NC_INT, on_irrep,
                       "Frobenius-Schur type: 0 real, 1 complex, 2 quaternionic", "1"));
  PL_TRY(pl_nc_def_var(nc, "irrep_multiplicity", PL_NC_INT, on_irrep,
                       "irreps over the complex numbers that it stands for", "1"));
  PL_TRY(pl_nc_def_var(nc, "irrep_start", PL_NC_INT64, on_irrep, "first component of its matrices",
                       "1"));
  PL_TRY(pl_nc_def_var(
      nc, "element", PL_NC_INT64, on_element,
      elements == pl_group_order(g) ? "number of the element" : "numbers of generators", "1"));
  PL_TRY(pl_nc_def_var(nc, "matrix", PL_NC_DOUBLE,
                       (const char *const[]){"element", "component", NULL},
                       "entries of the matrices of the irreps", "1"));
  return pl_nc_end_def(nc);
}

static pl_status put(pl_nc *nc, const pl_group *g, int64_t elements, const int64_t *element,
                     int64_t label) {
  pl_status st = pl_nc_put_ints(nc, "element", NULL, NULL, element);
  for (int64_t i = 0, start = 0, one = 1; !st && i < pl_group_num_irreps(g); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    int64_t dim = r.dim, type = r.type, mult = r.mult, size = pl_irrep_size(r);
    char *text = pl_zalloc((size_t)label + 1, 1, "a label");
    double *rho = pl_alloc((size_t)size, sizeof *rho, "an irrep matrix");
    pl_group_irrep_label(g, i, text, (size_t)label + 1);
    st = pl_nc_put_text(nc, "irrep_label", (int64_t[]){i, 0}, (int64_t[]){1, label}, text);
    if (!st) st = pl_nc_put_ints(nc, "irrep_dim", &i, &one, &dim);
    if (!st) st = pl_nc_put_ints(nc, "irrep_type", &i, &one, &type);
    if (!st) st = pl_nc_put_ints(nc, "irrep_multiplicity", &i, &one, &mult);
    if (!st) st = pl_nc_put_ints(nc, "irrep_start", &i, &one, &start);
    for (int64_t e = 0; !st && e < elements; e++) {
      pl_group_irrep_matrix(g, i, element[e], rho);
      st = pl_nc_put_doubles(nc, "matrix", (int64_t[]){e, start}, (int64_t[]){1, size}, rho);
    }
    start += size;
    pl_free(text);
    pl_free(rho);
  }
  return st;
}

static pl_status write_irreps(const pl_group *g, const options *o) {
  int64_t elements = pl_group_order(g), components = pl_fourier_size(g), label = 1;
  int64_t *element = pl_alloc(ALL_ELEMENTS, sizeof *element, "elements");
  if (elements <= ALL_ELEMENTS) {
    for (int64_t e = 0; e < elements; e++) element[e] = e;
  } else {
    int gens = pl_group_generators(g, element, MAX_GENERATORS);
    elements = gens < MAX_GENERATORS ? gens : MAX_GENERATORS;
  }
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    int64_t len = pl_group_irrep_label(g, i, NULL, 0);
    if (len > label) label = len;
  }
  pl_nc *nc;
  pl_status st = pl_nc_create(o->output, o->overwrite, false, &nc);
  if (!st) {
    st = define(nc, g, elements, components, label);
    if (!st) st = put(nc, g, elements, element, label);
    pl_status closed = pl_nc_close(nc);
    if (!st) st = closed;
  }
  pl_free(element);
  return st;
}

static pl_status describe(const options *o) {
  pl_group *g = NULL;
  PL_TRY(o->codepth ? pl_group_band(o->spec, o->codepth, false, &g) : pl_group_parse(o->spec, &g));
  if (o->codepth)
    print_band(g);
  else
    print_summary(g);
  if (o->irreps || o->codepth) print_irreps(g);
  pl_status st = o->output ? write_irreps(g, o) : PL_OK;
  if (!st && o->check) st = print_check(g);
  pl_group_free(g);
  if (fflush(stdout) || ferror(stdout)) return pl_error(PL_EENV, "cannot write to standard output");
  return st;
}

pl_status pl_cli_group(int argc, char **argv, const pl_comm *world) {
  char doc[8192];
  snprintf(doc, sizeof doc,
           "Describe a finite group and its irreducible representations.\v"
           "Groups:\n%s\nA product needs quotes: plancherel group 'C_28 x D_4'.",
           pl_group_forms());
  const struct argp argp = {.options = known, .parser = parse, .args_doc = "SPEC", .doc = doc};
  options o = {0};
  pl_cli_parse(&argp, argc, argv, &o, world);
  return pl_agree(world, world->rank == 0 ? describe(&o) : PL_OK);
}
