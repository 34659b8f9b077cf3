#include "cli/cli.h"

#include "base/mem.h"
#include "base/nc.h"
#include "base/output.h"
#include "group/check.h"
#include "group/finite.h"
#include "group/fourier.h"
#include "group/generators.h"
#include "group/group.h"
#include "group/irreps.h"
#include "output_options.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
  const char *spec, *output;
  bool irreps, elements, check, overwrite;
  int codepth; /* 0: the whole group */
} options;

enum { OVERWRITE = 256, CODEPTH };
enum { MAX_CODEPTH = 51 };

static const struct argp_option known[] = {
    {"irreps", 'i', NULL, 0, "List the irreps: label, dimension, type, multiplicity", 0},
    {"elements", 'e', NULL, 0, "List the elements, up to order 10^6: number, label", 0},
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
  long number;
  switch (key) {
  case 'i':
    o->irreps = true;
    return 0;
  case 'e':
    o->elements = true;
    return 0;
  case CODEPTH:
    number = strtol(arg, &end, 10);
    if (*end || end == arg || number < 1 || number > MAX_CODEPTH)
      argp_error(state, "--codepth: expected an integer from 1 to %d, not \"%s\"", MAX_CODEPTH,
                 arg);
    o->codepth = (int)number;
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
    if (o->codepth && (o->elements || o->check || o->output))
      argp_error(state, "--codepth: --elements, --check and --output need the whole group");
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

/* Most elements that are enumerated. */
static const int64_t max_elements = 1000000;

/* What is known of a group from generators without its irreps. */
static void print_generated(const pl_finite *f) {
  const pl_chain *c = f->chain;
  char *order = pl_chain_order_text(c);
  printf("order: %s\ndegree: %d\nbase:", order, c->degree);
  pl_free(order);
  for (int k = 0; k < c->levels; k++) printf(" %d", c->level[k].base + 1);
  printf("\norbit lengths:");
  for (int k = 0; k < c->levels; k++) printf(" %d", c->level[k].size);
  printf("\n");
  if (f->order < 0 || f->order > max_elements) return;
  pl_classes *classes = pl_classes_new(f);
  int64_t centre = 0, exponent = 1;
  for (int64_t k = 0; k < classes->n; k++) {
    int64_t a = exponent, b = classes->order[k];
    centre += classes->size[k] == 1;
    while (b) {
      int64_t r = a % b;
      a = b, b = r;
    }
    exponent = exponent / a * classes->order[k];
  }
  printf("order of the centre: %lld\nexponent: %lld\nconjugacy classes: %lld\n", (long long)centre,
         (long long)exponent, (long long)classes->n);
  pl_classes_free(classes);
}

static void print_summary(const pl_group *g) {
  int64_t count[3], squares[3];
  pl_group_irrep_sums(g, count, squares);
  long long sum = squares[PL_REAL] + 2 * squares[PL_COMPLEX] + squares[PL_QUATERNIONIC];
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

/* g, or f where there are no irreps. */
static pl_status print_elements(const pl_group *g, const pl_finite *f) {
  int64_t order = g ? pl_group_order(g) : f->order;
  if (order < 0 || order > max_elements)
    return pl_error(PL_EINPUT, "elements are listed up to order %lld", (long long)max_elements);
  size_t room = 64;
  char *label = pl_alloc(room, 1, "a label");
  printf("\nelement\tlabel\n");
  for (int64_t a = 0; a < order && !ferror(stdout); a++) {
    size_t len;
    while ((len = (size_t)(g ? pl_group_element_label(g, a, label, room)
                             : pl_finite_label(f, a, label, room))) >= room)
      label = pl_realloc(label, room = len + 1, 1, "a label");
    printf("%lld\t%s\n", (long long)a, label);
  }
  pl_free(label);
  return PL_OK;
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
                        const int64_t label[2]) {
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
  PL_TRY(pl_nc_def_dim(nc, "letter", label[0]));
  PL_TRY(pl_nc_def_dim(nc, "element_letter", label[1]));
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
  PL_TRY(pl_nc_def_var(nc, "element_label", PL_NC_CHAR,
                       (const char *const[]){"element", "element_letter", NULL},
                       "label of the element", NULL));
  PL_TRY(pl_nc_def_var(nc, "matrix", PL_NC_DOUBLE,
                       (const char *const[]){"element", "component", NULL},
                       "entries of the matrices of the irreps", "1"));
  return pl_nc_end_def(nc);
}

static pl_status put(pl_nc *nc, const pl_group *g, int64_t elements, const int64_t *element,
                     const int64_t label[2]) {
  pl_status st = pl_nc_put_ints(nc, "element", NULL, NULL, element);
  char *name = pl_alloc((size_t)label[1] + 1, 1, "a label");
  for (int64_t e = 0; !st && e < elements; e++) {
    memset(name, 0, (size_t)label[1] + 1);
    pl_group_element_label(g, element[e], name, (size_t)label[1] + 1);
    st = pl_nc_put_text(nc, "element_label", (int64_t[]){e, 0}, (int64_t[]){1, label[1]}, name);
  }
  pl_free(name);
  for (int64_t i = 0, start = 0, one = 1; !st && i < pl_group_num_irreps(g); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    int64_t dim = r.dim, type = r.type, mult = r.mult, size = pl_irrep_size(r);
    char *text = pl_zalloc((size_t)label[0] + 1, 1, "a label");
    double *rho = pl_alloc((size_t)size, sizeof *rho, "an irrep matrix");
    pl_group_irrep_label(g, i, text, (size_t)label[0] + 1);
    st = pl_nc_put_text(nc, "irrep_label", (int64_t[]){i, 0}, (int64_t[]){1, label[0]}, text);
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
  int64_t elements = pl_group_order(g), components = pl_fourier_size(g), label[2] = {1, 1};
  int64_t *element = pl_alloc(ALL_ELEMENTS, sizeof *element, "elements");
  if (elements <= ALL_ELEMENTS) {
    for (int64_t e = 0; e < elements; e++) element[e] = e;
  } else {
    int gens = pl_group_generators(g, element, MAX_GENERATORS);
    elements = gens < MAX_GENERATORS ? gens : MAX_GENERATORS;
  }
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    int64_t len = pl_group_irrep_label(g, i, NULL, 0);
    if (len > label[0]) label[0] = len;
  }
  for (int64_t e = 0; e < elements; e++) {
    int64_t len = pl_group_element_label(g, element[e], NULL, 0);
    if (len > label[1]) label[1] = len;
  }
  pl_output out = {0};
  pl_status st = output_apart_from_spec(o->output, o->spec);
  if (!st) st = pl_output_begin(&out, o->output, o->overwrite, 0, NULL);
  if (!st) st = pl_output_create(&out, false);
  if (!st) st = define(out.nc, g, elements, components, label);
  if (!st) st = put(out.nc, g, elements, element, label);
  pl_free(element);
  return pl_output_end(&out, st);
}

/* A group from generators is known by its chain, whatever its order; f is NULL for others. */
static pl_status describe_group(const options *o, const pl_group *g, const pl_finite *f) {
  pl_status st = PL_OK;
  if (f)
    print_generated(f);
  else
    printf("order: %lld\nconjugacy classes: %lld\n", (long long)pl_group_order(g),
           (long long)pl_group_num_classes(g));
  if (g) {
    print_summary(g);
    if (o->irreps) print_irreps(g);
  } else {
    printf("irreps: not found above order %d; training and transforms need them\n",
           PL_MAX_IRREP_ORDER);
    if (o->irreps || o->check || o->output)
      st = pl_error(PL_EINPUT, "group \"%s\": irreps are found up to order %d", o->spec,
                    PL_MAX_IRREP_ORDER);
  }
  if (!st && o->elements) st = print_elements(g, f);
  if (!st && o->output) st = write_irreps(g, o);
  if (!st && o->check) st = print_check(g);
  return st;
}

static pl_status describe(const options *o) {
  pl_group *g = NULL;
  pl_finite *f = NULL;
  pl_perms p;
  char *spec = NULL;
  pl_status st = PL_OK;
  if (pl_perms_spec(o->spec, &p, &spec, &st)) {
    if (!st) {
      st = pl_finite_from_perms(&p, &f);
      pl_free(p.image);
    }
    if (st) st = pl_error_in(st, "group \"%s\": ", o->spec);
  }
  if (!st && (!f || (f->order > 0 && f->order <= PL_MAX_IRREP_ORDER)))
    st = pl_group_parse(o->spec, &g);
  if (!st) {
    printf("group: %s\n", spec ? spec : pl_group_spec(g));
    st = describe_group(o, g, f);
  }
  pl_group_free(g);
  pl_finite_free(f);
  pl_free(spec);
  return st;
}

static pl_status describe_band(const options *o) {
  pl_group *g = NULL;
  PL_TRY(pl_group_band(o->spec, o->codepth, false, &g));
  print_band(g);
  print_irreps(g);
  pl_group_free(g);
  return PL_OK;
}

static pl_status run(const options *o) {
  return o->codepth ? describe_band(o) : describe(o);
}

pl_status pl_cli_group(int argc, char **argv, const pl_comm *world) {
  char doc[8192];
  snprintf(doc, sizeof doc,
           "Describe a finite group and its irreducible representations.\v"
           "Groups:\n%s\nA product needs quotes: plancherel group 'C_28 x D_4'.\n\n"
           "Of a group from generators the exact order is printed, whatever it is, and up to 10^6 "
           "also classes, centre and exponent; irreps are found numerically up to order 10^4 "
           "(--check: residuals), and kept in the folder $PLANCHEREL_CACHE (empty: nowhere), else "
           "~/.cache/plancherel.\n\n"
           "FILE.nc holds matrix(element, component): irrep i from irrep_start(i) on, row by row, "
           "real numbers for real type, otherwise pairs (real, imaginary); irrep_label, irrep_dim, "
           "irrep_type (0 real, 1 complex, 2 quaternionic), irrep_multiplicity (irrep); element, "
           "element_label (element).",
           pl_group_forms());
  const struct argp argp = {.options = known, .parser = parse, .args_doc = "SPEC", .doc = doc};
  options o = {0};
  pl_cli_parse(&argp, argc, argv, &o, world);
  return pl_agree(world, world->rank == 0 ? run(&o) : PL_OK);
}
