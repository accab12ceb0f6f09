/* Contexts, and which of them each thread works in. */
#ifndef RECUR_DOUBLE_CONTEXTS_H
#define RECUR_DOUBLE_CONTEXTS_H
#include "handles.h"

struct context {
  object object;
  int device, fault;      /* fault: sticky, until the context is released */
  struct stream *streams; /* the last made first; the one called NULL is the last of the list */
  int64_t work;           /* operations asked for so far: their order over all streams */
  int64_t allocated;      /* bytes */
};

context *context_current(int *code); /* this thread's, or NULL and why */
context *here(void);                 /* the same within a call that needs one */
int context_fault(context *c, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The handles of this thread's stack; a code where there is none to take, or no room for one more. */
void *context_top(void);
void context_set(void *handle); /* in place of the top */
int context_push(void *handle);
int context_pop(void **handle);

#endif
