#include "run/sweep.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/output.h"
#include "folders.h"
#include "run/final.h"
#include "run/inputs.h"
#include "run/record.h"
#include "run/stop.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Messages between team leaders and rank 0, all on one communicator.  To rank 0: a header and,
 * behind it in the same message, the values of a record. */
enum { TAG_NEWS = 1, TAG_ASSIGN, TAG_STOP };
enum { NEWS_WANT, NEWS_START, NEWS_RECORD, NEWS_SAVED, NEWS_END, NEWS_BACK };
typedef struct news {
  int64_t kind, run;  /* NEWS_BACK: runs handed out and not begun */
  int64_t index;      /* NEWS_START: ranks; NEWS_RECORD: number of the record */
  pl_outcome outcome; /* NEWS_END */
} news;
enum { NEWS_HEAD = (sizeof(news) + 7) / 8 }; /* doubles */
enum { NO_RUN = -1 };

/* Runs to train: number first of the phase's list and those behind it. */
typedef struct task {
  int64_t run, place, count;
  int64_t records; /* in the output already; NO_CHECKPOINT: the run starts from its first step */
} task;
enum { NO_CHECKPOINT = -1 };

/* The mailbox is looked at most so often (seconds): a look costs about a microsecond. */
static const double LOOK_EVERY = 2e-4;
/* Records wait at most so long to be written together (seconds); by prediction, so half of what is
 * promised.  Runs handed out at once take at most HANDFUL. */
static const double GATHER = 0.5, HANDFUL = 0.1;

typedef struct sweep {
  pl_comm world; /* own duplicate: nobody else's messages */
  pl_comm team;
  const pl_config *cfg;
  const pl_plan *plan;
  const pl_sweep_options *opt;
  bool stop; /* a signal, the clock, or trouble with the output */
  double last_look;
  /* the run under way */
  int64_t run;
  pl_spec spec;
  const pl_length *length;
  double step_seconds; /* predicted, of a step and a record */
  task task;
  double saved;       /* pl_clock of its last checkpoint */
  double *message[2]; /* leader: records on their way to rank 0 */
  MPI_Request sending[2];
  int slot;
  int64_t room; /* doubles of a record */
  /* the run to come, asked for ahead of time */
  bool asked;
  task assigned;
  MPI_Request assignment;
  /* rank 0 only */
  pl_lock *lock;
  pl_recorder *rec;
  const pl_phase *phase;
  int64_t next;    /* run of the phase to hand out next */
  int64_t handed;  /* runs handed out, of the whole sweep */
  int64_t ended;   /* runs that have ended */
  int64_t waiting; /* teams of the phase that have not yet been told that no run is left */
  int64_t bad;     /* failed or diverged */
  int64_t stopped; /* ended before their time */
  int64_t unsaved; /* .. without a checkpoint */
  bool *kept;      /* [num_runs]: ended in an earlier session */
  int64_t *found;  /* [num_runs]: task.records of runs not yet handed out */
  bool told;       /* the other teams know that they are to stop */
  double done;     /* rank-seconds, as predicted */
  double *begun;   /* [num_runs]: share of a run that is done */
  pl_status trouble;
  char *trouble_message;
  pl_progress progress;
} sweep;

/* ---- rank 0: the file and the list of runs ---- */

/* Everybody stops: saves its run and draws no other. */
static void stop_all(sweep *s) {
  s->stop = true;
  if (s->told) return;
  s->told = true;
  for (int r = s->phase->team; r + s->phase->team <= s->world.size; r += s->phase->team)
    MPI_Send(NULL, 0, MPI_BYTE, r, TAG_STOP, s->world.mpi);
}

/* The output failed: remember the first message, stop everybody. */
static void in_trouble(sweep *s, pl_status st) {
  if (st == PL_OK || s->trouble) return;
  s->trouble = st;
  s->trouble_message = pl_strdup(pl_error_message());
  stop_all(s);
}

