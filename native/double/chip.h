/* The chip: few multiprocessors, each as of compute capability 9.0, and kernels that take this many registers. */
#ifndef RECUR_DOUBLE_CHIP_H
#define RECUR_DOUBLE_CHIP_H

#define DEVICE_NAME "CPU double (not a GPU)"

enum {
  MULTIPROCESSORS = 4,
  WARP = 32,
  MOST_THREADS = 1024,
  RESIDENT_THREADS = 2048,
  RESIDENT_BLOCKS = 32,
  REGISTERS = 65536,
  REGISTERS_PER_THREAD = 32,
  SHARED_PER_MULTIPROCESSOR = 233472,
  SHARED_PER_BLOCK = 232448,
  SHARED_RESERVED = 1024, /* of each block, for the driver */
};

#endif
