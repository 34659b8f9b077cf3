#include "keys.h"

#include "nets/meta/solve.h"

#include <float.h>

PL_WORDS(methods, "imaml", "maml", "fomaml", "reptile", "none")
PL_WORDS(solvers, "gd", "newton-cg", "lbfgs")
PL_WORDS(operators, "paper", "damped")

#define F(member) offsetof(meta_values, member)
#define C(member) offsetof(pl_common, member)
#define SHAPE     PL_COST | PL_RESULTS

double meta_lambda(const pl_spec *spec) {
  const meta_values *v = meta_values_of(spec);
  return !isnan(v->lambda) ? v->lambda : v->method == METHOD_IMAML ? 2 : 0;
}

static const pl_key rows[] = {
    {"meta.method", PL_KEY_CHOICE, F(method), SHAPE, "imaml", .choice = methods,
     .help =
         "where the meta-gradient comes from: imaml, the inner solution alone; maml, the "
         "unrolled inner loop; fomaml, the query loss at its end; reptile, the way that it went "
         "(over support and query samples); none, nowhere: the initial weights stay"},
    {"meta.lambda", PL_KEY_REAL, F(lambda), PL_RESULTS, NULL, .min = 0, .max = DBL_MAX,
     .help = "the inner loss has lambda/2 ||phi - theta||^2 added (default: 2 for imaml, 0 for the "
             "others)"},
    {"meta.inner_solver", PL_KEY_CHOICE, F(solver), SHAPE, "gd", .choice = solvers,
     .help = "gd: meta.inner_steps steps; newton-cg, lbfgs: at most so many, until the gradient is "
             "1e-12 of the first"},
    {"meta.inner_steps", PL_KEY_INT, F(inner_steps), SHAPE, "16", .min = 0, .max = 100000,
     .help = "steps of the inner solver"},
    {"meta.inner_lr", PL_KEY_REAL, F(inner_lr), PL_RESULTS, "0.01", DBL_MIN, DBL_MAX,
     .help = "learning rate of gd"},
    {"meta.cg_steps", PL_KEY_INT, F(cg_steps), SHAPE, "5", .min = 1, .max = PL_CG_MOST,
     .help = "conjugate gradient steps of imaml, sooner where the residual is 1e-14 of the first"},
    {"meta.operator", PL_KEY_CHOICE, F(operator_kind), PL_RESULTS, "paper", .choice = operators,
     .help = "what imaml solves with: paper, I + H/lambda; damped, (1 + damping) I + H/(lambda + "
             "10) as in the published code, which also makes plain inner steps with one pull to "
             "theta behind them, and adapts to validation and test tasks without any"},
    {"meta.damping", PL_KEY_REAL, F(damping), PL_RESULTS, "1", .min = 0, .max = DBL_MAX,
     .with = "meta.operator", .with_word = "damped", .help = "damping of that operator"},
};

/* Tasks are what a step of the network takes: train.batch under a name of its own. */
static const pl_key batch_rows[] = {
    {"meta.tasks", PL_KEY_INT, C(batch), SHAPE, "4", .min = 1, .max = 1e6, .word = "whole",
     .word_value = PL_BATCH_WHOLE,
     .help =
         "tasks of a step, over all ranks of the run; the last step of an epoch may have fewer"},
    {"train.shuffle", PL_KEY_BOOL, C(shuffle), PL_RESULTS, "true",
     .help = "a new order of the tasks in every epoch; false: as they come"},
    {"epochs", PL_KEY_INT, C(epochs), SHAPE | PL_GROWS, .min = 1, .max = 1e9,
     .help = "passes over the training tasks, in place of steps"},
    {"record.every_epoch", PL_KEY_BOOL, C(record_every_epoch), SHAPE, "false",
     .help = "a record at the start and after every epoch, instead of a schedule"},
};

static const pl_key size_rows[] = {
    {"data.samples", PL_KEY_INT, C(samples), DATA_ALL, "1000", .min = 1, .max = 1e6,
     .units = "tasks", .help = "tasks of the training part"},
    {"data.validation", PL_KEY_INT, C(validation), DATA_ALL, "0", .min = 0, .max = 1e6,
     .units = "tasks", .help = "fresh tasks of the validation part"},
    {"data.test", PL_KEY_INT, C(test), DATA_ALL, "0", .min = 0, .max = 1e6, .units = "tasks",
     .help = "fresh tasks of the test part"},
};

const pl_keys meta_keys = PL_KEYS(PL_IN_NETWORK, rows);
const pl_keys meta_batch_keys = PL_KEYS(PL_IN_COMMON, batch_rows);
const pl_keys meta_size_keys = PL_KEYS(PL_IN_COMMON, size_rows);
