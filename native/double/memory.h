/* Device memory: its allocations, where kernels find them, and what is written next to them. */
#ifndef RECUR_DOUBLE_MEMORY_H
#define RECUR_DOUBLE_MEMORY_H
#include "contexts.h"

int memory_total(int64_t *bytes);      /* of a device; a code */
int64_t memory_left(const context *c); /* bytes that a context, or NULL for one that is to be, can still take */
int memory_allocate(context *c, address *result, uint64_t bytes); /* a code */
int memory_begins(const context *c, address begin); /* whether a live allocation begins there, of which no free waits */
void memory_end(context *c, address begin);         /* a free of it waits: others may take its bytes from here on */
void memory_free(context *c, address begin);        /* nothing where none begins there */
int memory_release(context *c);                     /* all that is left; how many */

int memory_check(const context *c, address begin, uint64_t bytes); /* whether it is within one live allocation */
int memory_is_device(address begin);                               /* whether it is within the addresses of device memory */
int memory_is_foreign(const context *c, address within); /* whether another context's allocation is there */
void *memory_at(address within);                /* where a kernel finds it, whether or not there is an allocation */
address memory_address(const void *found);      /* what memory_at was asked for */
void *memory_touch(context *c, address within); /* memory_at, of an allocation whose canaries will be looked at; or NULL */
int memory_close(void);                         /* ends every call: a code where a canary of what was touched is dead */
void memory_describe(address at, char *text, size_t bytes);

#endif
