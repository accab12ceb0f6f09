/* Copies and fills. */
#include "calls.h"

#include <string.h>

struct copy {
  work work;
  void *to;
  const void *from;
  size_t bytes;
  int to_device, from_device;
};

static void *pointer(address a) { return (void *)(uintptr_t)a; }

static int outside(context *c, const char *what, const void *at, size_t bytes) {
  char text[160];
  memory_describe((address)(uintptr_t)at, text, sizeof text);
  return context_fault(c, ILLEGAL_ADDRESS, "%s of %zu bytes, %s: it is not within one allocation", what, bytes, text);
}

/* Returns the address of one side of a copy, or NULL if it is not within one allocation. */
static void *side(context *c, const void *at, size_t bytes, int device) {
  address a = (address)(uintptr_t)at;
  if (!device) return (void *)(uintptr_t)a;
  return memory_check(c, a, bytes) ? memory_touch(c, a) : NULL;
}

static int copy_now(work *work, context *c) {
  struct copy *it = (struct copy *)work;
  void *to = side(c, it->to, it->bytes, it->to_device), *from = side(c, it->from, it->bytes, it->from_device);
  if (to == NULL || from == NULL) return outside(c, work->name, to == NULL ? it->to : it->from, it->bytes);
  memmove(to, from, it->bytes);
  return SUCCESS;
}

/* Checks one side of a copy when the call is made. */
static int check_side(const context *c, const void *at, size_t bytes, int device) {
  if (at == NULL) return INVALID_VALUE;
  if (device) return memory_check(c, (address)(uintptr_t)at, bytes) ? SUCCESS : INVALID_VALUE;
  return memory_is_device((address)(uintptr_t)at) ? INVALID_VALUE : SUCCESS;
}

static int add_copy(stream *s, const char *name, void *to, int to_device, const void *from, int from_device, size_t bytes) {
  if (s == NULL) return INVALID_HANDLE;
  if (bytes == 0) return SUCCESS;
  int code = check_side(here(), to, bytes, to_device);
  if (code == SUCCESS) code = check_side(here(), from, bytes, from_device);
  if (code != SUCCESS) return code;
  struct copy *item = work_new(sizeof *item, copy_now, name);
  if (item == NULL) return OUT_OF_MEMORY;
  item->to = to, item->to_device = to_device;
  item->from = from, item->from_device = from_device;
  item->bytes = bytes;
  return stream_add(s, item);
}

/* Copies and waits: for the legacy stream and for the streams that it waits for, not for others. */
static int copy_and_wait(const char *name, void *to, int to_device, const void *from, int from_device, size_t bytes) {
  int code = captures_forbid();
  if (code == SUCCESS) code = add_copy(stream_of(NULL), name, to, to_device, from, from_device, bytes);
  return code != SUCCESS ? code : streams_wait_legacy(here());
}

EXPORT int cuMemcpyHtoD_v2(address to, const void *from, size_t bytes) {
  BEGIN(CONTEXT);
  site.bytes += (int64_t)bytes;
  return leave(copy_and_wait("cuMemcpyHtoD", pointer(to), 1, from, 0, bytes));
}

EXPORT int cuMemcpyDtoH_v2(void *to, address from, size_t bytes) {
  BEGIN(CONTEXT);
  site.bytes += (int64_t)bytes;
  return leave(copy_and_wait("cuMemcpyDtoH", to, 0, pointer(from), 1, bytes));
}

/* As on hardware, the host does not wait for a copy within the device. */
EXPORT int cuMemcpyDtoD_v2(address to, address from, size_t bytes) {
  BEGIN(CONTEXT);
  return leave(add_copy(stream_of(NULL), "cuMemcpyDtoD", pointer(to), 1, pointer(from), 1, bytes));
}

EXPORT int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t bytes, void *in) {
  BEGIN(CONTEXT);
  site.bytes += (int64_t)bytes;
  return leave(add_copy(stream_of(in), "cuMemcpyHtoDAsync", pointer(to), 1, from, 0, bytes));
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, address from, size_t bytes, void *in) {
  BEGIN(CONTEXT);
  site.bytes += (int64_t)bytes;
  return leave(add_copy(stream_of(in), "cuMemcpyDtoHAsync", to, 0, pointer(from), 1, bytes));
}

EXPORT int cuMemcpyDtoDAsync_v2(address to, address from, size_t bytes, void *in) {
  BEGIN(CONTEXT);
  return leave(add_copy(stream_of(in), "cuMemcpyDtoDAsync", pointer(to), 1, pointer(from), 1, bytes));
}

struct fill {
  work work;
  address to;
  uint32_t value;
  size_t count, width;
};

static int fill_now(work *work, context *c) {
  struct fill *it = (struct fill *)work;
  size_t bytes = it->count * it->width;
  void *to = side(c, pointer(it->to), bytes, 1);
  if (to == NULL) return outside(c, work->name, pointer(it->to), bytes);
  if (it->width == 1) memset(to, (int)it->value, bytes);
  else
    for (size_t i = 0; i < it->count; i++) ((uint32_t *)to)[i] = it->value;
  return SUCCESS;
}

static int add_fill(stream *s, const char *name, address to, uint32_t value, size_t count, size_t width) {
  if (s == NULL) return INVALID_HANDLE;
  if (count == 0) return SUCCESS;
  if (to % width != 0 || !memory_check(here(), to, count * width)) return INVALID_VALUE;
  struct fill *item = work_new(sizeof *item, fill_now, name);
  if (item == NULL) return OUT_OF_MEMORY;
  item->to = to;
  item->value = value;
  item->count = count;
  item->width = width;
  return stream_add(s, item);
}

EXPORT int cuMemsetD8_v2(address to, unsigned char value, size_t count) {
  BEGIN(CONTEXT);
  return leave(add_fill(stream_of(NULL), "cuMemsetD8", to, value, count, 1));
}

EXPORT int cuMemsetD32_v2(address to, unsigned value, size_t count) {
  BEGIN(CONTEXT);
  return leave(add_fill(stream_of(NULL), "cuMemsetD32", to, value, count, 4));
}

EXPORT int cuMemsetD8Async(address to, unsigned char value, size_t count, void *in) {
  BEGIN(CONTEXT);
  return leave(add_fill(stream_of(in), "cuMemsetD8Async", to, value, count, 1));
}

EXPORT int cuMemsetD32Async(address to, unsigned value, size_t count, void *in) {
  BEGIN(CONTEXT);
  return leave(add_fill(stream_of(in), "cuMemsetD32Async", to, value, count, 4));
}
