#include "base/blas.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <unistd.h>

/* Not in every cblas.h. */
char *openblas_get_corename(void);
char *openblas_get_config(void);

/* What kernels of x86-64 are made of, as far as it decides who can run them. */
enum { SSE3 = 1, SSSE3, SSE41, SSE42, AVX, FMA4, AVX2, AVX512, BF16 };
static const char *const needs[] = {
    [SSE3] = "SSE3",         [SSSE3] = "SSSE3",    [SSE41] = "SSE4.1",
    [SSE42] = "SSE4.2",      [AVX] = "AVX",        [FMA4] = "FMA4",
    [AVX2] = "AVX2 and FMA", [AVX512] = "AVX-512", [BF16] = "AVX-512 with BF16"};

/* Of an OpenBLAS core name (DYNAMIC_ARCH); those not listed run everywhere. */
static int kernel_needs(const char *core) {
  static const struct {
    const char *core;
    int needs;
  } table[] = {
      {"Atom", SSSE3},       {"Nano", SSSE3},       {"Core2", SSSE3},     {"Penryn", SSE41},
      {"Dunnington", SSE41}, {"Nehalem", SSE42},    {"Sandybridge", AVX}, {"Bulldozer", FMA4},
      {"Piledriver", FMA4},  {"Steamroller", FMA4}, {"Excavator", FMA4},  {"Haswell", AVX2},
      {"Zen", AVX2},         {"SkylakeX", AVX512},  {"Cooperlake", BF16}, {"SapphireRapids", BF16}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (!strcasecmp(core, table[i].core)) return table[i].needs;
  return SSE3;
}

/* Vector width, in bits. */
static int kernel_bits(const char *core) {
  int n = kernel_needs(core);
  return n >= AVX512 ? 512 : n == AVX2 || !strcasecmp(core, "Excavator") ? 256 : 128;
}

static bool cpu_has(int feature) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  switch (feature) {
  case SSSE3:
    return __builtin_cpu_supports("ssse3");
  case SSE41:
    return __builtin_cpu_supports("sse4.1");
  case SSE42:
    return __builtin_cpu_supports("sse4.2");
  case AVX:
    return __builtin_cpu_supports("avx");
  case FMA4:
    return __builtin_cpu_supports("fma4");
  case AVX2:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  case AVX512:
    return avx512;
  case BF16:
    return avx512 && __builtin_cpu_supports("avx512bf16");
  }
#endif
  (void)feature;
  return true;
}

void pl_blas_choose_kernels(char **argv) {
  if (getenv("PLANCHEREL_NO_REEXEC")) return;
  bool anew = false;
#if defined(__x86_64__)
  if (!getenv("OPENBLAS_CORETYPE")) {
    int have = kernel_bits(openblas_get_corename());
    const char *want = NULL;
    if (cpu_has(AVX512)) {
      if (have < 512) want = "SKYLAKEX";
    } else if (cpu_has(AVX2)) {
      if (have < 256) want = __builtin_cpu_is("amd") ? "ZEN" : "HASWELL";
    }
    if (want) anew = !setenv("OPENBLAS_CORETYPE", want, 1);
  }
#else
  (void)kernel_bits;
#endif
  /* Threads that will not be used take 128 MB of address space each when the library loads. */
  if (!getenv("OPENBLAS_NUM_THREADS")) {
    anew |= openblas_get_num_threads() > 1;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
  }
  /* If this fails the program still runs, only slower; the kernel name is recorded. */
  if (anew) execv("/proc/self/exe", argv);
}

pl_status pl_blas_runs(void) {
  const char *core = openblas_get_corename(), *asked = getenv("OPENBLAS_CORETYPE");
  int feature = kernel_needs(core);
  if (cpu_has(feature)) return PL_OK;
  char host[256] = "?";
  gethostname(host, sizeof host - 1);
  return pl_error(PL_EENV, "host %s: its CPU has no %s, which OpenBLAS' kernels for %s need%s%s",
                  host, needs[feature], core, asked ? "; unset OPENBLAS_CORETYPE=" : "",
                  asked ? asked : "");
}

/* ---- buffers ---- */

static const char no_memory[] =
    "plancherel: error: out of memory: OpenBLAS gets no buffers (ulimit "
    "-v? Slurm's or the queue's limits?)\n";

/* In the middle of OpenBLAS' endless loop nothing else can be done. */
static void give_up(int signal) {
  (void)signal;
  ssize_t told = write(STDERR_FILENO, no_memory, sizeof no_memory - 1);
  (void)told;
  _exit(PL_EENV);
}

void pl_blas_reserve(void) {
  enum { SIZE = 128 };
  /* Seconds of this process' own time, which a busy machine does not use up: a product takes
   * microseconds. */
  const struct itimerval limit = {.it_value = {.tv_sec = 2}};
  struct itimerval old_limit;
  struct sigaction watch = {.sa_handler = give_up}, old;
  static double a[SIZE * SIZE], b[SIZE * SIZE], c[SIZE * SIZE];
  sigaction(SIGPROF, &watch, &old);
  setitimer(ITIMER_PROF, &limit, &old_limit);
  /* The buffer is kept, and used again by all that follows. */
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIZE, SIZE, SIZE, 1, a, SIZE, b, SIZE, 0,
              c, SIZE);
  setitimer(ITIMER_PROF, &old_limit, NULL);
  sigaction(SIGPROF, &old, NULL);
}

int pl_blas_threads(void) {
  if (!getenv("OPENBLAS_NUM_THREADS")) openblas_set_num_threads(1);
  return openblas_get_num_threads();
}

const char *pl_blas_core(void) {
  return openblas_get_corename();
}
const char *pl_blas_version(void) {
  return openblas_get_config();
}
