/* What every exported call begins and ends with: one lock, so that whatever runs, runs alone; what the call needs; calls
 * that are made to fail. */
#ifndef RECUR_DOUBLE_CALLS_H
#define RECUR_DOUBLE_CALLS_H
#include "memory.h"
#include "streams.h"

typedef struct call {
  const char *name;
  int64_t count, bytes; /* calls made, and what copies across the bus were asked for */
  struct call *next;
} call;

enum needs {
  ANYTHING, /* always */
  DRIVER,   /* after cuInit */
  CONTEXT,  /* a context on this thread, without a fault */
  RELEASE,  /* a context on this thread; a fault is returned, but the work is done first */
};

int enter(call *site, enum needs needs);
int leave(int code);

#define BEGIN(needs) \
  static call site = {.name = __func__}; \
  int refused = enter(&site, needs); \
  if (refused) return leave(refused)

#endif
