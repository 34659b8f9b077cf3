#include "run/outline.h"

#include "base/mem.h"
#include "run/best.h"
#include "run/schedule.h"

#include <string.h>

static bool same_text(const char *a, const char *b) {
  return a && b ? !strcmp(a, b) : a == b;
}

/* ---- schemas ---- */

static bool same_axis(const pl_axis *a, const pl_axis *b) {
  return !strcmp(a->name, b->name) && !strcmp(a->key, b->key) && a->length == b->length;
}

static bool same_schema(const pl_schema *a, const pl_schema *b) {
  if (a->num_axes != b->num_axes || a->num_measures != b->num_measures || a->size != b->size)
    return false;
  for (int i = 0; i < a->num_axes; i++)
    if (!same_axis(&a->axes[i], &b->axes[i])) return false;
  for (int i = 0; i < a->num_measures; i++)
    if (a->measures[i] != b->measures[i]) return false;
  return true;
}

/* ---- variables: one name, one meaning ---- */

static pl_status two_meanings(const pl_records *a, const pl_records *b, const char *name) {
  return pl_error(PL_EINPUT,
                  "%s means one thing in %s (run %lld) and another in %s (run %lld): they cannot "
                  "share a file",
                  name, a->kind->name, (long long)a->run, b->kind->name, (long long)b->run);
}

static pl_status add_variable(pl_outline *o, const pl_records *k, const pl_measure *m) {
  for (int i = 0; i < o->num_variables; i++) {
    const pl_measure *was = o->variables[i].measure;
    if (was == m) return PL_OK;
    if (strcmp(was->name, m->name)) continue;
    bool same = same_text(was->axis, m->axis) && same_text(was->units, m->units) &&
                same_text(was->long_name, m->long_name);
    return same ? PL_OK : two_meanings(o->variables[i].records, k, m->name);
  }
  o->variables = pl_realloc(o->variables, (size_t)++o->num_variables, sizeof *o->variables,
                            "variables of the output");
  o->variables[o->num_variables - 1] = (pl_variable){m, k};
  return PL_OK;
}

/* ---- dimensions ---- */

pl_dimension *pl_outline_dimension(const pl_outline *o, const char *name) {
  for (int i = 0; i < o->num_dimensions; i++)
    if (!strcmp(o->dimensions[i].name, name)) return &o->dimensions[i];
  return NULL;
}

int pl_dimension_segment(const pl_dimension *d, const char *key) {
  for (int i = 0; i < d->num_segments; i++)
    if (!strcmp(d->segment[i].key, key)) return i;
  return -1;
}

static bool same_coords(const pl_axis *a, const pl_axis *b) {
  if (a->num_coords != b->num_coords) return false;
  for (int c = 0; c < a->num_coords; c++) {
    const pl_coord *x = &a->coords[c], *y = &b->coords[c];
    if (!same_text(x->name, y->name) || !same_text(x->units, y->units) ||
        !same_text(x->long_name, y->long_name) || x->text != y->text || x->integer != y->integer ||
        !same_text(x->points_into, y->points_into))
      return false;
  }
  return true;
}

/* May the axis lie in the file beside what the dimension has already? */
static pl_status fits(const pl_dimension *d, const pl_records *k, const pl_axis *a,
                      const char **key) {
  const pl_segment *first = &d->segment[0];
  if (!same_coords(first->axis, a)) return two_meanings(first->records, k, a->name);
  if (!a->sole || !strcmp(first->key, a->key)) return PL_OK;
  *key = a->sole;
  return pl_error(PL_EINPUT, "one %s axis per sweep: run %lld has %s, run %lld has %s", a->name,
                  (long long)k->run, a->key, (long long)first->records->run, first->key);
}

static pl_status add_axis(pl_outline *o, const pl_records *k, const pl_axis *a, const char **key) {
  pl_dimension *d = pl_outline_dimension(o, a->name);
  if (d) {
    PL_TRY(fits(d, k, a, key));
  } else {
    o->dimensions = pl_realloc(o->dimensions, (size_t)++o->num_dimensions, sizeof *d,
                               "dimensions of the output");
    d = &o->dimensions[o->num_dimensions - 1];
    *d = (pl_dimension){.name = a->name};
  }
  int s = pl_dimension_segment(d, a->key);
  if (s >= 0) {
    /* What runs share takes the longest. */
    if (a->length <= d->segment[s].length) return PL_OK;
  } else {
    s = d->num_segments++;
    d->segment = pl_realloc(d->segment, (size_t)d->num_segments, sizeof *d->segment,
                            "dimensions of the output");
  }
  d->segment[s].key = a->key;
  d->segment[s].length = a->length;
  d->segment[s].records = k;
  d->segment[s].axis = a;
  return PL_OK;
}

/* One behind the other, in order of appearance. */
static void place_segments(pl_outline *o) {
  for (int i = 0; i < o->num_dimensions; i++) {
    pl_dimension *d = &o->dimensions[i];
    d->length = 0;
    for (int s = 0; s < d->num_segments; s++) {
      d->segment[s].start = d->length;
      d->length += d->segment[s].length;
    }
  }
}

/* ---- runs ---- */

static void free_records(pl_records *k) {
  pl_schema_free(&k->schema);
  pl_free(k);
}