/* The run is in the output, once and for all: that comes to the disk before its checkpoint goes. */
static void drop_checkpoint(sweep *s, int64_t run) {
  char *path = pl_checkpoint_of(s->opt->output, run);
  if (!access(path, F_OK)) in_trouble(s, pl_recorder_fsync(s->rec));
  if (!s->trouble) pl_ckpt_remove(path);
  pl_free(path);
}

/* A run has come so far. */
static void advance(sweep *s, int64_t run, double share) {
  s->done += (share - s->begun[run]) * pl_plan_run_seconds(s->plan, run);
  s->begun[run] = share;
}

/* Something that takes so long comes next: what would have waited too long at its end goes out. */
static void write_before(sweep *s, double seconds) {
  if (!s->trouble && pl_recorder_oldest(s->rec) + GATHER < pl_clock() + seconds)
    in_trouble(s, pl_recorder_flush(s->rec));
}

static void on_start(sweep *s, int64_t run, int ranks) {
  if (!s->trouble) in_trouble(s, pl_recorder_start(s->rec, run, ranks));
}

static void on_record(sweep *s, int64_t run, int64_t index, const double *values, int64_t n) {
  if (!s->trouble) in_trouble(s, pl_recorder_record(s->rec, run, index, values, n));
  double steps = (double)pl_plan_run_steps(s->plan, run), share = values[PL_RECORD_STEP] / steps;
  if (run != s->run) /* rank 0 counts its own steps as it makes them */
    s->progress.steps += (int64_t)((share - s->begun[run]) * steps + 0.5);
  advance(s, run, share);
}

static void on_end(sweep *s, int64_t run, const pl_outcome *o) {
  if (!s->trouble) in_trouble(s, pl_recorder_end(s->rec, run, o));
  s->ended++;
  if (o->wall_time > GATHER) write_before(s, INFINITY);
  if (o->state == PL_RUN_STOPPED) {
    s->stopped++;
    s->unsaved += o->unsaved;
    stop_all(s);
    return;
  }
  if (!s->trouble) drop_checkpoint(s, run);
  if (o->state == PL_RUN_FAILED || o->state == PL_RUN_DIVERGED) {
    s->bad++;
    pl_log(PL_LOG_WARNING, "run %lld %s at step %lld", (long long)run, pl_run_state_name(o->state),
           (long long)o->steps_done);
  }
  advance(s, run, 1);
}

/* How many runs from next on go to one team: short ones several at once, lest the team wait longer
 * for each than it trains; those of earlier sessions one by one. */
static int64_t handful(const sweep *s) {
  const pl_phase *f = s->phase;
  double most = fmin(HANDFUL / pl_plan_run_seconds(s->plan, f->runs[s->next]),
                     (double)(f->num_runs - s->next) / (4 * s->world.size));
  int64_t n = 1;
  while (n < most && !s->kept[f->runs[s->next + n]] &&
         s->found[f->runs[s->next + n]] == NO_CHECKPOINT)
    n++;
  return n;
}

/* The next runs of the phase; NO_RUN tells a team that it is free. */
static task draw(sweep *s) {
  if (pl_stop_requested()) stop_all(s);
  const pl_phase *f = s->phase;
  while (s->next < f->num_runs && s->kept[f->runs[s->next]]) s->next++;
  if (s->stop || s->next == f->num_runs) {
    s->waiting--;
    return (task){.run = NO_RUN};
  }
  task t = {.run = f->runs[s->next], .place = s->next, .count = 1};
  t.records = s->found[t.run];
  if (t.records == NO_CHECKPOINT) t.count = handful(s);
  s->found[t.run] = NO_CHECKPOINT;
  s->handed += t.count;
  s->next += t.count;
  return t;
}

static void on_news(sweep *s, const double *message, int64_t n, int from) {
  news h;
  memcpy(&h, message, sizeof h);
  switch (h.kind) {
  case NEWS_WANT: {
    task t = draw(s);
    MPI_Send(&t, sizeof t, MPI_BYTE, from, TAG_ASSIGN, s->world.mpi);
    return;
  }
  case NEWS_START:
    on_start(s, h.run, (int)h.index);
    return;
  case NEWS_RECORD:
    on_record(s, h.run, h.index, message + NEWS_HEAD, n - NEWS_HEAD);
    return;
  case NEWS_SAVED:
    if (!s->trouble) in_trouble(s, pl_recorder_fsync(s->rec));
    return;
  case NEWS_END:
    on_end(s, h.run, &h.outcome);
    return;
  case NEWS_BACK:
    s->handed -= h.run;
    return;
  }
}

