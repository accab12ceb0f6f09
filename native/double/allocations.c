/* Calls that allocate and free memory, of the device and page-locked memory of the host. */
#include "calls.h"
#include "pinned.h"

EXPORT int cuMemGetInfo_v2(size_t *unoccupied, size_t *everything) {
  BEGIN(CONTEXT);
  int64_t left = memory_left(here()), total;
  int code = memory_total(&total);
  if (code != SUCCESS) return leave(code);
  *unoccupied = (size_t)left;
  *everything = (size_t)total;
  return leave(SUCCESS);
}

EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  BEGIN(DRIVER);
  if (device < 0) return leave(INVALID_DEVICE);
  int64_t total;
  int code = memory_total(&total);
  if (code == SUCCESS) *bytes = (size_t)total;
  return leave(code);
}

EXPORT int cuMemAlloc_v2(address *result, size_t bytes) {
  BEGIN(CONTEXT);
  int code = captures_forbid();
  return leave(code != SUCCESS ? code : memory_allocate(here(), result, bytes));
}

/* As on hardware: it waits for all work first. */
EXPORT int cuMemFree_v2(address begin) {
  BEGIN(RELEASE);
  context *c = here();
  if (begin == 0) return leave(c->fault);
  if (!memory_begins(c, begin)) return leave(INVALID_VALUE);
  int code = captures_forbid();
  if (code != SUCCESS) return leave(code);
  streams_wait(c);
  memory_free(c, begin);
  return leave(c->fault);
}

EXPORT int cuMemAllocAsync(address *result, size_t bytes, void *handle) {
  BEGIN(CONTEXT);
  stream *s = stream_of(handle);
  if (s == NULL) return leave(INVALID_HANDLE);
  return leave(s->capture != NULL ? NOT_SUPPORTED : memory_allocate(here(), result, bytes));
}

struct ending {
  work work;
  address begin;
};

static int end_allocation(work *it, context *c) {
  memory_free(c, ((struct ending *)it)->begin);
  return SUCCESS;
}

EXPORT int cuMemFreeAsync(address begin, void *handle) {
  BEGIN(CONTEXT);
  stream *s = stream_of(handle);
  if (s == NULL) return leave(INVALID_HANDLE);
  if (!memory_begins(here(), begin)) return leave(INVALID_VALUE);
  if (s->capture != NULL) return leave(NOT_SUPPORTED);
  struct ending *item = work_new(sizeof *item, end_allocation, "cuMemFreeAsync");
  if (item == NULL) return leave(OUT_OF_MEMORY);
  item->begin = begin;
  memory_end(here(), begin); /* as with a pool of the driver, others can have its bytes from here on */
  return leave(stream_add(s, item));
}

EXPORT int cuDeviceGetDefaultMemPool(void **pool, int device) {
  BEGIN(DRIVER);
  *pool = (void *)(uintptr_t)(16 + device);
  return leave(SUCCESS);
}

EXPORT int cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
  (void)pool, (void)attribute, (void)value;
  BEGIN(DRIVER);
  return leave(SUCCESS);
}

EXPORT int cuMemPoolTrimTo(void *pool, size_t bytes) {
  (void)pool, (void)bytes;
  BEGIN(DRIVER);
  return leave(SUCCESS);
}

EXPORT int cuMemHostAlloc(void **result, size_t bytes, unsigned flags) {
  (void)flags;
  BEGIN(CONTEXT);
  int code = captures_forbid();
  if (code != SUCCESS || bytes == 0) return leave(code != SUCCESS ? code : INVALID_VALUE);
  void *begin = pinned_allocate(here(), bytes);
  if (begin == NULL) return leave(OUT_OF_MEMORY);
  *result = begin;
  return leave(SUCCESS);
}

EXPORT int cuMemAllocHost_v2(void **result, size_t bytes) { return cuMemHostAlloc(result, bytes, 0); }

EXPORT int cuMemFreeHost(void *begin) {
  BEGIN(RELEASE);
  if (!pinned_begins(begin, 0)) return leave(INVALID_VALUE);
  int code = captures_forbid();
  if (code != SUCCESS) return leave(code);
  pinned_free(begin);
  return leave(here()->fault);
}

EXPORT int cuMemHostRegister_v2(void *begin, size_t bytes, unsigned flags) {
  (void)flags;
  BEGIN(CONTEXT);
  if (begin == NULL || bytes == 0 || memory_is_device((address)(uintptr_t)begin)) return leave(INVALID_VALUE);
  return leave(pinned_register(here(), begin, bytes));
}

EXPORT int cuMemHostUnregister(void *begin) {
  BEGIN(RELEASE);
  if (!pinned_begins(begin, 1)) return leave(HOST_MEMORY_NOT_REGISTERED);
  pinned_free(begin);
  return leave(here()->fault);
}
