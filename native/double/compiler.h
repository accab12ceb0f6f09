/* Images of compiled programs. */
#ifndef RECUR_DOUBLE_COMPILER_H
#define RECUR_DOUBLE_COMPILER_H

#include <stddef.h>

const char *program_of_image(const void *image); /* NULL: not one of ours */
size_t library_of_image(const void *image);      /* the bytes of a program that the host's compiler made; 0: it is none */

#endif
