/* Work, and the executor, which runs it on this thread and returns when the work touches what it must not. */
#ifndef RECUR_DOUBLE_EXECUTOR_H
#define RECUR_DOUBLE_EXECUTOR_H
#include "contexts.h"

typedef struct work {
  struct work *next;
  int (*run)(struct work *it, context *c); /* a code of the driver */
  void (*drop)(struct work *it);           /* or NULL */
  const char *name;
  int64_t order;
  size_t bytes;
} work;

void *work_new(size_t bytes, int (*run)(work *, context *), const char *name); /* NULL: no memory */
work *work_copy(const work *from);                                            /* outside any list; NULL: no memory */
void work_free(work *it);
void work_list_free(work *first);

int execute(work *it, context *c);

/* As prelude.cu has it: which thread of which block runs. */
extern struct recur_place {
  int64_t thread, threads, block, blocks, fresh;
} recur_place;

/* All blocks of a launch; within execute. */
void block_run(void (*stub)(void **), void **arguments, int64_t blocks, int64_t threads);

#endif
