/* Modules, and launches of their kernels: those that this library was built with, and those of programs compiled since. */
#include "calls.h"
#include "chip.h"
#include "compiler.h"
#include "host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KERNELS = 512, MOST_PARAMETERS = 256, PLAIN_SHARED = 49152 };

/* As prelude.cu has it: what the address of a pointer to device memory must be a multiple of; 1 of what is no pointer. */
typedef struct parameter_size {
  int bytes, multiple;
} parameter_size;

typedef struct kernel_entry {
  const char *program, *name;
  void (*stub)(void **);
  int parameters;
  const parameter_size *sizes;
} kernel_entry;

typedef struct kernel_table {
  kernel_entry *entries;
  int count, most;
} kernel_table;

static kernel_entry room[MOST_KERNELS];
static kernel_table built_in = {.entries = room, .most = MOST_KERNELS}, *table = &built_in;

EXPORT void recur_double_kernel(
    const char *program, const char *name, void (*stub)(void **), int parameters, const parameter_size *sizes);

/* Called by the entry of each kernel when its library is loaded: this one, or that of a module. */
void recur_double_kernel(
    const char *program, const char *name, void (*stub)(void **), int parameters, const parameter_size *sizes) {
  if (table->count == table->most && table != &built_in) {
    table->most = 2 * table->most + 8;
    table->entries = realloc(table->entries, (size_t)table->most * sizeof *table->entries);
  }
  if (table->entries == NULL || table->count == table->most || parameters > MOST_PARAMETERS) {
    say("kernel %s with %d parameters: at most %d kernels of %d parameters", name, parameters, MOST_KERNELS, MOST_PARAMETERS);
    abort();
  }
  table->entries[table->count++] = (kernel_entry){program, name, stub, parameters, sizes};
}

typedef struct module {
  object object;
  const char *program; /* or NULL: its kernels are in the library */
  void *library;
  kernel_table own;
} module;

static const kernel_entry *kernel_find(const module *m, const char *name) {
  const kernel_table *from = m->program == NULL ? &m->own : &built_in;
  for (int i = 0; i < from->count; i++)
    if (m->program == NULL || strcmp(from->entries[i].program, m->program) == 0)
      if (strcmp(from->entries[i].name, name) == 0) return &from->entries[i];
  return NULL;
}

typedef struct function {
  object object;
  const module *of;
  const kernel_entry *kernel;
  int shared; /* bytes that a launch may ask for */
} function;

EXPORT int cuModuleLoadData(void **handle, const void *image) {
  BEGIN(CONTEXT);
  int code = captures_forbid();
  if (code != SUCCESS || image == NULL) return leave(code != SUCCESS ? code : INVALID_VALUE);
  const char *program = program_of_image(image);
  size_t bytes = program == NULL ? library_of_image(image) : 0;
  if (program == NULL && bytes == 0) return leave(INVALID_IMAGE);
  module *m = object_new(MODULE, sizeof *m, here());
  if (m == NULL) return leave(OUT_OF_MEMORY);
  m->program = program;
  if (program == NULL) {
    table = &m->own;
    m->library = host_open(image, bytes);
    table = &built_in;
  }
  if (program == NULL && m->library == NULL) {
    object_free(m);
    return leave(INVALID_IMAGE);
  }
  *handle = m->object.handle;
  return leave(SUCCESS);
}

EXPORT int cuModuleLoadDataEx(void **handle, const void *image, unsigned count, int *options, void **values) {
  (void)count, (void)options, (void)values;
  return cuModuleLoadData(handle, image);
}

static module *module_of(void *handle) {
  module *m = object_of(handle, MODULE);
  return m != NULL && m->object.owner == here() ? m : NULL;
}

EXPORT int cuModuleGetFunction(void **handle, void *in, const char *name) {
  BEGIN(CONTEXT);
  module *m = module_of(in);
  if (m == NULL) return leave(INVALID_HANDLE);
  const kernel_entry *kernel = kernel_find(m, name);
  if (kernel == NULL) return leave(NOT_FOUND);
  function *f = object_new(FUNCTION, sizeof *f, here());
  if (f == NULL) return leave(OUT_OF_MEMORY);
  f->of = m;
  f->kernel = kernel;
  f->shared = PLAIN_SHARED;
  *handle = f->object.handle;
  return leave(SUCCESS);
}

