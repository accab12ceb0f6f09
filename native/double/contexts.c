/* Which context each thread works in, and faults that make a context useless. */
#include "contexts.h"

#include <stdarg.h>
#include <stdio.h>

enum { DEPTH = 16 };

static _Thread_local void *stack[DEPTH];
static _Thread_local int depth; /* 0: no context */

context *context_current(int *code) {
  *code = INVALID_CONTEXT;
  void *handle = context_top();
  if (handle == NULL) return NULL;
  context *c = object_of(handle, CONTEXT_HANDLE);
  *code = c == NULL ? CONTEXT_IS_DESTROYED : SUCCESS;
  return c;
}

context *here(void) {
  int code;
  return context_current(&code);
}

int context_fault(context *c, int code, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  say("%s; the context of device %d is of no use from here on", text, c->device);
  c->fault = code;
  return code;
}

void *context_top(void) { return depth == 0 ? NULL : stack[depth - 1]; }

void context_set(void *handle) {
  if (depth == 0) depth = 1;
  stack[depth - 1] = handle;
}

int context_push(void *handle) {
  if (depth == DEPTH) return OUT_OF_MEMORY;
  stack[depth++] = handle;
  return SUCCESS;
}

int context_pop(void **handle) {
  if (depth == 0) return INVALID_CONTEXT;
  *handle = stack[--depth];
  return SUCCESS;
}
