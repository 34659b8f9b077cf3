#include "run/sweep.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "folders.h"
#include "post.h"
#include "run/final.h"
#include "run/keeper.h"
#include "run/stop.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* Messages between team leaders and rank 0, all on one communicator. */
enum { TAG_NEWS = 1, TAG_ASSIGN, TAG_STOP };
enum { NO_RUN = -1 };
/* TAKEN_UP: where an earlier session left it, and not heard of since. */
enum { DRAWN = 1, TAKEN_UP };

/* Runs to train: number first of the phase's list and those behind it. */
typedef struct task {
  int64_t run, place, count;
  int64_t records; /* as pl_keeper_kept, of runs that have not ended */
} task;

/* The mailbox is looked at most so often (seconds): a look costs about a microsecond. */
static const double LOOK_EVERY = 2e-4;
/* Setting up a run that takes longer (seconds) ends at once with a signal, where nobody trains. */
static const double LONG_SETUP = 0.2;
/* Runs handed out at once take at most so long (seconds). */
static const double HANDFUL = 0.1;

typedef struct sweep {
  pl_comm world; /* own duplicate: nobody else's messages */
  pl_comm team;
  const pl_config *cfg;
  const pl_plan *plan;
  const pl_sweep_options *opt;
  bool stop; /* a signal, the clock, or trouble with the output */
  double last_look;
  /* the run under way */
  int64_t run, at; /* its step */
  pl_spec spec;
  const pl_length *length;
  double step_seconds; /* predicted, of a step and a record */
  task task;
  double saved; /* pl_clock of its last checkpoint */
  pl_post post;
  /* the run to come, asked for ahead of time */
  bool asked;
  task assigned;
  MPI_Request assignment;
  /* rank 0 only */
  pl_keeper *keeper;
  const pl_phase *phase;
  int64_t next;    /* run of the phase to hand out next */
  int64_t handed;  /* runs handed out, of the whole sweep */
  int64_t ended;   /* runs that have ended */
  int64_t waiting; /* teams of the phase that have not yet been told that no run is left */
  int64_t bad;     /* failed or diverged */
  int64_t stopped; /* ended before their time */
  int64_t unsaved; /* .. without a checkpoint */
  bool told;       /* the other teams know that they are to stop */
  double done;     /* rank-seconds, as predicted */
  double *begun;   /* [num_runs]: share of a run that is done */
  char *drawn;     /* [num_runs]: handed out in this session: DRAWN or TAKEN_UP, 0: not */
  pl_progress progress;
} sweep;

/* ---- rank 0: the list of runs ---- */

/* Everybody stops: saves its run and draws no other. */
static void stop_all(sweep *s) {
  s->stop = true;
  if (s->told) return;
  s->told = true;
  for (int r = s->phase->team; r + s->phase->team <= s->world.size; r += s->phase->team)
    MPI_Send(NULL, 0, MPI_BYTE, r, TAG_STOP, s->world.mpi);
}

/* A signal, or trouble with the output. */
static void heed(sweep *s) {
  if (pl_stop_requested() || pl_keeper_failed(s->keeper)) stop_all(s);
}

/* A run has come so far. */
static void advance(sweep *s, int64_t run, double share) {
  double seconds = (share - s->begun[run]) * pl_plan_run_seconds(s->plan, run);
  s->done += seconds;
  s->begun[run] = share;
  if (s->drawn[run] == TAKEN_UP && seconds > 0) { /* heard of for the first time */
    s->drawn[run] = DRAWN;
    s->progress.before += seconds / s->plan->work;
  }
}

static void on_record(sweep *s, int64_t run, int64_t index, const double *values, int64_t n) {
  pl_keeper_record(s->keeper, run, index, values, n);
  double steps = (double)pl_plan_run_steps(s->plan, run), share = values[PL_RECORD_STEP] / steps;
  /* Rank 0 counts its own steps as it makes them. */
  if (run != s->run && s->drawn[run] != TAKEN_UP)
    s->progress.steps += (int64_t)((share - s->begun[run]) * steps + 0.5);
  advance(s, run, share);
}

static void on_end(sweep *s, int64_t run, const pl_outcome *o) {
  pl_keeper_end(s->keeper, run, o);
  s->ended++;
  if (o->state == PL_RUN_STOPPED) {
    s->stopped++;
    s->unsaved += o->unsaved;
    stop_all(s);
    return;
  }
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
  while (n < most && pl_keeper_kept(s->keeper, f->runs[s->next + n]) == PL_KEPT_NONE) n++;
  return n;
}

