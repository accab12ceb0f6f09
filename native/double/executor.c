/* Runs work: threads of a block one after the other, each on a stack of its own from where it meets a barrier, and out
 * of all of it again when something touches what it must not.
 *
 * A thread that meets no barrier leaves its stack to the next. One that does stays on it, and the next begins on
 * another; when all have come, the first continues. Every other block, and the first of every other launch, begins with its
 * last thread, so that kernels whose threads race give different results. */
#define _GNU_SOURCE
#include "executor.h"
#include "chip.h"
#include "memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STACK = 64 << 10, SPARE = 16 << 10 /* unmapped, between two stacks */ };

EXPORT struct recur_place recur_place;

typedef struct fiber {
  void *saved; /* where its stack stands while it does not run */
  char *stack;
  int64_t thread;
  int line; /* of the barrier that it waits at */
} fiber;

static fiber fibers[MOST_THREADS];
static struct {
  void *caller; /* its stack */
  void (*stub)(void **);
  void **arguments;
  int64_t begun, finished;                     /* threads: that have begun; that came to their end since the last barrier */
  fiber *running, *idle[MOST_THREADS];
  fiber *waiting[MOST_THREADS], *next[MOST_THREADS]; /* at this barrier still, at the next one already */
  int idles, waitings, resumed, nexts, used, reversed;
} block;

/* Saves what a call must keep, notes the stack, and continues on another one. */
void recur_double_switch(void **saved, void *stack);

#if defined(__x86_64__)
enum { KEPT = 7 /* words, the last of them where to return to */, RETURN_WORD = 6 };
__asm__(".text\n.globl recur_double_switch\nrecur_double_switch:\n"
    "push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
    "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret\n");
#elif defined(__aarch64__)
enum { KEPT = 20, RETURN_WORD = 11 };
__asm__(".text\n.globl recur_double_switch\nrecur_double_switch:\n"
    "sub sp, sp, #160\n"
    "stp x19, x20, [sp]\n stp x21, x22, [sp, #16]\n stp x23, x24, [sp, #32]\n stp x25, x26, [sp, #48]\n"
    "stp x27, x28, [sp, #64]\n stp x29, x30, [sp, #80]\n stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n"
    "stp d12, d13, [sp, #128]\n stp d14, d15, [sp, #144]\n"
    "mov x9, sp\n str x9, [x0]\n mov sp, x1\n"
    "ldp x19, x20, [sp]\n ldp x21, x22, [sp, #16]\n ldp x23, x24, [sp, #32]\n ldp x25, x26, [sp, #48]\n"
    "ldp x27, x28, [sp, #64]\n ldp x29, x30, [sp, #80]\n ldp d8, d9, [sp, #96]\n ldp d10, d11, [sp, #112]\n"
    "ldp d12, d13, [sp, #128]\n ldp d14, d15, [sp, #144]\n"
    "add sp, sp, #160\n ret\n");
#else
#error "the CPU double knows how to change stacks on x86-64 and on 64-bit ARM only"
#endif

/* What runs now, for the handler of signals; who runs it. */
static volatile sig_atomic_t running;
static pthread_t runner;
static context *runs_in;
static const char *runs_name;
static jmp_buf *escape;
static volatile address touched;
static struct sigaction before[2];

static const int signals[] = {SIGSEGV, SIGBUS};

static void on_signal(int number, siginfo_t *information, void *state) {
  if (running && pthread_equal(pthread_self(), runner)) {
    touched = (address)(uintptr_t)information->si_addr;
    pthread_sigmask(SIG_SETMASK, &((ucontext_t *)state)->uc_sigmask, NULL);
    _longjmp(*escape, ILLEGAL_ADDRESS);
  }
  const struct sigaction *old = &before[number == SIGBUS];
  if (old->sa_flags & SA_SIGINFO) old->sa_sigaction(number, information, state);
  else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) old->sa_handler(number);
  else sigaction(number, old, NULL); /* it comes again, and ends the process */
}

/* With the flags and the mask of the handler that was there, as the JVM's counts on them. */
static void take_signals(void) {
  static int taken;
  if (taken) return;
  taken = 1;
  for (int i = 0; i < 2; i++) {
    sigaction(signals[i], NULL, &before[i]);
    struct sigaction ours = before[i];
    ours.sa_flags |= SA_SIGINFO;
    ours.sa_sigaction = on_signal;
    sigaction(signals[i], &ours, NULL);
  }
}

void *work_new(size_t bytes, int (*run)(work *, context *), const char *name) {
  work *it = calloc(1, bytes);
  if (it == NULL) return NULL;
  it->bytes = bytes;
  it->run = run;
  it->name = name;
  return it;
}

work *work_copy(const work *from) {
  work *it = malloc(from->bytes);
  if (it == NULL) return NULL;
  memcpy(it, from, from->bytes);
  it->next = NULL;
  return it;
}

void work_free(work *it) {
  if (it->drop != NULL) it->drop(it);
  free(it);
}

