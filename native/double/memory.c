/* Device memory. The addresses that the host is given cannot be followed: the memory is elsewhere, a fixed distance
 * away, which is added to the addresses of kernels and copies when they run. Each allocation ends at a page that nobody
 * can touch, begins with NaN, and its addresses are never given twice. */
#define _GNU_SOURCE
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 256, CANARY = 0xC5 };

typedef struct allocation {
  address begin, bytes;
  address first, end; /* the pages that hold it: what is before and after it in them is canaries */
  context *owner;
  int touched, ending; /* ending: a free of it waits in a stream */
} allocation;

static const uint64_t reserved = (uint64_t)1 << 40; /* addresses, not memory */
static address region, unused;                       /* the first address that was never given */
static uint64_t distance;                            /* from an address to its memory */
static allocation **all, **touched;                  /* by address; those whose canaries are to be looked at */
static size_t number, touches, room;
static int64_t total = (int64_t)8 << 30, others;     /* bytes of a device, and those that other programs hold of it */

static uint64_t page(void) {
  static uint64_t bytes;
  if (bytes == 0) bytes = (uint64_t)sysconf(_SC_PAGESIZE);
  return bytes;
}

static uint64_t round_up(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

void *memory_at(address within) { return (void *)(uintptr_t)(within + distance); }

address memory_address(const void *found) { return (address)(uintptr_t)found - distance; }

static int begin_region(void) {
  const char *named = getenv("RECUR_DOUBLE_MEMORY");
  if (named != NULL) total = atoll(named);
  void *given = mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  void *used = mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (given == MAP_FAILED || used == MAP_FAILED) return OUT_OF_MEMORY;
  region = unused = (address)(uintptr_t)given;
  distance = (address)(uintptr_t)used - region;
  return SUCCESS;
}

/* How many allocations begin at or before this address. */
static size_t rank(address a) {
  size_t low = 0, high = number;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (all[middle]->begin <= a) low = middle + 1;
    else high = middle;
  }
  return low;
}

static allocation *find(const context *c, address a) {
  size_t before = rank(a);
  allocation *it = before == 0 ? NULL : all[before - 1];
  return it != NULL && it->owner == c && a - it->begin < it->bytes ? it : NULL;
}

int memory_is_device(address begin) { return region != 0 && begin >= region && begin < region + reserved; }

int memory_check(const context *c, address begin, uint64_t bytes) {
  const allocation *it = find(c, begin);
  return it != NULL && bytes <= it->begin + it->bytes - begin;
}

void memory_describe(address a, char *text, size_t bytes) {
  size_t before = rank(a);
  const allocation *it = before == 0 ? NULL : all[before - 1];
  if (it == NULL || a >= it->end + page())
    snprintf(text, bytes, "address=%#llx, where there is no memory of the device", (unsigned long long)a);
  else
    snprintf(text, bytes, "address=%#llx, %lld bytes behind the end of the %lld bytes at %#llx of device %d",
        (unsigned long long)a, (long long)(a - it->begin - it->bytes), (long long)it->bytes,
        (unsigned long long)it->begin, it->owner->device);
}

static int make_room(void) {
  if (number < room) return 1;
  size_t more = room == 0 ? 256 : 2 * room;
  allocation **larger = realloc(all, more * sizeof *larger), **longer = realloc(touched, more * sizeof *longer);
  if (larger != NULL) all = larger;
  if (longer != NULL) touched = longer;
  if (larger != NULL && longer != NULL) room = more;
  return number < room;
}

int64_t memory_left(const context *c) {
  if (region == 0) begin_region();
  int64_t left = total - others - (c == NULL ? 0 : c->allocated);
  return left < 0 ? 0 : left;
}