/* The next runs of the phase; NO_RUN tells a team that it is free. */
static task draw(sweep *s) {
  heed(s);
  const pl_phase *f = s->phase;
  while (s->next < f->num_runs && pl_keeper_kept(s->keeper, f->runs[s->next]) == PL_KEPT_DONE)
    s->next++;
  if (s->stop || s->next == f->num_runs) {
    s->waiting--;
    return (task){.run = NO_RUN};
  }
  task t = {.run = f->runs[s->next], .place = s->next, .count = 1};
  t.records = pl_keeper_kept(s->keeper, t.run);
  if (t.records == PL_KEPT_NONE) t.count = handful(s);
  s->drawn[t.run] = t.records == PL_KEPT_NONE ? DRAWN : TAKEN_UP;
  s->handed += t.count;
  s->next += t.count;
  return t;
}

static void on_news(void *context, const pl_news *news, const double *values, int from) {
  sweep *s = context;
  switch (news->kind) {
  case PL_NEWS_WANT: {
    task t = draw(s);
    MPI_Send(&t, sizeof t, MPI_BYTE, from, TAG_ASSIGN, s->world.mpi);
    return;
  }
  case PL_NEWS_START:
    pl_keeper_start(s->keeper, news->run, (int)news->index);
    return;
  case PL_NEWS_RECORD:
    on_record(s, news->run, news->index, values, news->n);
    return;
  case PL_NEWS_SAVED:
    pl_keeper_secure(s->keeper);
    return;
  case PL_NEWS_END:
    on_end(s, news->run, &news->outcome);
    return;
  case PL_NEWS_BACK:
    s->handed -= news->index;
    s->drawn[news->run] = 0;
    stop_all(s);
    return;
  }
}

static void show_progress(sweep *s, bool final) {
  double work = s->plan->work > 0 ? s->done / s->plan->work : 1;
  /* What is told is in the file. */
  if (pl_progress_due(&s->progress, work, final)) pl_keeper_before(s->keeper, INFINITY);
  pl_progress_update(&s->progress, s->ended, s->plan->num_runs, work, final);
}

/* ---- a team's leader: what it tells rank 0 ---- */

static bool is_root(const sweep *s) {
  return s->world.rank == 0;
}
static bool is_leader(const sweep *s) {
  return s->team.rank == 0;
}

/* A team's news; rank 0 tells itself. */
static void tell(sweep *s, pl_news news, const double *values) {
  if (is_root(s))
    on_news(s, &news, values, 0);
  else
    pl_post_tell(&s->post, news, values);
}

/* Something that takes so long (seconds) comes next: what has been told goes out in time. */
static void before(sweep *s, double seconds) {
  if (is_root(s))
    pl_keeper_before(s->keeper, seconds);
  else if (is_leader(s))
    pl_post_before(&s->post, seconds);
}

static void ask(sweep *s) {
  if (s->asked || is_root(s)) return;
  s->asked = true;
  MPI_Irecv(&s->assigned, sizeof s->assigned, MPI_BYTE, 0, TAG_ASSIGN, s->world.mpi,
            &s->assignment);
  pl_post_tell(&s->post, (pl_news){.kind = PL_NEWS_WANT}, NULL);
  pl_post_send(&s->post);
}

/* From a handful to the next run in it; false: it is empty.  A team that is to stop gives back what
 * it has not begun. */
static bool next_at_hand(sweep *s) {
  if (s->task.count <= 1) return false;
  if (!s->stop) {
    s->task.count--;
    s->task.run = s->phase->runs[++s->task.place];
    return true;
  }
  pl_news back = {PL_NEWS_BACK, s->phase->runs[s->task.place + 1], .index = s->task.count - 1};
  tell(s, back, NULL);
  s->task.count = 0;
  return false;
}

/* Sets s->task; false: no run is left. */
static bool next_run(sweep *s) {
  if (is_leader(s) && !next_at_hand(s)) {
    if (is_root(s)) {
      s->task = draw(s);
    } else {
      ask(s);
      pl_post_send(&s->post);
      MPI_Wait(&s->assignment, MPI_STATUS_IGNORE);
      s->asked = false;
      s->task = s->assigned;
      /* The next handful comes while this one is trained, however late rank 0 looks. */
      if (s->task.count > 1) ask(s);
    }
  }
  pl_comm_bcast(&s->team, &s->task, sizeof s->task, 0);
  return s->task.run != NO_RUN;
}

/* ---- hooks of the training loop ---- */

