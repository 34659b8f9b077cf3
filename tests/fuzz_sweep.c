/* Random sweeps with random data, through the program's own door, on one rank and now and then on
 * three:
 *
 *     fuzz_sweep [-max_total_time=SECONDS] [-first=SEED] [SEED ..]
 *
 * Each case is drawn from its seed (sweep_case.h, sweep_files.h), goes through --dry-run and, if
 * that takes it, through a training of few steps, sometimes cut short and resumed.  What must hold:
 *
 *   - the exit code is 0, 2 or 3; 1 only where the output has a run that did not end well, 75 only
 *     where the run was asked to stop; never a signal, a report of a sanitizer, a block of memory
 *     left, a command that does not end, or does not end when it is told to;
 *   - bad input is one message of one line, of rank 0, with file or option; nothing is written;
 *   - what --dry-run takes, the run does not refuse;
 *   - an output opens, each of its runs has ended, no lock or temporary file is left beside it;
 *   - to resume a finished output changes no byte of it.
 *
 * Commands on one rank run in a process forked from this one, which has started MPI; on three by
 * mpirun with the program beside this one.  A fault is printed with its seed, and the next case
 * follows; with seeds, these cases alone, all they print shown, their files left in sweep/work.
 * Without -first seeds begin at 1, the same at every time; -first=0: at the clock. */
#include "sweep_files.h"

#include "base/blas.h"
#include "run/train.h"

#include <dirent.h>
#include <limits.h>

enum { SHOWN_LINES = 40, RANKS = 3 };

static bool single; /* seeds were given: all is shown */
static int faults;

/* A case on its way. */
typedef struct trial {
  sweep_case c;
  int ranks;
  char *sets[MOST_KEYS + 1]; /* "KEY=VALUE" */
  command k;                 /* the last one */
  outcome out;
} trial;

/* plancherel with a command, the case's sweep and --set, and what else is asked (NULL-terminated).
 */
static void ask(trial *t, const char *const *words) {
  static const char *const mpirun[] = {"mpirun", "--oversubscribe", "-n", "3"};
  t->k = (command){.ranks = t->ranks};
  for (size_t i = 0; i < sizeof mpirun / sizeof *mpirun && t->ranks > 1; i++) add(&t->k, mpirun[i]);
  add(&t->k, program);
  while (*words) add(&t->k, *words++);
  for (int i = 0; t->sets[i]; i++) {
    add(&t->k, "--set");
    add(&t->k, t->sets[i]);
  }
  pl_free(t->out.text);
  t->out = execute(&t->k);
}

/* plancherel run; NULL: nothing more. */
static void run(trial *t, const char *more, const char *value) {
  ask(t, (const char *const[]){"run", "sweep.yaml", "-o", "out.nc", "--memory-per-rank", "1G", more,
                               value, NULL});
}

/* ---- what must hold ---- */

static void show_file(const char *name) {
  char *text = read_text(name), *at = text;
  for (int i = 0; i < SHOWN_LINES && *at; i++) {
    size_t n = strcspn(at, "\n");
    printf("  | %.*s\n", (int)(n < 300 ? n : 300), at);
    at += n + (at[n] == '\n');
  }
  pl_free(text);
}

static void show(const command *k) {
  printf("  ");
  for (int i = 0; i < k->argc; i++) {
    bool plain = strcspn(k->argv[i], " '\"[]{}&;%") == strlen(k->argv[i]) && *k->argv[i];
    printf(plain ? "%s " : "\"%s\" ", k->argv[i]);
  }
  printf("\n");
}

static bool demand(trial *t, bool holds, const char *law) {
  if (holds) return true;
  faults++;
  printf("FAULT seed %llu: %s (exit code %d, signal %d%s)\n", (unsigned long long)t->c.seed, law,
         t->out.code, t->out.signal, t->out.hung ? ", killed" : "");
  show(&t->k);
  show_file("work/sweep.yaml");
  show_file("stderr");
  fflush(stdout);
  return false;
}

/* One line, with where it is; rank 0 only.  mpirun adds words of its own. */
static bool one_message(const char *text, bool refused, int ranks) {
  int errors = 0;
  bool placed = false;
  for (const char *at = text; *at;) {
    size_t n = strcspn(at, "\n");
    bool ours = !strncmp(at, "plancherel: ", 12);
    if (!ours && ranks == 1) return false;
    if (ours && !strncmp(at + 12, "error: ", 7)) {
      errors++;
      const char *where = at + 19;
      placed = !strncmp(where, "sweep.yaml", 10) || !strncmp(where, "--set ", 6) || !refused;
    }
    at += n + (at[n] == '\n');
  }
  return errors == 1 && placed;
}

