/* Calls about devices, their primary contexts, and the context of a thread. */
#include "calls.h"
#include "chip.h"
#include "pinned.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_DEVICES = 8, CONTEXT_BYTES = 8 << 20 /* must be free for one */ };

static struct {
  int references;
  unsigned flags;
  context *primary;
} devices[MOST_DEVICES];

static int64_t leaks;

/* RECUR_DOUBLE_DRIVER is the version of the driver, RECUR_DOUBLE_CAPABILITY that of the cards: 75 is 7.5. */
static int number(const char *variable, int otherwise) {
  const char *named = getenv(variable);
  return named == NULL ? otherwise : atoi(named);
}

/* Three: one that tests share, and two whose contexts they may break or confuse; or RECUR_DOUBLE_DEVICES. */
static int device_count(void) {
  int count = number("RECUR_DOUBLE_DEVICES", 3);
  return count < 0 ? 0 : count > MOST_DEVICES ? MOST_DEVICES : count;
}

static int is_device(int device) { return device >= 0 && device < device_count(); }

EXPORT int cuDriverGetVersion(int *version) {
  *version = number("RECUR_DOUBLE_DRIVER", 13000);
  return SUCCESS;
}

EXPORT int cuDeviceGetCount(int *count) {
  BEGIN(DRIVER);
  *count = device_count();
  return leave(SUCCESS);
}

EXPORT int cuDeviceGet(int *device, int ordinal) {
  BEGIN(DRIVER);
  if (!is_device(ordinal)) return leave(INVALID_DEVICE);
  *device = ordinal;
  return leave(SUCCESS);
}

EXPORT int cuDeviceGetName(char *name, int length, int device) {
  BEGIN(DRIVER);
  if (!is_device(device)) return leave(INVALID_DEVICE);
  snprintf(name, (size_t)length, "%s", DEVICE_NAME);
  return leave(SUCCESS);
}

EXPORT int cuDeviceGetPCIBusId(char *id, int length, int device) {
  BEGIN(DRIVER);
  if (!is_device(device)) return leave(INVALID_DEVICE);
  snprintf(id, (size_t)length, "0000:00:%02x.0", (unsigned)device);
  return leave(SUCCESS);
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
  static const struct {
    int attribute, value;
  } table[] = {
      {1, MOST_THREADS}, {2, MOST_THREADS}, {3, MOST_THREADS}, {4, 64}, /* threads of a block, its sides */
      {5, 2147483647}, {6, 65535},    {7, 65535},                  /* sides of a grid */
      {8, 49152},     {97, SHARED_PER_BLOCK}, {81, SHARED_PER_MULTIPROCESSOR}, {111, SHARED_RESERVED},
      {10, WARP},     {12, REGISTERS}, {82, REGISTERS},
      {13, 1000000},  {36, 1000000},  {37, 64},                    /* clocks in kHz, bus in bits */
      {16, MULTIPROCESSORS}, {38, 1 << 20}, {39, RESIDENT_THREADS}, {106, RESIDENT_BLOCKS}, /* 38: L2 */
      {18, 0},        {19, 1},        {40, 1},       {41, 1},      /* integrated, maps, copies, one address space */
      {95, 1},        {120, 0},       {115, 1},      {108, 0},     {109, 0}, /* cooperative, clusters, pools, L2 windows */
  };
  BEGIN(DRIVER);
  if (!is_device(device)) return leave(INVALID_DEVICE);
  int capability = number("RECUR_DOUBLE_CAPABILITY", 90);
  if (attribute == 75 || attribute == 76) {
    *value = attribute == 75 ? capability / 10 : capability % 10;
    return leave(SUCCESS);
  }
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].attribute == attribute) {
      *value = table[i].value;
      return leave(SUCCESS);
    }
  return leave(INVALID_VALUE);
}

EXPORT int cuDevicePrimaryCtxRetain(void **handle, int device) {
  BEGIN(DRIVER);
  if (!is_device(device)) return leave(INVALID_DEVICE);
  if (devices[device].references == 0) {
    if (memory_left(NULL) < CONTEXT_BYTES) return leave(OUT_OF_MEMORY);
    context *fresh = object_new(CONTEXT_HANDLE, sizeof *fresh, NULL);
    if (fresh == NULL) return leave(OUT_OF_MEMORY);
    fresh->device = device;
    if (stream_new(fresh, 0) == NULL) return leave(OUT_OF_MEMORY);
    devices[device].primary = fresh;
  }
  devices[device].references++;
  *handle = devices[device].primary->object.handle;
  return leave(SUCCESS);
}