/* Take all letters out of the mailbox. */
static void serve(sweep *s, double *buffer) {
  for (;;) {
    int there, n;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, TAG_NEWS, s->world.mpi, &there, &status);
    if (!there) return;
    MPI_Get_count(&status, MPI_DOUBLE, &n);
    MPI_Recv(buffer, n, MPI_DOUBLE, status.MPI_SOURCE, TAG_NEWS, s->world.mpi, MPI_STATUS_IGNORE);
    on_news(s, buffer, n, status.MPI_SOURCE);
  }
}

static void show_progress(sweep *s, bool final) {
  double work = s->plan->work > 0 ? s->done / s->plan->work : 1;
  /* What is told is in the file. */
  if (pl_progress_due(&s->progress, work, final)) write_before(s, INFINITY);
  pl_progress_update(&s->progress, s->ended, s->plan->num_runs, work, final);
}

/* ---- a team's leader: what it tells rank 0 ---- */

static bool is_root(const sweep *s) {
  return s->world.rank == 0;
}
static bool is_leader(const sweep *s) {
  return s->team.rank == 0;
}

/* Send a header and n values; two messages may be under way. */
static void tell(sweep *s, news h, const double *values, int64_t n) {
  double *m = s->message[s->slot];
  MPI_Wait(&s->sending[s->slot], MPI_STATUS_IGNORE);
  memcpy(m, &h, sizeof h);
  if (n) memcpy(m + NEWS_HEAD, values, (size_t)n * sizeof *m);
  MPI_Isend(m, pl_int(NEWS_HEAD + n), MPI_DOUBLE, 0, TAG_NEWS, s->world.mpi, &s->sending[s->slot]);
  s->slot = 1 - s->slot;
}

static void ask(sweep *s) {
  if (s->asked || is_root(s)) return;
  s->asked = true;
  MPI_Irecv(&s->assigned, sizeof s->assigned, MPI_BYTE, 0, TAG_ASSIGN, s->world.mpi,
            &s->assignment);
  tell(s, (news){.kind = NEWS_WANT}, NULL, 0);
}

/* From a handful to the next run in it; false: it is empty.  A team that is to stop gives back what
 * it has not begun. */
static bool next_at_hand(sweep *s) {
  if (s->task.count <= 1) return false;
  if (!s->stop) {
    s->task.count--;
    s->task.run = s->phase->runs[++s->task.place];
    ask(s); /* the next handful comes while this one is trained */
    return true;
  }
  int64_t left = s->task.count - 1;
  s->task.count = 0;
  if (is_root(s))
    s->handed -= left;
  else
    tell(s, (news){.kind = NEWS_BACK, .run = left}, NULL, 0);
  return false;
}

/* Sets s->task; false: no run is left. */
static bool next_run(sweep *s) {
  if (is_leader(s) && !next_at_hand(s)) {
    if (is_root(s)) {
      s->task = draw(s);
    } else {
      ask(s);
      MPI_Wait(&s->assignment, MPI_STATUS_IGNORE);
      s->asked = false;
      s->task = s->assigned;
    }
  }
  pl_comm_bcast(&s->team, &s->task, sizeof s->task, 0);
  return s->task.run != NO_RUN;
}

/* ---- hooks of the training loop ---- */

static void record_hook(void *context, int64_t index, const double *values, int64_t n) {
  sweep *s = context;
  if (is_root(s))
    on_record(s, s->run, index, values, n);
  else
    tell(s, (news){.kind = NEWS_RECORD, .run = s->run, .index = index}, values, n);
}