static bool sound(trial *t, bool may_stop) {
  const outcome *o = &t->out;
  /* What mpirun makes of a signal is its own. */
  if (t->ranks > 1 && o->slow && !o->hung) return true;
  bool refused = o->code == PL_EINPUT || o->code == PL_EENV, told = o->slow && o->signal;
  return demand(t, !o->hung, "a command ends when it is told to") &&
         demand(t, !o->signal || (told && strcmp(t->k.argv[1], "run")),
                "no command ends by a signal, but by that which it was sent and with nothing to "
                "save") &&
         demand(t, !strstr(o->text, "Sanitizer") && !strstr(o->text, "runtime error:"),
                "sanitizers have nothing to report") &&
         demand(t, o->code != LEAK, "no memory is left") &&
         demand(t,
                refused || told || o->code == PL_OK || o->code == PL_UNFINISHED ||
                    o->code == PL_STOPPED,
                "the exit code is one of those documented") &&
         demand(t, o->code != PL_STOPPED || o->slow || may_stop, "75 only when asked") &&
         demand(t, !refused || one_message(o->text, o->code == PL_EINPUT, t->ranks),
                "what is refused is one message of one line that says where");
}

/* The names and sizes of all that is in the folder, in one number. */
static uint64_t fingerprint(bool contents_of_output) {
  uint64_t sum = 0;
  DIR *dir = opendir(case_folder);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    uint64_t h = 14695981039346656037u;
    struct stat s;
    char *path = pl_asprintf("%s/%s", case_folder, e->d_name);
    if (*e->d_name != '.' && !stat(path, &s)) {
      for (const char *p = e->d_name; *p; p++) h = (h ^ (uint64_t)*p) * 1099511628211u;
      h = (h ^ (uint64_t)s.st_size) * 1099511628211u;
      FILE *f = contents_of_output && !strcmp(e->d_name, "out.nc") ? fopen(path, "rb") : NULL;
      for (int b; f && (b = getc(f)) != EOF;) h = (h ^ (uint64_t)b) * 1099511628211u;
      if (f) fclose(f);
      sum += h;
    }
    pl_free(path);
  }
  if (dir) closedir(dir);
  return sum;
}

/* Is there more of the output than the file, its weights and its checkpoints: a lock, a file on its
 * way? */
static bool more_beside(void) {
  static const char *const belong[] = {"out.nc", "out.nc.final", "out.nc.best", "out.nc.ckpt"};
  DIR *dir = opendir(case_folder);
  bool more = false;
  for (struct dirent *e; dir && (e = readdir(dir));) {
    bool known = strncmp(e->d_name, "out.nc", 6) != 0;
    for (size_t i = 0; i < sizeof belong / sizeof *belong; i++)
      known = known || !strcmp(e->d_name, belong[i]);
    more = more || !known;
  }
  if (dir) closedir(dir);
  return more;
}

/* The output in numbers. */
typedef struct states {
  bool opens, finite; /* finite: what a run that is done may not have otherwise */
  size_t runs, done, bad;
} states;

/* Numbers on (run, record, ..): are those of runs that are done finite?  What was not recorded has
 * a fill value, which is. */
static bool all_finite(int nc, int var, size_t runs, const int *state) {
  int ndims, dims[NC_MAX_VAR_DIMS];
  size_t n = 1, length;
  bool finite = true;
  if (nc_inq_var(nc, var, NULL, NULL, &ndims, dims, NULL)) return false;
  for (int d = 0; d < ndims; d++) n *= nc_inq_dimlen(nc, dims[d], &length) ? 0 : length;
  double *v = pl_zalloc(n, sizeof *v, "numbers");
  if (n && nc_get_var_double(nc, var, v)) finite = false;
  for (size_t k = 0; k < n; k++)
    finite = finite && (state[k / (n / runs)] != PL_RUN_DONE || isfinite(v[k]));
  pl_free(v);
  return finite;
}