static int count(enum kind kind, const context *c) {
  int found = 0;
  for (object *it = NULL; (it = object_next(it, kind, c)) != NULL;) found++;
  return found;
}

/* Says what was left behind, and takes it away. */
static void release(context *c) {
  static const struct {
    enum kind kind;
    const char *name;
  } kinds[] = {{STREAM, "streams"}, {EVENT, "events"}, {MODULE, "modules"}, {GRAPH, "graphs"},
      {EXECUTABLE, "executable graphs"}, {BLAS_HANDLE, "cuBLAS handles"}};
  char text[512] = "";
  int64_t bytes = c->allocated;
  int all = memory_release(c), locked = pinned_release(c);
  size_t end = all == 0 ? 0 : (size_t)sprintf(text, " %d allocations of %lld bytes in all,", all, (long long)bytes);
  if (locked != 0) end += (size_t)sprintf(text + end, " %d allocations of page-locked memory,", locked);
  all += locked;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    int left = count(kinds[i].kind, c) - (kinds[i].kind == STREAM); /* one is the legacy stream */
    if (left == 0) continue;
    end += (size_t)sprintf(text + end, " %d %s,", left, kinds[i].name);
    all += left;
  }
  if (all != 0) say("the context of device %d was released; left behind:%.*s", c->device, (int)end - 1, text);
  leaks += all;
  streams_release(c);
  for (enum kind kind = EVENT; kind < KINDS; kind++)
    for (object *it; (it = object_next(NULL, kind, c)) != NULL;) object_free(it);
  object_free(c);
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  BEGIN(DRIVER);
  if (!is_device(device)) return leave(INVALID_DEVICE);
  if (devices[device].references == 0) return leave(INVALID_CONTEXT);
  if (--devices[device].references == 0) {
    release(devices[device].primary);
    devices[device].primary = NULL;
  }
  return leave(SUCCESS);
}

EXPORT int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  BEGIN(DRIVER);
  if (!is_device(device)) return leave(INVALID_DEVICE);
  *flags = devices[device].flags;
  *active = devices[device].references > 0;
  return leave(SUCCESS);
}

EXPORT int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
  BEGIN(DRIVER);
  if (!is_device(device)) return leave(INVALID_DEVICE);
  devices[device].flags = flags;
  return leave(SUCCESS);
}

EXPORT int cuCtxSetCurrent(void *handle) {
  BEGIN(DRIVER);
  if (handle != NULL && object_of(handle, CONTEXT_HANDLE) == NULL) return leave(INVALID_CONTEXT);
  context_set(handle);
  return leave(SUCCESS);
}

EXPORT int cuCtxGetCurrent(void **handle) {
  BEGIN(DRIVER);
  *handle = context_top();
  return leave(SUCCESS);
}

EXPORT int cuCtxPushCurrent_v2(void *handle) {
  BEGIN(DRIVER);
  if (object_of(handle, CONTEXT_HANDLE) == NULL) return leave(INVALID_CONTEXT);
  return leave(context_push(handle));
}

EXPORT int cuCtxPopCurrent_v2(void **handle) {
  BEGIN(DRIVER);
  void *top;
  int code = context_pop(&top);
  if (code == SUCCESS && handle != NULL) *handle = top;
  return leave(code);
}

EXPORT int cuCtxGetDevice(int *device) {
  BEGIN(CONTEXT);
  *device = here()->device;
  return leave(SUCCESS);
}

EXPORT int cuCtxSynchronize(void) {
  BEGIN(CONTEXT);
  int code = captures_forbid();
  return leave(code != SUCCESS ? code : streams_wait(here()));
}

EXPORT int cuCtxGetLimit(size_t *value, int limit) {
  (void)limit;
  BEGIN(CONTEXT);
  *value = 1024;
  return leave(SUCCESS);
}

EXPORT int cuCtxSetLimit(int limit, size_t value) {
  (void)limit, (void)value;
  BEGIN(CONTEXT);
  return leave(SUCCESS);
}

EXPORT int cuCtxResetPersistingL2Cache(void) {
  BEGIN(CONTEXT);
  return leave(SUCCESS);
}

EXPORT int cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  BEGIN(CONTEXT);
  if (least != NULL) *least = 0;
  if (greatest != NULL) *greatest = 0;
  return leave(SUCCESS);
}

/* For tests: how many things contexts have left behind so far, when they were released. */
EXPORT int64_t recur_double_leaks(void) { return leaks; }
