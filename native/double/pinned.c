/* Page-locked memory. It goes back to the system at once, so that a copy which still waits is caught. */
#define _GNU_SOURCE
#include "pinned.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct pinned {
  struct pinned *next;
  const context *owner;
  char *begin;
  size_t bytes, mapped; /* mapped: 0 where it was only registered */
} pinned;

static pinned *all;

static pinned *add(const context *c, char *begin, size_t bytes, size_t mapped) {
  pinned *it = malloc(sizeof *it);
  if (it == NULL) return NULL;
  *it = (pinned){all, c, begin, bytes, mapped};
  all = it;
  return it;
}

void *pinned_allocate(context *c, size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), mapped = (bytes + page - 1) / page * page;
  char *begin = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) return NULL;
  memset(begin, 0xFF, bytes); /* as floats: NaN */
  if (add(c, begin, bytes, mapped) == NULL) return munmap(begin, mapped), NULL;
  return begin;
}

int pinned_register(context *c, void *begin, size_t bytes) {
  for (pinned *it = all; it != NULL; it = it->next)
    if ((char *)begin < it->begin + it->bytes && it->begin < (char *)begin + bytes) return HOST_MEMORY_ALREADY_REGISTERED;
  return add(c, begin, bytes, 0) == NULL ? OUT_OF_MEMORY : SUCCESS;
}

static pinned *find(const void *begin) {
  pinned *it = all;
  while (it != NULL && it->begin != begin) it = it->next;
  return it;
}

int pinned_begins(const void *begin, int registered) {
  const pinned *it = find(begin);
  return it != NULL && (it->mapped == 0) == registered;
}

static void take_away(pinned *it) {
  pinned **link = &all;
  while (*link != it) link = &(*link)->next;
  *link = it->next;
  if (it->mapped != 0) munmap(it->begin, it->mapped);
  free(it);
}

void pinned_free(const void *begin) { take_away(find(begin)); }

int pinned_release(const context *c) {
  int left = 0;
  for (pinned *it = all, *next; it != NULL; it = next) {
    next = it->next;
    if (it->owner != c) continue;
    take_away(it);
    left++;
  }
  return left;
}