void work_list_free(work *first) {
  while (first != NULL) {
    work *it = first;
    first = it->next;
    work_free(it);
  }
}

int execute(work *it, context *c) {
  jmp_buf here_again, *outer = escape;
  context *outer_context = runs_in;
  const char *outer_name = runs_name;
  volatile int outer_running = running;
  take_signals();
  escape = &here_again;
  runs_in = c;
  runs_name = it->name;
  runner = pthread_self();
  int code = _setjmp(here_again);
  if (code == 0) {
    running = 1;
    code = it->run(it, c);
  } else if (code == ILLEGAL_ADDRESS) {
    char text[160];
    running = 0;
    address asked = memory_address((void *)(uintptr_t)touched);
    memory_describe(memory_is_device(asked) ? asked : touched, text, sizeof text);
    context_fault(c, code, "%s: illegal access, block=%lld, thread=%lld, %s", it->name, (long long)recur_place.block,
        (long long)recur_place.thread, text);
  }
  running = outer_running;
  escape = outer;
  runs_in = outer_context;
  runs_name = outer_name;
  return code;
}

static void fail(const char *why, int line) {
  running = 0;
  context_fault(runs_in, LAUNCH_FAILED,
      "%s: %s, block=%lld, line=%d of its file; all threads of a block come to a barrier, or none", runs_name, why,
      (long long)recur_place.block, line);
  _longjmp(*escape, LAUNCH_FAILED);
}

/* What runs next: a thread that has not begun, one at the barrier that all have come to, or NULL: the block is done. */
static fiber *choose(void) {
  if (block.resumed == block.waitings) { /* all have finished, or wait at a barrier */
    if (block.nexts == 0) return NULL;
    if (block.finished > 0) fail("some threads have ended without the barrier", block.next[0]->line);
    for (int i = 0; i < block.nexts; i++) {
      if (block.next[i]->line != block.next[0]->line) fail("threads wait at different barriers", block.next[i]->line);
      block.waiting[i] = block.next[i];
    }
    block.waitings = block.nexts;
    block.resumed = block.nexts = 0;
  }
  fiber *it = block.waiting[block.resumed++];
  recur_place.thread = it->thread;
  return it;
}

/* The bottom of a fiber's stack: one thread after the other, until one of them leaves it at a barrier. */
static void threads_from_here(void) {
  for (;;) {
    if (block.begun < recur_place.threads) {
      int64_t i = block.begun++;
      recur_place.thread = block.running->thread = block.reversed ? recur_place.threads - 1 - i : i;
      block.stub(block.arguments);
      recur_place.fresh = 0;
      block.finished++;
      continue;
    }
    void *nowhere;
    fiber *me = block.running, *it = choose();
    block.idle[block.idles++] = me;
    block.running = it;
    recur_double_switch(&nowhere, it == NULL ? block.caller : it->saved);
  }
}

static fiber *fiber_begin(void) {
  fiber *it = block.idles > 0 ? block.idle[--block.idles] : &fibers[block.used++];
  if (it->stack == NULL) {
    void *pages = mmap(NULL, STACK + SPARE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect((char *)pages + SPARE, STACK, PROT_READ | PROT_WRITE) != 0)
      fail("no memory for a thread's stack", 0);
    it->stack = (char *)pages + SPARE;
  }
  /* Not all stacks at the same place of their pages: they would take each other's lines of the cache. */
  size_t offset = (size_t)(it - fibers) % 16 * 256 + 256;
  void **top = (void **)(it->stack + STACK - offset) - KEPT - KEPT % 2;
  memset(top, 0, KEPT * sizeof *top);
  union {
    void (*code)(void);
    void *data;
  } entry = {.code = threads_from_here};
  top[RETURN_WORD] = entry.data;
  it->saved = top;
  return it;
}

EXPORT void recur_double_barrier(int line) {
  fiber *me = block.running;
  me->line = line;
  recur_place.fresh = 0;
  block.next[block.nexts++] = me;
  block.running = block.begun < recur_place.threads ? fiber_begin() : NULL;
  if (block.running == NULL) block.running = choose();
  if (block.running == me) return;
  recur_double_switch(&me->saved, block.running->saved);
}

EXPORT void recur_double_undefined(void *shared, uint64_t bytes) { memset(shared, 0xFF, bytes); }

void block_run(void (*stub)(void **), void **arguments, int64_t blocks, int64_t threads) {
  block.stub = stub;
  block.arguments = arguments;
  block.used = block.idles = 0;
  static int64_t launches;
  launches++;
  recur_place.threads = threads;
  recur_place.blocks = blocks;
  for (int64_t i = 0; i < blocks; i++) {
    recur_place.block = i;
    block.reversed = (launches + i) % 2 != 0;
    recur_place.fresh = 1;
    block.begun = block.finished = 0;
    block.waitings = block.resumed = block.nexts = 0;
    block.running = fiber_begin();
    recur_double_switch(&block.caller, block.running->saved);
  }
}