static states read_states(const pl_model_kind *model) {
  states s = {0};
  int nc, var, dim;
  char *path = pl_asprintf("%s/out.nc", case_folder);
  bool open = !nc_open(path, NC_NOWRITE, &nc);
  pl_free(path);
  if (!open) return s;
  if (!nc_inq_varid(nc, "status", &var) && !nc_inq_vardimid(nc, var, &dim) &&
      !nc_inq_dimlen(nc, dim, &s.runs)) {
    int *v = pl_zalloc(s.runs, sizeof *v, "states");
    s.opens = s.finite = !nc_get_var_int(nc, var, v);
    for (size_t i = 0; i < s.runs; i++) {
      s.done += v[i] == PL_RUN_DONE;
      s.bad += v[i] == PL_RUN_DIVERGED || v[i] == PL_RUN_FAILED;
    }
    for (const pl_measures *const *m = model->measures; *m && s.runs; m++)
      for (int k = 0; k < (*m)->num; k++)
        if ((*m)->row[k].finite && !nc_inq_varid(nc, (*m)->row[k].name, &var))
          s.finite = s.finite && all_finite(nc, var, s.runs, v);
    pl_free(v);
  }
  nc_close(nc);
  return s;
}

/* One that was told to stop may not have begun. */
static bool output_sound(trial *t) {
  /* mpirun kills ranks that do not end soon after it has passed a signal on. */
  if (t->out.slow && t->ranks > 1) return true;
  if (!demand(t, !more_beside(), "no lock or temporary file is left beside it")) return false;
  if (t->out.slow) return true;
  states s = read_states(t->c.model);
  int code = t->out.code;
  return demand(t, s.opens && s.runs > 0, "the output opens and has states") &&
         demand(t, code != PL_OK || s.done == s.runs, "0: all runs are done") &&
         demand(t, code != PL_UNFINISHED || (s.bad > 0 && s.done + s.bad == s.runs),
                "1: all runs have ended, some not well") &&
         demand(t, s.finite, "a run that is done has finite numbers");
}

/* ---- a case ---- */

/* Nothing of earlier cases. */
static void clear_folder(const char *path) {
  DIR *dir = opendir(path);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    char *inner = pl_asprintf("%s/%s", path, e->d_name);
    if (unlink(inner)) {
      clear_folder(inner);
      rmdir(inner);
    }
    pl_free(inner);
  }
  if (dir) closedir(dir);
}

static void begin(trial *t, uint64_t seed) {
  *t = (trial){0};
  clear_folder(case_folder);
  draw_case(&t->c, seed);
  t->ranks = chance(&t->c, 4) ? RANKS : 1;
  char *path = pl_asprintf("%s/sweep.yaml", case_folder);
  FILE *f = fopen(path, "w");
  if (!f) pl_die(PL_EENV, "%s cannot be written", path);
  write_case(&t->c, f);
  fclose(f);
  pl_free(path);
  int n = 0;
  for (int i = 0; i < t->c.num; i++) {
    const given *g = &t->c.v[i];
    if (*g->value && g->set) t->sets[n++] = pl_asprintf("%s=%s", g->row->name, g->value);
  }
}

static void end(trial *t) {
  for (int i = 0; t->sets[i]; i++) pl_free(t->sets[i]);
  pl_free(t->out.text);
}

/* What --dry-run took. */
static void train(trial *t) {
  static const char *const few[] = {"1", "2", "3", "4"};
  bool cut = chance(&t->c, 15);
  const char *go_on = NULL;
  if (cut) {
    run(t, "--max-steps", ONE_OF(&t->c, few));
    if (!sound(t, true) || t->out.code == PL_EENV) return;
    go_on = "--resume";
  }
  if (!cut || t->out.code == PL_STOPPED) run(t, go_on, NULL);
  if (!sound(t, false) ||
      !demand(t, t->out.code != PL_EINPUT, "what --dry-run took is not refused later") ||
      t->out.code == PL_EENV || !output_sound(t) || t->out.slow)
    return;
  uint64_t before = fingerprint(true);
  int code = t->out.code;
  run(t, "--resume", NULL);
  if (sound(t, false) && demand(t, t->out.code == code, "to resume ends as the run did"))
    demand(t, fingerprint(true) == before, "to resume a finished output changes nothing");
}

