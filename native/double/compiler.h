/* Images of compiled programs. */
#ifndef RECUR_DOUBLE_COMPILER_H
#define RECUR_DOUBLE_COMPILER_H

const char *program_of_image(const void *image); /* NULL: not one of ours */

#endif
