/* Subnormal numbers that count as 0, as operands and as results, on the thread that asks for it. A state that fades away
 * ends among them, and a processor takes many times as long for each. */
#ifndef RECUR_SUBNORMALS_H
#define RECUR_SUBNORMALS_H
#include <stdint.h>

#if defined(__x86_64__)
enum { FLUSH_SUBNORMALS = 0x8040 }; /* FTZ and DAZ of MXCSR */
static inline uint64_t flush_subnormals(void) {
  uint64_t before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | FLUSH_SUBNORMALS);
  return before;
}
static inline void restore_subnormals(uint64_t before) { __builtin_ia32_ldmxcsr(before); }
#elif defined(__aarch64__)
enum { FLUSH_SUBNORMALS = 1 << 24 }; /* FZ of FPCR */
static inline uint64_t flush_subnormals(void) {
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | FLUSH_SUBNORMALS));
  return before;
}
static inline void restore_subnormals(uint64_t before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
static inline uint64_t flush_subnormals(void) { return 0; }
static inline void restore_subnormals(uint64_t before) { (void)before; }
#endif

#endif