EXPORT int cuModuleGetGlobal_v2(address *begin, size_t *bytes, void *in, const char *name) {
  (void)begin, (void)bytes, (void)name;
  BEGIN(CONTEXT);
  return leave(module_of(in) == NULL ? INVALID_HANDLE : NOT_FOUND); /* the kernels have no globals */
}

EXPORT int cuModuleUnload(void *handle) {
  BEGIN(RELEASE);
  module *m = module_of(handle);
  if (m == NULL) return leave(INVALID_HANDLE);
  for (function *f = NULL, *next = object_next(NULL, FUNCTION, here()); (f = next) != NULL;) {
    next = object_next(f, FUNCTION, here());
    if (f->of == m) object_free(f);
  }
  if (m->library != NULL) dlclose(m->library);
  free(m->own.entries);
  object_free(m);
  return leave(here()->fault);
}

static function *function_of(void *handle) {
  function *f = object_of(handle, FUNCTION);
  return f != NULL && f->object.owner == here() ? f : NULL;
}

EXPORT int cuFuncGetAttribute(int *value, int attribute, void *handle) {
  BEGIN(CONTEXT);
  function *f = function_of(handle);
  if (f == NULL) return leave(INVALID_HANDLE);
  switch (attribute) {
    case 0: *value = MOST_THREADS; break;
    case 4: *value = REGISTERS_PER_THREAD; break;
    case 5: case 6: *value = 90; break;
    case 8: *value = f->shared; break;
    default: *value = 0;
  }
  return leave(SUCCESS);
}

EXPORT int cuFuncSetAttribute(void *handle, int attribute, int value) {
  BEGIN(CONTEXT);
  function *f = function_of(handle);
  if (f == NULL) return leave(INVALID_HANDLE);
  if (attribute != 8) return leave(SUCCESS);
  if (value < 0 || value > SHARED_PER_BLOCK) return leave(INVALID_VALUE);
  f->shared = value;
  return leave(SUCCESS);
}

EXPORT int cuFuncSetCacheConfig(void *handle, int configuration) {
  (void)configuration;
  BEGIN(CONTEXT);
  return leave(function_of(handle) == NULL ? INVALID_HANDLE : SUCCESS);
}

/* How many blocks a multiprocessor holds at a time; what the kernel itself declares to share is not known here. */
static int resident(int threads, size_t shared) {
  int warps = (threads + WARP - 1) / WARP;
  int limits[] = {RESIDENT_THREADS / WARP / warps, REGISTERS / (REGISTERS_PER_THREAD * WARP * warps),
      (int)(SHARED_PER_MULTIPROCESSOR / (shared + SHARED_RESERVED))};
  int blocks = RESIDENT_BLOCKS;
  for (int i = 0; i < 3; i++)
    if (limits[i] < blocks) blocks = limits[i];
  return blocks;
}

EXPORT int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *handle, int threads, size_t shared) {
  BEGIN(CONTEXT);
  if (function_of(handle) == NULL || threads < 1 || threads > MOST_THREADS) return leave(INVALID_VALUE);
  *blocks = resident(threads, shared);
  return leave(SUCCESS);
}

struct launch {
  work work;
  void (*stub)(void **);
  int64_t blocks, threads;
  int parameters;
  const parameter_size *sizes;
  uint64_t slots[]; /* the arguments, each at the begin of one */
};

static int launch_now(work *work, context *c) {
  struct launch *it = (struct launch *)work;
  void *arguments[MOST_PARAMETERS];
  uint64_t found[MOST_PARAMETERS];
  for (int i = 0; i < it->parameters; i++) {
    arguments[i] = &it->slots[i];
    if (!memory_is_device(it->slots[i])) continue;
    if (it->slots[i] % (uint64_t)it->sizes[i].multiple != 0)
      return context_fault(c, MISALIGNED_ADDRESS, "%s: parameter=%d, address=%#llx is not a multiple of %d", work->name, i,
          (unsigned long long)it->slots[i], it->sizes[i].multiple);
    if (memory_is_foreign(c, it->slots[i]))
      return context_fault(c, ILLEGAL_ADDRESS, "%s: parameter=%d, address=%#llx is memory of another device", work->name, i,
          (unsigned long long)it->slots[i]);
    memory_touch(c, it->slots[i]);
    found[i] = (uint64_t)(uintptr_t)memory_at(it->slots[i]); /* where it is out of bounds, its use is caught */
    arguments[i] = &found[i];
  }
  block_run(it->stub, arguments, it->blocks, it->threads);
  return c->fault;
}