int memory_allocate(context *c, address *result, uint64_t bytes) {
  if (result == NULL || bytes == 0) return INVALID_VALUE;
  if (bytes > (uint64_t)memory_left(c) || region == 0) return OUT_OF_MEMORY;
  uint64_t padded = round_up(bytes, ALIGNMENT), pages = round_up(padded, page());
  if (pages + 2 * page() > region + reserved - unused || !make_room()) return OUT_OF_MEMORY;
  allocation *it = malloc(sizeof *it);
  if (it == NULL) return OUT_OF_MEMORY;
  address first = unused + page(), end = first + pages, begin = end - padded;
  *it = (allocation){begin, bytes, first, end, c, 0, 0};
  if (mprotect(memory_at(first), pages, PROT_READ | PROT_WRITE) != 0) return free(it), OUT_OF_MEMORY;
  memset(memory_at(first), CANARY, pages);
  memset(memory_at(begin), 0xFF, bytes); /* as floats: NaN */
  unused = end;
  all[number++] = it; /* the highest address of all */
  c->allocated += (int64_t)bytes;
  *result = begin;
  return SUCCESS;
}

static void take_away(allocation *it) {
  size_t place = rank(it->begin) - 1;
  if (!it->ending) it->owner->allocated -= (int64_t)it->bytes;
  memmove(all + place, all + place + 1, (--number - place) * sizeof *all);
  for (size_t i = 0; i < touches; i++)
    if (touched[i] == it) touched[i] = touched[--touches];
  mmap(memory_at(it->first), it->end - it->first, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  free(it);
}

void *memory_touch(context *c, address within) {
  allocation *it = find(c, within);
  if (it == NULL) return NULL;
  if (!it->touched) touched[touches++] = it;
  it->touched = 1;
  return memory_at(within);
}

int memory_is_foreign(const context *c, address within) {
  size_t before = rank(within);
  const allocation *it = before == 0 ? NULL : all[before - 1];
  return it != NULL && it->owner != c && within < it->end;
}

static int is_whole(address from, address to) {
  static const unsigned char canaries[64] = {[0 ... 63] = CANARY};
  for (; from < to; from += sizeof canaries) {
    uint64_t bytes = to - from < sizeof canaries ? to - from : sizeof canaries;
    if (memcmp(memory_at(from), canaries, bytes) != 0) return 0;
  }
  return 1;
}

int memory_close(void) {
  int code = SUCCESS;
  for (; touches > 0; touches--) {
    allocation *it = touched[touches - 1];
    it->touched = 0;
    if (is_whole(it->first, it->begin) && is_whole(it->begin + it->bytes, it->end)) continue;
    code = context_fault(it->owner, ILLEGAL_ADDRESS, "something wrote next to the %lld bytes at %#llx", (long long)it->bytes,
        (unsigned long long)it->begin);
  }
  return code;
}

int memory_release(context *c) {
  int left = 0;
  for (size_t i = number; i-- > 0;)
    if (all[i]->owner == c) {
      left += !all[i]->ending;
      take_away(all[i]);
    }
  return left;
}

/* The allocation that begins there and of which no free waits, or NULL. */
static allocation *whole(const context *c, address begin) {
  allocation *it = find(c, begin);
  return it != NULL && it->begin == begin && !it->ending ? it : NULL;
}

int memory_begins(const context *c, address begin) { return whole(c, begin) != NULL; }

void memory_end(context *c, address begin) {
  allocation *it = whole(c, begin);
  if (it == NULL) return;
  it->ending = 1;
  c->allocated -= (int64_t)it->bytes;
}

void memory_free(context *c, address begin) {
  allocation *it = find(c, begin);
  if (it != NULL) take_away(it);
}

int memory_total(int64_t *bytes) {
  if (region == 0 && begin_region() != SUCCESS) return OUT_OF_MEMORY;
  *bytes = total;
  return SUCCESS;
}

/* For tests: how many bytes a device has from now on. */
EXPORT void recur_double_memory(int64_t bytes) {
  if (region == 0) begin_region();
  total = bytes;
}

/* For tests: how many of them other programs hold from now on. */
EXPORT void recur_double_taken(int64_t bytes) { others = bytes; }
