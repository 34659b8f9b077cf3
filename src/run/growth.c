#include "growth.h"

#include "base/mem.h"
#include "model/batch.h"
#include "model/optim.h"

#include <string.h>

static int64_t length_of(const pl_common *c) {
  return c->epochs > 0 ? c->epochs : c->steps;
}

static pl_status expect_longer(const pl_spec *was, const pl_spec *now, pl_growth *g) {
  const pl_common *a = &was->common, *b = &now->common;
  const char *key = a->epochs > 0 ? "epochs" : "steps";
  int64_t from = length_of(b) > length_of(a) ? length_of(a) : 0;
  if ((a->epochs > 0) != (b->epochs > 0))
    return pl_error(PL_EINPUT, "epochs: %s now, %s before", b->epochs > 0 ? "given" : "not given",
                    a->epochs > 0 ? "given" : "not given");
  if (length_of(b) < length_of(a))
    return pl_error(PL_EINPUT, "%s: was %lld, is now %lld: runs do not grow shorter", key,
                    (long long)length_of(a), (long long)length_of(b));
  if (from && pl_optim_looks_ahead(was))
    return pl_error(PL_EINPUT,
                    "%s: was %lld, is now %lld, but optimizer.schedule (cosine) looks ahead to the "
                    "last step: such runs cannot go on",
                    key, (long long)from, (long long)length_of(b));
  if (g->known && g->from != from)
    return pl_error(PL_EINPUT, "%s: more for some runs of it, and not for others", key);
  g->known = true;
  g->from = from;
  g->stages = a->record_stages;
  g->one_more = from > 0 && b->record_steps.n == 0;
  return PL_OK;
}

/* Listed records stay, and more of them come behind the earlier end.  There a run that ends makes
 * the next one of its list, if one is left, before its time. */
static pl_status expect_records(const pl_growth *g, const pl_spec *was, const pl_spec *now) {
  const pl_ints *a = &was->common.record_steps, *b = &now->common.record_steps;
  if (!a->n != !b->n)
    return pl_error(PL_EINPUT, "record.steps: %s now, %s before", b->n ? "given" : "not given",
                    a->n ? "given" : "not given");
  bool same = a->n <= b->n && (!a->n || !memcmp(a->v, b->v, (size_t)a->n * sizeof *a->v));
  int64_t end = a->n && (g->from || a->n < b->n) ? pl_run_steps(was) : 0;
  if (!same || (a->n < b->n && b->v[a->n] <= end))
    return pl_error(PL_EINPUT, "record.steps: those up to the earlier last step must be as before");
  if (g->from && a->n && a->v[a->n - 1] > end)
    return pl_error(PL_EINPUT,
                    "record.steps: %lld lies behind step %lld, where the runs ended and made that "
                    "record: they cannot go on",
                    (long long)a->v[a->n - 1], (long long)end);
  return PL_OK;
}

static int64_t stage_of(const pl_growth *g, int i) {
  return i < g->stages.n ? g->stages.v[i] : g->from;
}

static int num_stages(const pl_growth *g) {
  return g->stages.n + g->one_more;
}

bool pl_growth_has_stages(const pl_growth *g, const pl_spec *spec) {
  const pl_ints *s = &spec->common.record_stages;
  bool same = s->n == num_stages(g);
  for (int i = 0; i < s->n && same; i++) same = s->v[i] == stage_of(g, i);
  return same;
}

char *pl_growth_set(const pl_growth *g) {
  char *text = pl_strdup("record.stages=[");
  for (int i = 0; i < num_stages(g); i++) {
    char *longer = pl_asprintf("%s%s%lld", text, i ? ", " : "", (long long)stage_of(g, i));
    pl_free(text);
    text = longer;
  }
  char *set = pl_asprintf("%s]", text);
  pl_free(text);
  return set;
}

pl_status pl_growth_add(pl_growth *g, const pl_spec *was, const pl_spec *now, bool strict) {
  PL_TRY(expect_longer(was, now, g));
  PL_TRY(expect_records(g, was, now));
  if (pl_growth_has_stages(g, now) || (!strict && now->common.record_stages.n == 0)) return PL_OK;
  char *set = pl_growth_set(g);
  pl_status st = pl_error(PL_EINPUT, "record.stages: expected %s", strchr(set, '=') + 1);
  pl_free(set);
  return st;
}
