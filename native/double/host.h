/* The host's C compiler and its loader, for kernels that are written while the program runs. */
#ifndef RECUR_DOUBLE_HOST_H
#define RECUR_DOUBLE_HOST_H
#include <stddef.h>

/* Compiles C into a shared library, in memory that the caller frees. NULL, and a log, where the compiler refuses it or there is
 * none. */
char *host_compile(const char *source, size_t *bytes, char *log, size_t log_bytes);

/* Opens a shared library: its handle for dlclose, or NULL. It calls the double that is this library. */
void *host_open(const void *library, size_t bytes);

#endif
