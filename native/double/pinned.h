/* Page-locked memory of the host. */
#ifndef RECUR_DOUBLE_PINNED_H
#define RECUR_DOUBLE_PINNED_H
#include "contexts.h"

void *pinned_allocate(context *c, size_t bytes);             /* NULL: no memory */
int pinned_register(context *c, void *begin, size_t bytes);  /* a code */
int pinned_begins(const void *begin, int registered);        /* whether such memory begins there */
void pinned_free(const void *begin);                         /* which begins there */
int pinned_release(const context *c);                        /* all that is left; how many */

#endif