static void record_hook(void *context, int64_t index, const double *values, int64_t n) {
  sweep *s = context;
  tell(s, (pl_news){.kind = PL_NEWS_RECORD, .run = s->run, .index = index, .n = n}, values);
}

/* Look into the mailbox, if it is time.  Between short steps the clock is all that is asked. */
static bool look(sweep *s, int64_t step, double now) {
  if (now - s->last_look < LOOK_EVERY) return false;
  s->last_look = now;
  before(s, s->step_seconds);
  if (pl_stop_requested()) s->stop = true;
  if (is_root(s)) {
    pl_keeper_beat(s->keeper);
    advance(s, s->run, (double)step / (double)s->length->steps);
    heed(s);
    if (s->world.size > 1) pl_post_serve(&s->post, on_news, s);
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
  return true;
}

static double poll_hook(void *context, int64_t step) {
  sweep *s = context;
  double now = pl_clock();
  s->at = step;
  if (is_root(s)) s->progress.steps++;
  if (pl_stop_step()) s->stop = true;
  if (!look(s, step, now)) return s->stop ? PL_VOTE_STOP : PL_VOTE_NONE;
  double every = 60 * s->spec.common.checkpoint_every;
  bool save = is_leader(s) && every > 0 && now - s->saved >= every;
  return (s->stop ? PL_VOTE_STOP : PL_VOTE_NONE) + (save ? PL_VOTE_SAVE : PL_VOTE_NONE);
}

/* While a run is set up or observed. */
static pl_status pause_hook(void *context) {
  sweep *s = context;
  look(s, s->at, pl_clock());
  return s->stop ? pl_error(PL_STOPPED, "given up at a signal") : PL_OK;
}

static bool resume_hook(void *context, pl_model *model, pl_optim *optim, pl_ckpt *at) {
  sweep *s = context;
  pl_stop_later(); /* from now on there is something to save */
  if (s->task.records == PL_KEPT_NONE) return false;
  bool there = pl_checkpoint_read(s->opt->output, s->run, &s->team, s->cfg, model, optim,
                                  s->task.records, at);
  if (there) s->at = at->step;
  return there;
}

static pl_status write_checkpoint(sweep *s, pl_model *model, pl_optim *optim, const pl_ckpt *at) {
  return pl_checkpoint_write(s->opt->output, s->run, &s->team, s->cfg, model, optim, at);
}

static pl_status save_hook(void *context, pl_model *model, pl_optim *optim, const pl_ckpt *at) {
  sweep *s = context;
  if (is_root(s)) pl_keeper_secure(s->keeper);
  pl_status st = write_checkpoint(s, model, optim, at);
  s->saved = pl_clock();
  if (!is_root(s) && is_leader(s)) {
    pl_post_tell(&s->post, (pl_news){.kind = PL_NEWS_SAVED, .run = s->run}, NULL);
    pl_post_send(&s->post);
  }
  return st;
}

/* A kill may leave it beside an output without its last records: then the one before it is used,
 * which stays until they are there (pl_keeper_end). */
static pl_status keep_hook(void *context, pl_model *model, pl_optim *optim, const pl_ckpt *at) {
  sweep *s = context;
  before(s, INFINITY);
  return write_checkpoint(s, model, optim, at);
}

static pl_status save_weights(sweep *s, const char *ending, pl_model *model) {
  before(s, INFINITY);
  return pl_final_save(s->opt->output, ending, &s->team, s->cfg, s->run, model);
}

static pl_status finish_hook(void *context, pl_model *model, pl_run_state state) {
  return state == PL_RUN_DONE ? save_weights(context, "final", model) : PL_OK;
}

static pl_status best_hook(void *context, pl_model *model) {
  return save_weights(context, "best", model);
}

/* ---- the work of one team ---- */

/* A run is set up next: told, and with all that came before in the file if that takes long.  Where
 * all ranks do so together there is then nothing to save until it is done; else a signal gives it
 * up at the next pause, and the run is handed back: its records and its checkpoint are as they
 * were. */
static void begin(sweep *s) {
  const pl_cost *cost = pl_plan_run_cost(s->plan, s->run);
  bool alone = s->world.size < 2 * s->phase->team && cost->setup > LONG_SETUP;
  if (is_leader(s))
    tell(s, (pl_news){.kind = PL_NEWS_START, .run = s->run, .index = s->team.size}, NULL);
  before(s, alone ? INFINITY : cost->setup + cost->record);
  if (alone) pl_stop_at_once();
}

static void train_run(sweep *s) {
  pl_outcome out;
  s->run = s->task.run;
  s->at = 0;
  s->length = pl_plan_run_length(s->plan, s->run);
  pl_config_run(s->cfg, s->run, &s->spec);
  s->saved = pl_clock();
  const pl_cost *cost = pl_plan_run_cost(s->plan, s->run);
  s->step_seconds = cost->step + cost->record;
  begin(s);
  pl_train_hooks hooks = {.context = s,
                          .record = record_hook,
                          .poll = poll_hook,
                          .pause = pause_hook,
                          .resume = resume_hook,
                          .save = save_hook,
                          .keep = pl_spec_keeps_state(&s->spec) ? keep_hook : NULL,
                          .finish = s->spec.common.record_final ? finish_hook : NULL,
                          .best = best_hook};
  pl_status st = pl_train(&s->team, &s->spec, s->length, &s->plan->rates, &hooks, &out);
  pl_stop_later();
  bool given_up = st == PL_STOPPED;
  if (given_up || out.state == PL_RUN_STOPPED) s->stop = true; /* perhaps by another rank */
  if (!is_leader(s)) return;
  if (st && !given_up)
    pl_log_all(PL_LOG_ERROR, "run %lld: %s", (long long)s->run, pl_error_message());
  pl_news news = {given_up ? PL_NEWS_BACK : PL_NEWS_END, .run = s->run, .index = 1, .outcome = out};
  tell(s, news, NULL);
}

/* After its own last run, rank 0 waits for the others. */
static void wait_for_teams(sweep *s) {
  while (s->waiting > 0 || s->ended < s->handed) {
    pl_keeper_beat(s->keeper);
    pl_post_serve(&s->post, on_news, s);
    pl_keeper_before(s->keeper, 0);
    heed(s);
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
    pl_post_finish(&s->post);
  }
  pl_comm_free(&s->team);
}

static pl_status open_root(sweep *s) {
  size_t n = (size_t)s->plan->num_runs;
  s->begun = pl_zalloc(n, sizeof *s->begun, "progress");
  s->drawn = pl_zalloc(n, sizeof *s->drawn, "runs handed out");
  pl_progress_init(&s->progress);
  PL_TRY(pl_keeper_open(s->cfg, s->plan, s->opt, &s->keeper));
  s->bad = pl_keeper_kept_bad(s->keeper);
  for (int64_t r = 0; r < s->plan->num_runs; r++) {
    if (pl_keeper_kept(s->keeper, r) != PL_KEPT_DONE) continue;
    s->handed++;
    s->ended++;
    advance(s, r, 1);
  }
  s->progress.before = s->plan->work > 0 ? s->done / s->plan->work : 0;
  return PL_OK;
}

/* Stopped in an earlier session, and not taken up in this one. */
static bool waits(const sweep *s, int64_t run) {
  if (s->drawn[run] || pl_keeper_kept(s->keeper, run) < 0) return false;
  char *path = pl_checkpoint_of(s->opt->output, run); /* none, if it was not even set up */
  bool there = !access(path, F_OK);
  pl_free(path);
  return there;
}

/* How it ended, on rank 0. */
static pl_status result(const sweep *s) {
  long long runs = (long long)s->plan->num_runs, ended = (long long)(s->ended - s->stopped);
  long long saved = (long long)s->stopped;
  for (int64_t r = 0; r < s->plan->num_runs; r++) saved += waits(s, r);
  const char *reason = pl_stop_reason();
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
    pl_keeper_secure(s->keeper);
    st = result(s);
    pl_checkpoints_end(s->opt->output);
  }
  st = pl_keeper_close(s->keeper, st);
  pl_free(s->begun);
  pl_free(s->drawn);
  return st;
}

pl_status pl_sweep_run(const pl_comm *world, const pl_config *cfg, const pl_plan *plan,
                       const pl_sweep_options *options) {
  sweep s = {.cfg = cfg, .plan = plan, .opt = options, .run = NO_RUN};
  s.world = pl_comm_split(world, 0, world->rank);
  pl_status st = pl_agree(&s.world, is_root(&s) ? open_root(&s) : PL_OK);
  pl_stop_later();
  if (!st) {
    int64_t longest = is_root(&s) ? pl_keeper_longest(s.keeper) : 0;
    pl_comm_bcast(&s.world, &longest, sizeof longest, 0);
    pl_post_init(&s.post, &s.world, TAG_NEWS, longest);
    for (int i = 0; i < plan->num_phases; i++) run_phase(&s, &plan->phases[i]);
    pl_post_fini(&s.post);
  }
  if (is_root(&s)) st = close_root(&s, st);
  st = pl_agree(&s.world, st);
  pl_comm_free(&s.world);
  return st;
}