/* Look into the mailbox. */
static void look(sweep *s, int64_t step) {
  if (is_root(s)) {
    in_trouble(s, pl_lock_beat(s->lock));
    advance(s, s->run, (double)step / (double)s->length->steps);
    if (s->stop) stop_all(s);
    if (s->world.size > 1) serve(s, s->message[0]);
    show_progress(s, false);
  } else if (is_leader(s)) {
    int there;
    /* Ask early enough that the answer is there when the run ends. */
    if (s->task.count == 1 && step >= s->length->steps - s->length->steps / 10) ask(s);
    MPI_Iprobe(0, TAG_STOP, s->world.mpi, &there, MPI_STATUS_IGNORE);
    if (there) {
      MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_STOP, s->world.mpi, MPI_STATUS_IGNORE);
      s->stop = true;
    }
  }
}

static double poll_hook(void *context, int64_t step) {
  sweep *s = context;
  double now = pl_clock();
  if (is_root(s)) {
    s->progress.steps++;
    write_before(s, s->step_seconds);
  }
  if (pl_stop_step()) s->stop = true;
  if (now - s->last_look < LOOK_EVERY) return s->stop ? PL_VOTE_STOP : PL_VOTE_NONE;
  s->last_look = now;
  if (pl_stop_requested()) s->stop = true;
  look(s, step);
  double every = 60 * s->spec.common.checkpoint_every;
  bool save = is_leader(s) && every > 0 && now - s->saved >= every;
  return (s->stop ? PL_VOTE_STOP : PL_VOTE_NONE) + (save ? PL_VOTE_SAVE : PL_VOTE_NONE);
}

static bool resume_hook(void *context, pl_model *model, pl_optim *optim, pl_ckpt *at) {
  sweep *s = context;
  if (s->task.records == NO_CHECKPOINT) return false;
  char *path = pl_checkpoint_of(s->opt->output, s->run);
  bool found = pl_ckpt_read(path, &s->team, model, optim, pl_ckpt_digest(s->cfg, s->run),
                            s->task.records, at);
  pl_free(path);
  return found;
}

static pl_status save_hook(void *context, pl_model *model, pl_optim *optim, const pl_ckpt *at) {
  sweep *s = context;
  char *folder = pl_checkpoints_of(s->opt->output),
       *path = pl_checkpoint_of(s->opt->output, s->run);
  if (is_leader(s)) mkdir(folder, 0777); /* a failure shows when the file is created */
  if (is_root(s) && !s->trouble) in_trouble(s, pl_recorder_fsync(s->rec));
  pl_status st = pl_ckpt_write(path, &s->team, model, optim, pl_ckpt_digest(s->cfg, s->run), at);
  s->saved = pl_clock();
  if (!is_root(s) && is_leader(s)) tell(s, (news){.kind = NEWS_SAVED, .run = s->run}, NULL, 0);
  pl_free(folder);
  pl_free(path);
  return st;
}

static pl_status finish_hook(void *context, pl_model *model, pl_run_state state) {
  sweep *s = context;
  if (state != PL_RUN_DONE) return PL_OK;
  if (is_root(s)) write_before(s, INFINITY);
  return pl_final_save(s->opt->output, "final", &s->team, s->cfg, s->run, model);
}

static pl_status best_hook(void *context, pl_model *model) {
  sweep *s = context;
  if (is_root(s)) write_before(s, INFINITY);
  return pl_final_save(s->opt->output, "best", &s->team, s->cfg, s->run, model);
}

/* ---- the work of one team ---- */

