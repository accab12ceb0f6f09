/* What one thread of the kernels READs and where it NEEDs that, see prelude.cu: for tests of how many reads are under way. */
#include "executor.h"
#include "memory.h"

#include <string.h>

enum { MOST_READS = 1 << 14 };

void recur_double_read(const void *place);
void recur_double_need(void);

static struct {
  int64_t block, thread, count;
  address list[MOST_READS]; /* 0: what was read before is needed */
} watched = {.block = -1};

static void note(address a) {
  if (recur_place.block != watched.block || recur_place.thread != watched.thread || watched.count == MOST_READS) return;
  watched.list[watched.count++] = a;
}

EXPORT void recur_double_read(const void *place) { note(memory_address(place)); }

EXPORT void recur_double_need(void) { note(0); }

/* For tests: from now on the reads of that thread of that block are noted; of none where the block is -1. */
EXPORT void recur_double_watch(int64_t block, int64_t thread) {
  watched.block = block;
  watched.thread = thread;
  watched.count = 0;
}

/* For tests: how many entries there are since then, and the first of them. */
EXPORT int64_t recur_double_reads(address *list, int64_t most) {
  memcpy(list, watched.list, sizeof *list * (size_t)(watched.count < most ? watched.count : most));
  return watched.count;
}
