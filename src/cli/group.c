#include "cli/cli.h"

#include "group/check.h"
#include "group/group.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct options {
  const char *spec;
  bool irreps, check;
} options;

static const struct argp_option known[] = {
    {"irreps", 'i', NULL, 0, "List the irreps: label, dimension, type, multiplicity", 0},
    {"check", 'c', NULL, 0, "Verify the irreps and the Fourier transform", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 'i':
    o->irreps = true;
    return 0;
  case 'c':
    o->check = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->spec)
      argp_error(state, "one group at a time; products in quotes: '%s %s ..'", o->spec, arg);
    o->spec = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->spec) argp_error(state, "a group is missing");
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

static pl_status describe(const options *o) {
  pl_group *g = NULL;
  PL_TRY(pl_group_parse(o->spec, &g));
  print_summary(g);
  if (o->irreps) print_irreps(g);
  pl_status st = o->check ? print_check(g) : PL_OK;
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
