/* Contexts: an instruction set that this machine has, a product, and a team of threads. */
#include <stdlib.h>

#include "kernels.h"

static const kernels *const sets[RECUR_SETS] = {
#if defined(__x86_64__)
    [RECUR_SSE2] = &kernels_sse2, [RECUR_AVX2] = &kernels_avx2, [RECUR_AVX512] = &kernels_avx512,
#elif defined(__aarch64__)
    [RECUR_NEON] = &kernels_neon,
#endif
};

int32_t recur_has(int32_t set) {
  if (set < 0 || set >= RECUR_SETS || !sets[set]) return 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (set == RECUR_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (set == RECUR_AVX512) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
#endif
  return 1;
}

int32_t recur_best(void) {
  int32_t best = RECUR_SETS - 1;
  while (best > 0 && !recur_has(best)) best--;
  return best;
}

recur *recur_open(int32_t set, int32_t threads, void *sgemm) {
  team *t = recur_has(set) ? team_open(threads) : NULL;
  recur *r = t ? malloc(sizeof *r) : NULL;
  if (t && !r) team_close(t);
  if (r) *r = (recur){.set = sets[set], .sgemm = (sgemm_function *)sgemm, .team = t};
  return r;
}

void recur_rest(recur *r) { team_rest(r->team); }

void recur_close(recur *r) {
  team_close(r->team);
  free(r);
}
