#include "model/spec.h"

#include "model/model.h"
#include "model/optim.h"

#include <float.h>

PL_WORDS(schedules, "log", "linear")

#define F(member) offsetof(pl_common, member)
#define MANY      1e9

static const pl_key common_rows[] = {
    {"title", PL_KEY_TEXT, F(title), 0, .fallback = "", .whole = true,
     .help = "what the sweep is about"},
    {"model.kind", PL_KEY_CHOICE, F(model_kind), PL_COST | PL_DATA | PL_RESULTS, "gcnn",
     .choice = pl_zoo_model_name, .help = "the network"},
    {"data.kind", PL_KEY_CHOICE, F(data_kind), PL_COST | PL_DATA | PL_RESULTS,
     .choice = pl_zoo_data_name,
     .help = "where the samples come from (default: the network's own, first in its list)"},
    {"data.seed", PL_KEY_INT, F(data_seed), PL_DATA | PL_RESULTS, .min = 0, .max = 0x1p53,
     .help = "seed of the data (default: seed); one value gives all runs the same data"},
    {"optimizer.kind", PL_KEY_CHOICE, F(optimizer_kind), PL_COST | PL_RESULTS, "gd",
     .choice = pl_optim_name, .help = "optimiser"},
    {"steps", PL_KEY_INT, F(steps), PL_COST | PL_RESULTS | PL_GROWS, "1000", .min = 1, .max = MANY,
     .help = "steps of training"},
    {"stop.loss", PL_KEY_REAL, F(stop_loss), PL_RESULTS, "0", .min = 0, .max = DBL_MAX,
     .help = "stop when the objective falls below this (0: never)"},
    {"stop.patience", PL_KEY_INT, F(stop_patience), PL_RESULTS, "0", .min = 0, .max = MANY,
     .units = "records",
     .help = "stop after so many records without a better stop.metric (0: never)"},
    {"stop.metric", PL_KEY_TEXT, F(stop_metric), PL_RESULTS,
     .help = "the scalar variable that stop.patience watches (default: the network's metric on "
             "the validation part, for some networks with a second that decides ties, until "
             "neither is as good as the best; or loss without one)"},
    {"record.schedule", PL_KEY_CHOICE, F(record_schedule), PL_COST | PL_RESULTS, "log",
     .choice = schedules, .help = "how the recorded steps are spaced"},
    {"record.points", PL_KEY_INT, F(record_points), PL_COST | PL_RESULTS, "100", .min = 2,
     .max = 1e7, .help = "number of records, start and end included"},
    {"record.steps", PL_KEY_INTS, F(record_steps), PL_COST | PL_RESULTS | PL_GROWS, "", .min = 0,
     .max = MANY, .ascending = true, .help = "recorded steps, instead of a schedule"},
    {"record.stages", PL_KEY_INTS, F(record_stages), PL_COST | PL_RESULTS | PL_GROWS, "", .min = 1,
     .max = MANY, .ascending = true,
     .help = "steps (or epochs) that the sweep had before it was extended: up to each, the records "
             "of its schedule stand, behind it those of the next (run --extend sets it)"},
    {"record.final", PL_KEY_BOOL, F(record_final), PL_RESULTS, "false",
     .help = "write each run's final weights, usable as model.init.path, and keep its final state "
             "as checkpoint.keep does"},
    {"record.best", PL_KEY_BOOL, F(record_best), PL_COST | PL_RESULTS, "false",
     .help = "write each run's weights at the record with the best metric on the validation part"},
    {"checkpoint.every", PL_KEY_REAL, F(checkpoint_every), 0, "10", .min = 0, .max = MANY,
     .whole = true, .units = "min",
     .help = "save running runs every so many minutes (0: only when stopped)"},
    {"checkpoint.keep", PL_KEY_BOOL, F(checkpoint_keep), 0, "false", .whole = true,
     .help = "keep each run's final state (weights, optimiser, counters) in OUT.nc.ckpt/, from "
             "which run --extend goes on with more steps"},
    {"seed", PL_KEY_INT, F(seed), PL_DATA | PL_RESULTS, "0", .min = 0, .max = 0x1p53, .range = true,
     .help = "seed of weights and data; integers or a range such as 0..9"},
    {"mapping.team", PL_KEY_INT, F(team), PL_COST, .min = 1, .max = 1e6,
     .help = "ranks that share a run (default: the planner chooses)"},
};

static const pl_key size_rows[] = {
    {"data.samples", PL_KEY_INT, F(samples), PL_COST | PL_DATA | PL_RESULTS, "10", .min = 1,
     .max = 1e6, .help = "samples N of the training part"},
    {"data.validation", PL_KEY_INT, F(validation), PL_COST | PL_DATA | PL_RESULTS, "0", .min = 0,
     .max = 1e6, .help = "fresh samples of the validation part"},
    {"data.test", PL_KEY_INT, F(test), PL_COST | PL_DATA | PL_RESULTS, "0", .min = 0, .max = 1e6,
     .help = "fresh samples of the test part"},
};

static const pl_key batch_rows[] = {
    {"train.batch", PL_KEY_INT, F(batch), PL_COST | PL_RESULTS, "whole", .min = 1, .max = 1e6,
     .word = "whole", .word_value = PL_BATCH_WHOLE,
     .help =
         "samples of a step, over all ranks of the run; the last batch of an epoch may be short"},
    {"train.shuffle", PL_KEY_BOOL, F(shuffle), PL_RESULTS, "true",
     .help = "a new order of the samples in every epoch; false: as they come"},
    {"epochs", PL_KEY_INT, F(epochs), PL_COST | PL_RESULTS | PL_GROWS, .min = 1, .max = MANY,
     .help = "passes over the training part, in place of steps"},
    {"record.every_epoch", PL_KEY_BOOL, F(record_every_epoch), PL_COST | PL_RESULTS, "false",
     .help = "a record at the start and after every epoch, instead of a schedule"},
};

static const pl_key spectrum_rows[] = {
    {"record.spectrum", PL_KEY_BOOL, F(record_spectrum), PL_COST | PL_RESULTS, "false",
     .help = "record all singular values"},
};

const pl_keys pl_common_keys = PL_KEYS(PL_IN_COMMON, common_rows);
const pl_keys pl_size_keys = PL_KEYS(PL_IN_COMMON, size_rows);
const pl_keys pl_batch_keys = PL_KEYS(PL_IN_COMMON, batch_rows);
const pl_keys pl_spectrum_keys = PL_KEYS(PL_IN_COMMON, spectrum_rows);