static void train_run(sweep *s) {
  pl_outcome out;
  s->run = s->task.run;
  s->length = pl_plan_run_length(s->plan, s->run);
  pl_config_run(s->cfg, s->run, &s->spec);
  s->saved = pl_clock();
  const pl_cost *cost = pl_plan_run_cost(s->plan, s->run);
  s->step_seconds = cost->step + cost->record;
  if (is_root(s)) {
    on_start(s, s->run, s->team.size);
    write_before(s, cost->setup + cost->record);
  }
  if (!is_root(s) && is_leader(s))
    tell(s, (news){.kind = NEWS_START, .run = s->run, .index = s->team.size}, NULL, 0);
  pl_train_hooks hooks = {.context = s,
                          .record = record_hook,
                          .poll = poll_hook,
                          .resume = resume_hook,
                          .save = save_hook,
                          .finish = s->spec.common.record_final ? finish_hook : NULL,
                          .best = best_hook};
  pl_status st = pl_train(&s->team, &s->spec, s->length, &s->plan->rates, &hooks, &out);
  if (st && is_leader(s))
    pl_log_all(PL_LOG_ERROR, "run %lld: %s", (long long)s->run, pl_error_message());
  if (is_root(s))
    on_end(s, s->run, &out);
  else if (is_leader(s))
    tell(s, (news){.kind = NEWS_END, .run = s->run, .outcome = out}, NULL, 0);
}

/* After its own last run, rank 0 waits for the others. */
static void wait_for_teams(sweep *s) {
  while (s->waiting > 0 || s->ended < s->handed) {
    if (pl_stop_requested()) stop_all(s);
    in_trouble(s, pl_lock_beat(s->lock));
    serve(s, s->message[0]);
    write_before(s, 0);
    show_progress(s, false);
    pl_sleep(LOOK_EVERY);
  }
}

static void run_phase(sweep *s, const pl_phase *phase) {
  int teams = s->world.size / phase->team, mine = s->world.rank / phase->team;
  s->team = pl_comm_split(&s->world, mine < teams ? mine : -1, s->world.rank);
  s->phase = phase;
  s->next = 0;
  s->waiting = teams;
  s->asked = false;
  s->task = (task){.run = NO_RUN};
  if (s->team.size > 0) {
    while (next_run(s)) train_run(s);
    if (is_root(s)) wait_for_teams(s);
    MPI_Waitall(2, s->sending, MPI_STATUSES_IGNORE);
  }
  pl_comm_free(&s->team);
}

/* What earlier sessions have done.  Rank 0 alone. */
static pl_status take_stock(sweep *s) {
  for (int64_t r = 0; r < s->plan->num_runs; r++) {
    pl_outcome o;
    PL_TRY(pl_recorder_run(s->rec, r, &o));
    switch (o.state) {
    case PL_RUN_RUNNING:
    case PL_RUN_STOPPED:
      s->found[r] = o.records;
      break;
    case PL_RUN_DIVERGED:
    case PL_RUN_FAILED:
      if (s->opt->retry) {
        PL_TRY(pl_recorder_clear(s->rec, r));
        break;
      }
      s->bad++;
      /* fall through */
    case PL_RUN_DONE:
      s->kept[r] = true;
      s->handed++;
      s->ended++;
      advance(s, r, 1);
      break;
    default:
      break;
    }
  }
  pl_log(PL_LOG_INFO, "%lld of %lld runs are done already", (long long)s->ended,
         (long long)s->plan->num_runs);
  return PL_OK;
}

/* Nobody else writes the output, and it is none of the files that are read. */
static pl_status take_output(sweep *s) {
  const pl_sweep_options *o = s->opt;
  double wait = o->resume ? PL_LOCK_STALE + 1 : 0;
  PL_TRY(pl_output_apart(o->output, 1, &o->sweep_file));
  PL_TRY(pl_inputs_apart(s->cfg, o->output));
  PL_TRY(pl_lock_take(o->output, wait, pl_stop_requested, &s->lock));
  return pl_lock_promise(s->lock, PL_LOCK_STALE + 4 * pl_plan_longest(s->plan));
}

static pl_status create_output(sweep *s) {
  const pl_sweep_options *o = s->opt;
  if (o->overwrite) PL_TRY(pl_folders_apart(o->output, s->cfg));
  PL_TRY(pl_recorder_create(o->output, o->overwrite, s->cfg, s->plan, o->command, &s->rec));
  if (o->overwrite) pl_folders_clear(o->output);
  return PL_OK;
}