static void add_class(pl_outline *o, int kind, int64_t steps) {
  int64_t n = o->num_described++;
  size_t room = n ? (size_t)(2 * n) : 1;
  if ((n & (n - 1)) == 0) {
    o->class_kind = pl_realloc(o->class_kind, room, sizeof *o->class_kind, "classes of runs");
    o->class_steps = pl_realloc(o->class_steps, room, sizeof *o->class_steps, "classes of runs");
  }
  o->class_kind[n] = kind;
  o->class_steps[n] = steps;
}

static pl_status add_records(pl_outline *o, pl_records *k, const char **key) {
  *key = "model.kind"; /* whose values do not go together */
  o->kinds = pl_realloc(o->kinds, (size_t)++o->num_kinds, sizeof(pl_records *), "records");
  o->kinds[o->num_kinds - 1] = k;
  k->best = pl_best_measure(k->kind, &k->schema, PL_VALIDATION) >= 0;
  k->test = k->best && pl_best_measure(k->kind, &k->schema, PL_TEST) >= 0;
  for (int i = 0; i < k->schema.num_measures; i++)
    PL_TRY(add_variable(o, k, k->schema.measures[i]));
  for (int i = 0; i < k->schema.num_axes; i++) PL_TRY(add_axis(o, k, &k->schema.axes[i], key));
  return PL_OK;
}

pl_status pl_outline_add(pl_outline *o, int64_t run, const pl_spec *spec, const char **key) {
  int64_t records;
  pl_length length = pl_length_of(spec);
  pl_free(pl_record_steps(spec, &length, &records));
  if (records > o->num_records) o->num_records = records;
  pl_records *k = pl_zalloc(1, sizeof *k, "records");
  *key = NULL;
  k->kind = spec->model;
  k->run = run;
  pl_status st = spec->model->describe(spec, &k->schema);
  if (st) {
    pl_free(k);
    return st;
  }
  int i = 0;
  while (i < o->num_kinds &&
         (k->kind != o->kinds[i]->kind || !same_schema(&k->schema, &o->kinds[i]->schema)))
    i++;
  add_class(o, i, length.steps);
  if (i == o->num_kinds) return add_records(o, k, key);
  free_records(k);
  return PL_OK;
}

static bool has_drawn_axes(const pl_schema *s) {
  for (int a = 0; a < s->num_axes; a++)
    if (s->axes[a].drawn) return true;
  return false;
}

/* By runs that agree in every key that touches any of `touches`; more of them where an axis depends
 * on the data: then runs that differ in these alone are told apart. */
static pl_status outline_by(const pl_config *cfg, int touches, pl_outline **out) {
  pl_outline *o = pl_zalloc(1, sizeof *o, "what the sweep records");
  o->num_runs = pl_config_num_runs(cfg);
  o->classes = pl_run_classes_new(cfg, touches);
  for (int64_t c = 0; c < o->classes.num; c++) {
    int64_t r = o->classes.run[c];
    pl_spec spec;
    const char *key;
    pl_config_run(cfg, r, &spec);
    pl_status st = pl_outline_add(o, r, &spec, &key);
    if (st) {
      if (key) pl_config_blame(cfg, r, key, st);
      pl_outline_free(o);
      return st;
    }
    if (!(touches & PL_DATA) && has_drawn_axes(&o->kinds[o->num_kinds - 1]->schema)) {
      pl_outline_free(o);
      return outline_by(cfg, touches | PL_DATA, out);
    }
  }
  place_segments(o);
  *out = o;
  return PL_OK;
}

pl_status pl_outline_new(const pl_config *cfg, pl_outline **out) {
  return outline_by(cfg, PL_COST, out);
}

void pl_outline_free(pl_outline *o) {
  if (!o) return;
  for (int i = 0; i < o->num_kinds; i++) free_records(o->kinds[i]);
  for (int i = 0; i < o->num_dimensions; i++) pl_free(o->dimensions[i].segment);
  pl_free(o->kinds);
  pl_free(o->variables);
  pl_free(o->dimensions);
  pl_free(o->class_kind);
  pl_free(o->class_steps);
  pl_run_classes_free(&o->classes);
  pl_free(o);
}

/* ---- questions ---- */

const pl_records *pl_outline_of(const pl_outline *o, int64_t run) {
  return o->kinds[o->class_kind[o->classes.of[run]]];
}

const int64_t *pl_outline_steps(const pl_outline *o, int64_t run) {
  return &o->class_steps[o->classes.of[run]];
}

bool pl_outline_has(const pl_outline *o, const char *name) {
  for (int i = 0; i < o->num_variables; i++)
    if (!strcmp(o->variables[i].measure->name, name)) return true;
  for (int i = 0; i < o->num_dimensions; i++) {
    const pl_axis *a = o->dimensions[i].segment[0].axis;
    for (int c = 0; c < a->num_coords; c++)
      if (!strcmp(a->coords[c].name, name)) return true;
  }
  return false;
}

bool pl_outline_best(const pl_outline *o, bool test) {
  for (int i = 0; i < o->num_kinds; i++)
    if (test ? o->kinds[i]->test : o->kinds[i]->best) return true;
  return false;
}
