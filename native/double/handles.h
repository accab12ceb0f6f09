/* Handles: numbers that look like pointers and are looked up, never followed, and never given twice. */
#ifndef RECUR_DOUBLE_HANDLES_H
#define RECUR_DOUBLE_HANDLES_H
#include "codes.h"

typedef struct context context;

enum kind { CONTEXT_HANDLE, STREAM, EVENT, MODULE, FUNCTION, GRAPH, EXECUTABLE, PROGRAM_HANDLE, BLAS_HANDLE, KINDS };

/* What a handle stands for begins with it. */
typedef struct object {
  enum kind kind;
  void *handle;
  context *owner;
  void (*drop)(void *it); /* called before it is freed, or NULL */
} object;

void *object_new(enum kind kind, size_t bytes, context *owner);       /* zeroed; NULL: no memory */
void *object_of(void *handle, enum kind kind);                        /* NULL: no such handle, or a destroyed one */
void object_free(void *it);
void *object_next(void *after, enum kind kind, const context *owner); /* NULL: the first; then NULL at the end */

#endif