static pl_status open_root(sweep *s) {
  size_t n = (size_t)s->plan->num_runs;
  s->begun = pl_zalloc(n, sizeof *s->begun, "progress");
  s->kept = pl_zalloc(n, sizeof *s->kept, "runs of earlier sessions");
  s->found = pl_alloc(n, sizeof *s->found, "runs of earlier sessions");
  for (size_t r = 0; r < n; r++) s->found[r] = NO_CHECKPOINT;
  pl_progress_init(&s->progress);
  PL_TRY(take_output(s));
  if (s->opt->resume && !access(s->opt->output, F_OK)) {
    PL_TRY(pl_recorder_open(s->opt->output, true, s->cfg, &s->rec));
    PL_TRY(take_stock(s));
  } else {
    PL_TRY(create_output(s));
  }
  pl_recorder_gather(s->rec, GATHER);
  for (int64_t r = 0; pl_checkpoints_any(s->opt->output) && r < s->plan->num_runs; r++)
    if (s->found[r] == NO_CHECKPOINT) pl_checkpoint_drop(s->opt->output, r);
  pl_checkpoints_end(s->opt->output);
  s->room = pl_recorder_longest(s->rec);
  return PL_OK;
}

/* How it ended, on rank 0. */
static pl_status result(const sweep *s) {
  long long runs = (long long)s->plan->num_runs, ended = (long long)(s->ended - s->stopped);
  long long saved = (long long)s->stopped;
  for (int64_t r = 0; r < s->plan->num_runs; r++) saved += s->found[r] != NO_CHECKPOINT;
  const char *reason = pl_stop_reason();
  if (s->trouble) return pl_error(s->trouble, "%s", s->trouble_message);
  if (s->unsaved)
    return pl_error(PL_EENV, "stopped, but %lld of the runs under way could not be saved",
                    (long long)s->unsaved);
  if (ended < runs)
    return pl_error(PL_STOPPED,
                    "stopped by %s: %lld of %lld runs have ended, %lld are saved in %s.ckpt; run "
                    "again with --resume",
                    reason ? reason : "a signal or a limit on another rank", ended, runs, saved,
                    s->opt->output);
  if (s->bad)
    return pl_error(PL_UNFINISHED, "%lld of %lld runs failed or diverged, as recorded in %s",
                    (long long)s->bad, runs, s->opt->output);
  return PL_OK;
}

/* Close the output and tell how it ended.  Rank 0 alone. */
static pl_status close_root(sweep *s, pl_status st) {
  if (!st) {
    s->told = true; /* the teams are gone */
    show_progress(s, s->ended - s->stopped == s->plan->num_runs);
    if (!s->trouble) in_trouble(s, pl_recorder_fsync(s->rec));
    st = result(s);
    pl_checkpoints_end(s->opt->output);
  }
  pl_status closed = pl_recorder_close(s->rec);
  pl_lock_release(s->lock);
  pl_free(s->begun);
  pl_free(s->kept);
  pl_free(s->found);
  pl_free(s->trouble_message);
  return st ? st : closed;
}

pl_status pl_sweep_run(const pl_comm *world, const pl_config *cfg, const pl_plan *plan,
                       const pl_sweep_options *options) {
  sweep s = {.cfg = cfg,
             .plan = plan,
             .opt = options,
             .run = NO_RUN,
             .sending = {MPI_REQUEST_NULL, MPI_REQUEST_NULL}};
  s.world = pl_comm_split(world, 0, world->rank);
  pl_stop_later();
  pl_status st = pl_agree(&s.world, is_root(&s) ? open_root(&s) : PL_OK);
  if (!st) {
    pl_comm_bcast(&s.world, &s.room, sizeof s.room, 0);
    for (int k = 0; k < 2; k++)
      s.message[k] = pl_alloc((size_t)(NEWS_HEAD + s.room), sizeof(double), "messages");
    for (int i = 0; i < plan->num_phases; i++) run_phase(&s, &plan->phases[i]);
    for (int k = 0; k < 2; k++) pl_free(s.message[k]);
  }
  if (is_root(&s)) st = close_root(&s, st);
  st = pl_agree(&s.world, st);
  pl_comm_free(&s.world);
  return st;
}