typedef struct grid {
  unsigned blocks, y, z, threads, thread_y, thread_z, shared;
  void *stream;
} grid;

/* cooperative: its blocks may wait for each other, so all of them must be resident at once. */
static int launch(function *f, const grid *g, int cooperative, void **parameters) {
  stream *s = stream_of(g->stream);
  if (f == NULL || s == NULL) return INVALID_HANDLE;
  if (g->blocks < 1 || g->blocks > INT32_MAX || g->threads < 1 || g->threads > MOST_THREADS) return INVALID_VALUE;
  if (g->shared > (unsigned)f->shared) return INVALID_VALUE;
  if (g->y != 1 || g->z != 1 || g->thread_y != 1 || g->thread_z != 1) {
    say("%s: grid=%ux%ux%u, block=%ux%ux%u; kernels of prelude.cu know one dimension", f->kernel->name, g->blocks, g->y, g->z,
        g->threads, g->thread_y, g->thread_z);
    return INVALID_VALUE;
  }
  int most = MULTIPROCESSORS * resident((int)g->threads, g->shared);
  if (cooperative && g->blocks > (unsigned)most) {
    say("%s: cooperative launch of blocks=%u, threads=%u, shared=%u; %d multiprocessors hold %d such blocks", f->kernel->name,
        g->blocks, g->threads, g->shared, MULTIPROCESSORS, most);
    return COOPERATIVE_LAUNCH_TOO_LARGE;
  }
  if (parameters == NULL) return INVALID_VALUE;
  const kernel_entry *kernel = f->kernel;
  struct launch *item =
      work_new(sizeof *item + sizeof *item->slots * (size_t)kernel->parameters, launch_now, kernel->name);
  if (item == NULL) return OUT_OF_MEMORY;
  item->stub = kernel->stub;
  item->blocks = g->blocks;
  item->threads = g->threads;
  item->parameters = kernel->parameters;
  item->sizes = kernel->sizes;
  for (int i = 0; i < kernel->parameters; i++) memcpy(&item->slots[i], parameters[i], (size_t)kernel->sizes[i].bytes);
  return stream_add(s, item);
}

EXPORT int cuLaunchKernel(void *handle, unsigned blocks, unsigned y, unsigned z, unsigned threads, unsigned thread_y,
    unsigned thread_z, unsigned shared, void *in, void **parameters, void **extra) {
  BEGIN(CONTEXT);
  if (extra != NULL) return leave(NOT_SUPPORTED);
  grid g = {blocks, y, z, threads, thread_y, thread_z, shared, in};
  return leave(launch(function_of(handle), &g, 0, parameters));
}

EXPORT int cuLaunchCooperativeKernel(void *handle, unsigned blocks, unsigned y, unsigned z, unsigned threads, unsigned thread_y,
    unsigned thread_z, unsigned shared, void *in, void **parameters) {
  BEGIN(CONTEXT);
  grid g = {blocks, y, z, threads, thread_y, thread_z, shared, in};
  return leave(launch(function_of(handle), &g, 1, parameters));
}

enum { COOPERATIVE = 2 };

typedef struct attribute {
  int id;
  union {
    int number;
    uint64_t room[8];
  } value;
} attribute;

typedef struct configuration {
  grid grid;
  const attribute *attributes;
  unsigned count;
} configuration;

/* But for COOPERATIVE, what attributes ask for changes no result. */
EXPORT int cuLaunchKernelEx(const configuration *asked, void *handle, void **parameters, void **extra) {
  BEGIN(CONTEXT);
  if (extra != NULL) return leave(NOT_SUPPORTED);
  int cooperative = 0;
  for (unsigned i = 0; i < asked->count; i++)
    if (asked->attributes[i].id == COOPERATIVE) cooperative = asked->attributes[i].value.number;
  return leave(launch(function_of(handle), &asked->grid, cooperative, parameters));
}
