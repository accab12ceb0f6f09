/* What the parts of the CPU double say to each other: handles, contexts, memory, streams, kernels.
 *
 * Every exported call holds one lock from BEGIN to leave, so whatever runs, runs alone. */
#ifndef RECUR_DOUBLE_H
#define RECUR_DOUBLE_H
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define DEVICE_NAME "CPU double (not a GPU)"

/* The chip: few multiprocessors, each as of compute capability 9.0, and kernels of so many registers. */
enum {
  MULTIPROCESSORS = 4,
  WARP = 32,
  MOST_THREADS = 1024,
  RESIDENT_THREADS = 2048,
  RESIDENT_BLOCKS = 32,
  REGISTERS = 65536,
  REGISTERS_PER_THREAD = 32,
  SHARED_PER_MULTIPROCESSOR = 233472,
  SHARED_PER_BLOCK = 232448,
  SHARED_RESERVED = 1024, /* of each block, for the driver */
};

typedef uint64_t address; /* CUdeviceptr */

/* The driver's own codes, as cuda.h numbers them. */
enum {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  PRIMARY_CONTEXT_ACTIVE = 708,
  INVALID_HANDLE = 400,
  ILLEGAL_STATE = 401,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  CONTEXT_IS_DESTROYED = 709,
  HOST_MEMORY_ALREADY_REGISTERED = 712,
  HOST_MEMORY_NOT_REGISTERED = 713,
  MISALIGNED_ADDRESS = 716,
  LAUNCH_FAILED = 719,
  COOPERATIVE_LAUNCH_TOO_LARGE = 720,
  NOT_SUPPORTED = 801,
  CAPTURE_UNSUPPORTED = 900,
  CAPTURE_INVALIDATED = 901,
  CAPTURE_UNMATCHED = 903,
  CAPTURE_ISOLATION = 905,
  CAPTURE_IMPLICIT = 906,
  CAPTURED_EVENT = 907,
  CAPTURE_WRONG_THREAD = 908,
  GRAPH_EXEC_UPDATE_FAILURE = 910,
};

/* calls.c: the lock, what a call needs before it begins, calls that are made to fail. */

typedef struct call {
  const char *name;
  int64_t count, bytes; /* calls made, and what copies across the bus were asked for */
  struct call *next;
} call;

enum needs {
  ANYTHING, /* always */
  DRIVER,   /* after cuInit */
  CONTEXT,  /* a context on this thread, without a fault */
  RELEASE,  /* a context on this thread; a fault is returned, but the work is done first */
};

int enter(call *site, enum needs needs);
int leave(int code);

#define BEGIN(needs) \
  static call site = {.name = __func__}; \
  int refused = enter(&site, needs); \
  if (refused) return leave(refused)

/* One line on stderr, behind the double's name. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* handles.c: numbers that look like pointers and are looked up, never followed, and never given twice. */

typedef struct context context;

enum kind { CONTEXT_HANDLE, STREAM, EVENT, MODULE, FUNCTION, GRAPH, EXECUTABLE, PROGRAM_HANDLE, BLAS_HANDLE, KINDS };

typedef struct object {
  enum kind kind;
  void *handle;
  context *owner;
} object;

void *object_new(enum kind kind, size_t bytes, context *owner); /* zeroed; NULL: no memory */
void *object_of(void *handle, enum kind kind);                  /* NULL: no such handle, or a destroyed one */
void object_free(void *it);
void *object_next(void *after, enum kind kind, const context *owner); /* NULL: the first; then NULL at the end */

/* contexts.c */

typedef struct stream stream;

struct context {
  object object;
  int device, fault; /* fault: sticky, until the context is released */
  stream *streams;   /* the last made first; the one called NULL is the last of the list */
  int64_t work;      /* operations asked for so far: their order over all streams */
  int64_t allocated; /* bytes */
};

context *context_current(int *code); /* this thread's, or NULL and why */
context *here(void);                 /* the same within a call that needs one */
int context_fault(context *c, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* memory.c */

int memory_check(const context *c, address begin, uint64_t bytes); /* whether it lies in one live allocation */
int memory_is_device(address begin);                               /* whether it lies where device memory does */
void *memory_at(address within);                   /* where a kernel finds it, whether or not there is an allocation */
void *memory_touch(context *c, address within);    /* the same of a live allocation, whose canaries will be looked at; or NULL */
int memory_is_foreign(const context *c, address within); /* whether another context's allocation is there */
int memory_close(void); /* ends every call: a code where a canary of what was touched is dead */
void memory_describe(address at, char *text, size_t bytes);
address memory_address(const void *found); /* what memory_at was asked for */
int64_t memory_left(const context *c); /* bytes that a context, or NULL for one that is to be, can still take */
int memory_release(context *c);            /* all that is left; how many */
int pinned_release(const context *c);      /* page-locked memory that is left; how many */

/* streams.c: what is asked for waits in its stream until somebody waits for it. */

typedef struct work {
  struct work *next;
  int (*run)(struct work *it, context *c); /* a code of the driver */
  void (*drop)(struct work *it);           /* or NULL */
  const char *name;
  int64_t order;
  size_t bytes;
} work;

typedef struct capture {
  int mode, invalid;
  uint64_t thread;
  work *first, **last;
} capture;

struct stream {
  object object;
  stream *next;
  unsigned flags;
  work *first, **last;
  capture *capture;
};

uint64_t this_thread(void);
stream *stream_new(context *c, unsigned flags);
stream *stream_of(void *handle);                           /* in this thread's context, NULL: no such stream */
void *work_new(size_t bytes, int (*run)(work *, context *), const char *name);
int stream_add(stream *s, void *item);                     /* a code: it may be a capture that forbids it */
int stream_forbids(const stream *s);                       /* the code of a call that no capture allows */
int streams_wait_legacy(context *c);                       /* runs what the legacy stream waits for */
int streams_wait(context *c);                              /* runs everything */
int stream_wait(stream *s, int64_t order);                 /* runs what was asked for up to there */
void streams_release(context *c);
void work_list_free(work *first);

/* graphs.c */

int captures_forbid(void); /* CAPTURE_UNSUPPORTED where a capture, now invalid, forbids an unsafe call */
void capture_end(stream *s);

int work_list_add(stream *s, const work *first);                   /* copies of all to a stream */
void graphs_release(context *c);

/* executor.c: runs a piece of work on this thread, and comes back when it touches what it must not. */

/* As prelude.cu has it: which thread of which block runs. */
extern struct recur_place {
  int64_t thread, threads, block, blocks, fresh;
} recur_place;

int execute(work *it, context *c);
void block_run(void (*stub)(void **), void **arguments, int64_t blocks, int64_t threads);

/* modules.c: the kernels that this library was built with. */

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


/* compiler.c */

const char *program_of_image(const void *image); /* NULL: not one of ours */

#endif
