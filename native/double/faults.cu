/* Kernels with faults, for the tests that show that the double sees them. No device ever runs them. */

KERNEL(fault_fill, int64_t, n, float *, y) { OVER(i, n) y[i] = (float)i; }

/* x must be aligned to 4, 8 and 8 bytes. */
KERNEL(fault_float, const float *, x, float *, y) { y[0] = x[0]; }

KERNEL(fault_double, const double *, x, float *, y) { y[0] = (float)x[0]; }

KERNEL(fault_integer, const int64_t *, x, float *, y) { y[0] = (float)x[0]; }

/* Without the barrier, neighbours are read before they are there. */
KERNEL(fault_neighbours, int64_t, waits, const float *, x, float *, y) {
  SHARED(float, shared, 256);
  shared[THREAD] = x[THREAD];
  if (waits) BARRIER();
  y[THREAD] = shared[(THREAD + 1) % THREADS];
}

/* Only the first threads come to the barrier. */
KERNEL(fault_few_wait, int64_t, n, float *, y) {
  if (THREAD < n) BARRIER();
  y[THREAD] = 1;
}

KERNEL(fault_two_barriers, int64_t, n, float *, y) {
  if (THREAD < n) BARRIER();
  else
    BARRIER();
  y[THREAD] = 1;
}

/* The sum of a block, and the same through a chain of 20 barriers. */
KERNEL(fault_none, const float *, x, float *, y) {
  SHARED(float, sums, 1024);
  sums[THREAD] = x[BLOCK * THREADS + THREAD];
  for (int64_t apart = 1; apart < THREADS; apart *= 2) {
    BARRIER();
    float more = THREAD + apart < THREADS ? sums[THREAD + apart] : 0;
    BARRIER();
    sums[THREAD] += more;
  }
  if (THREAD == 0) y[BLOCK] = sums[0];
}