/* Other commands on what --dry-run took: they may refuse it, as they refuse everything. */
static bool others(trial *t) {
  static const char *const ranks[] = {"1", "7", "512"};
  bool good = true;
  if (chance(&t->c, 8)) {
    ask(t, (const char *const[]){"plan", "sweep.yaml", "--ranks", ONE_OF(&t->c, ranks), NULL});
    good = sound(t, false) && demand(t, t->out.code != PL_EINPUT, "what runs has a plan");
  }
  if (good && chance(&t->c, 12)) {
    ask(t, (const char *const[]){"data", "sweep.yaml", "-o", "data.nc", NULL});
    good = sound(t, false);
    if (good && t->out.code == PL_OK) {
      ask(t, (const char *const[]){"run", "sweep.yaml", "--dry-run", "--memory-per-rank", "1G",
                                   "--set", "data.kind=file", "--set", "data.path=data.nc", NULL});
      good = sound(t, false);
    }
  }
  if (good && chance(&t->c, 12)) {
    ask(t, (const char *const[]){"optimum", "sweep.yaml", "-o", "optimum.nc", NULL});
    good = sound(t, false);
  }
  return good;
}

enum { REFUSED, TAKEN, TRAINED, NUM_ENDS };

/* How far it came. */
static int try_case(uint64_t seed) {
  trial t;
  begin(&t, seed);
  uint64_t before = fingerprint(false);
  run(&t, "--dry-run", NULL);
  int far = t.out.code ? REFUSED : TAKEN;
  bool good = sound(&t, false) &&
              demand(&t, t.out.slow || t.out.code != PL_UNFINISHED, "nothing was trained") &&
              demand(&t, fingerprint(false) == before, "--dry-run writes nothing");
  if (single) show(&t.k), show_file("work/sweep.yaml"), show_file("stderr");
  if (good && far == TAKEN && others(&t)) {
    train(&t);
    if (t.out.code == PL_OK) far = TRAINED;
    if (single) show(&t.k), show_file("stderr");
  }
  end(&t);
  return far;
}

/* ---- all of them ---- */

static void start(const char *self) {
  char path[PATH_MAX];
  if (!realpath(self, path)) pl_die(PL_EENV, "%s is not there", self);
  *strrchr(path, '/') = 0;
  program = pl_asprintf("%s/plancherel", path);
  folder = pl_asprintf("%s/sweep", path);
  case_folder = pl_asprintf("%s/work", folder);
  char *pool = pl_asprintf("%s/pool", folder);
  mkdir(folder, 0777);
  mkdir(case_folder, 0777);
  mkdir(pool, 0777);
  clear_folder(pool);
  pl_free(pool);
  setenv("ASAN_OPTIONS", __asan_default_options(), 0);
  setenv("UBSAN_OPTIONS", __ubsan_default_options(), 0);
  setenv("PLANCHEREL_NO_REEXEC", "1", 0);
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
  setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 0);
  setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
}

/* Alone, with nobody to talk to; mpirun gets the surroundings as they were. */
static void start_mpi(void) {
  int n = 0;
  while (environ[n]) n++;
  surroundings = pl_zalloc((size_t)n + 1, sizeof *surroundings, "surroundings");
  for (int i = 0; i < n; i++) surroundings[i] = pl_strdup(environ[i]);
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 1);
  setenv("OMPI_MCA_pml", "ob1", 1);
  setenv("OMPI_MCA_btl", "self", 1);
  MPI_Init(NULL, NULL);
  world = pl_comm_wrap(MPI_COMM_WORLD);
  pl_blas_threads();
  pl_blas_reserve();
}

int main(int argc, char **argv) {
  double seconds = 60;
  unsigned long long first = 1;
  int64_t cases = 0, far[NUM_ENDS] = {0};
  start(argv[0]);
  start_mpi();
  for (int i = 1; i < argc; i++) {
    if (sscanf(argv[i], "-max_total_time=%lf", &seconds) == 1) continue;
    if (sscanf(argv[i], "-first=%llu", &first) == 1 || *argv[i] == '-') continue;
    single = true;
    far[try_case(strtoull(argv[i], NULL, 10))]++;
    cases++;
  }
  if (first == 0) first = (unsigned long long)time(NULL) * 1000;
  if (!single) printf("Seeds from %llu\n", first);
  for (double until = now() + seconds; !single && now() < until; cases++)
    far[try_case((uint64_t)first + (uint64_t)cases)]++;
  printf("%lld refused, %lld taken and not trained to the end, %lld trained\n",
         (long long)far[REFUSED], (long long)far[TAKEN], (long long)far[TRAINED]);
  printf("Done %lld runs, %d faults\n", (long long)cases, faults);
  for (int i = 0; surroundings[i]; i++) pl_free(surroundings[i]);
  pl_free(surroundings);
  pl_free(program);
  pl_free(folder);
  pl_free(case_folder);
  MPI_Finalize();
  return faults != 0;
}
