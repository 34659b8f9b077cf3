#include "base/blas.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Not in every cblas.h. */
char *openblas_get_corename(void);
char *openblas_get_config(void);

/* Vector width, in bits, of the kernels of an OpenBLAS core name (DYNAMIC_ARCH, x86-64). */
static int kernel_bits(const char *core) {
  static const char *const avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
  static const char *const avx2[] = {"Haswell", "Zen", "Excavator"};
  for (size_t i = 0; i < sizeof avx512 / sizeof *avx512; i++)
    if (!strcasecmp(core, avx512[i])) return 512;
  for (size_t i = 0; i < sizeof avx2 / sizeof *avx2; i++)
    if (!strcasecmp(core, avx2[i])) return 256;
  return 128;
}

void pl_blas_choose_kernels(char **argv) {
#if defined(__x86_64__)
  if (getenv("OPENBLAS_CORETYPE") || getenv("PLANCHEREL_NO_REEXEC")) return;
  __builtin_cpu_init();
  int have = kernel_bits(openblas_get_corename());
  const char *want = NULL;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    if (have < 512) want = "SKYLAKEX";
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    if (have < 256) want = __builtin_cpu_is("amd") ? "ZEN" : "HASWELL";
  }
  if (!want) return;
  setenv("OPENBLAS_CORETYPE", want, 1);
  /* If this fails the program still runs, only slower; the kernel name is recorded. */
  execv("/proc/self/exe", argv);
#else
  (void)argv;
  (void)kernel_bits;
#endif
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
