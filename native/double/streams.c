/* Streams and events. What is asked of a stream is only written down; it runs when somebody waits for it, all of it
 * on the thread that waits, so a wait that is missing shows as results that are missing. */
#define _GNU_SOURCE
#include "double.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NON_BLOCKING = 1, DISABLE_TIMING = 2 };

typedef struct event {
  object object;
  unsigned flags;
  stream *recorded; /* where it was recorded last, or NULL */
  void *in;         /* that stream's handle: the stream may be gone */
  int64_t order;    /* of the last record, 0: none; */
  int64_t done;     /* of the last record that has run */
  int captured;
  double seconds;
} event;

uint64_t this_thread(void) { return (uint64_t)(uintptr_t)pthread_self(); }

stream *stream_new(context *c, unsigned flags) {
  stream *s = object_new(STREAM, sizeof *s, c);
  if (s == NULL) return NULL;
  s->flags = flags;
  s->last = &s->first;
  s->next = c->streams;
  c->streams = s;
  return s;
}

static stream *legacy(const context *c) {
  stream *s = c->streams;
  while (s->next != NULL) s = s->next;
  return s;
}

static int blocks(const stream *s) { return (s->flags & NON_BLOCKING) == 0; }

stream *stream_of(void *handle) {
  if ((uintptr_t)handle <= 1) return legacy(here()); /* NULL and CU_STREAM_LEGACY */
  stream *s = object_of(handle, STREAM);
  return s != NULL && s->object.owner == here() ? s : NULL;
}

void *work_new(size_t bytes, int (*run)(work *, context *), const char *name) {
  work *it = calloc(1, bytes);
  if (it == NULL) return NULL;
  it->bytes = bytes;
  it->run = run;
  it->name = name;
  return it;
}

static void work_free(work *it) {
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

/* The legacy stream waits for the blocking ones: while one of them is captured, nothing may be asked of it. */
static int legacy_forbids(const context *c) {
  for (stream *s = c->streams; s != NULL; s = s->next)
    if (s->capture != NULL && blocks(s)) {
      s->capture->invalid = 1;
      return CAPTURE_IMPLICIT;
    }
  return SUCCESS;
}

int stream_add(stream *s, void *item) {
  work *it = item;
  context *c = s->object.owner;
  int code = s == legacy(c) ? legacy_forbids(c) : SUCCESS;
  if (code == SUCCESS && s->capture != NULL && s->capture->invalid) code = CAPTURE_INVALIDATED;
  if (code != SUCCESS) {
    work_free(it);
    return code;
  }
  it->order = ++c->work;
  work ***last = s->capture != NULL ? &s->capture->last : &s->last;
  **last = it;
  *last = &it->next;
  return SUCCESS;
}

int stream_wait(stream *s, int64_t order) {
  context *c = s->object.owner;
  stream *everywhere = legacy(c);
  while (s->first != NULL && s->first->order <= order && c->fault == SUCCESS) {
    work *it = s->first;
    if (s == everywhere) {
      for (stream *other = c->streams; other != s; other = other->next)
        if (blocks(other)) stream_wait(other, it->order);
    } else if (blocks(s)) {
      stream_wait(everywhere, it->order);
    }
    if (s->first != it || c->fault != SUCCESS) continue;
    s->first = it->next;
    if (s->first == NULL) s->last = &s->first;
    execute(it, c);
    work_free(it);
  }
  return c->fault;
}

int streams_wait_legacy(context *c) {
  int code = legacy_forbids(c);
  for (stream *s = c->streams; s != NULL && code == SUCCESS; s = s->next)
    if (blocks(s)) code = stream_wait(s, c->work);
  return code;
}

int streams_wait(context *c) {
  for (stream *s = c->streams; s != NULL; s = s->next) stream_wait(s, c->work);
  return c->fault;
}

static void stream_free(stream *s) {
  stream **link = &s->object.owner->streams;
  while (*link != s) link = &(*link)->next;
  *link = s->next;
  work_list_free(s->first);
  if (s->capture != NULL) capture_end(s);
  object_free(s);
}

void streams_release(context *c) {
  while (c->streams != NULL) stream_free(c->streams);
}

int stream_forbids(const stream *s) {
  if (s->capture == NULL) return SUCCESS;
  s->capture->invalid = 1;
  return CAPTURE_UNSUPPORTED;
}

EXPORT int cuStreamCreateWithPriority(void **handle, unsigned flags, int priority) {
  (void)priority;
  BEGIN(CONTEXT);
  stream *s = flags > NON_BLOCKING ? NULL : stream_new(here(), flags);
  if (s == NULL) return leave(flags > NON_BLOCKING ? INVALID_VALUE : OUT_OF_MEMORY);
  *handle = s->object.handle;
  return leave(SUCCESS);
}

EXPORT int cuStreamCreate(void **handle, unsigned flags) { return cuStreamCreateWithPriority(handle, flags, 0); }

/* As on hardware, its work is done first. */
EXPORT int cuStreamDestroy_v2(void *handle) {
  BEGIN(RELEASE);
  context *c = here();
  stream *s = stream_of(handle);
  if (s == NULL || s == legacy(c)) return leave(INVALID_HANDLE);
  if (s->capture == NULL) stream_wait(s, c->work);
  stream_free(s);
  return leave(c->fault);
}

EXPORT int cuStreamSynchronize(void *handle) {
  BEGIN(CONTEXT);
  stream *s = stream_of(handle);
  if (s == NULL) return leave(INVALID_HANDLE);
  int code = stream_forbids(s);
  if (code != SUCCESS) return leave(code);
  return leave(s == legacy(here()) ? streams_wait_legacy(here()) : stream_wait(s, here()->work));
}

/* Each question lets one piece of work be done, so that whoever asks until all is done comes to an end. */
EXPORT int cuStreamQuery(void *handle) {
  BEGIN(CONTEXT);
  stream *s = stream_of(handle);
  if (s == NULL) return leave(INVALID_HANDLE);
  int code = stream_forbids(s);
  if (code != SUCCESS) return leave(code);
  if (s->first == NULL) return leave(SUCCESS);
  code = stream_wait(s, s->first->order);
  return leave(code != SUCCESS ? code : NOT_READY);
}

EXPORT int cuStreamSetAttribute(void *handle, int attribute, const void *value) {
  (void)attribute, (void)value;
  BEGIN(CONTEXT);
  return leave(stream_of(handle) == NULL ? INVALID_HANDLE : SUCCESS);
}

struct on_event {
  work work;
  void *event, *stream;
  int64_t order;
};

static int note_event(work *it, context *c) {
  (void)c;
  event *e = object_of(((struct on_event *)it)->event, EVENT);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (e == NULL) return SUCCESS;
  e->done = it->order;
  e->seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
  return SUCCESS;
}

static int await_event(work *it, context *c) {
  (void)c;
  stream *other = object_of(((struct on_event *)it)->stream, STREAM);
  return other == NULL ? SUCCESS : stream_wait(other, ((struct on_event *)it)->order);
}

static event *event_of(void *handle) {
  event *e = object_of(handle, EVENT);
  return e != NULL && e->object.owner == here() ? e : NULL;
}

EXPORT int cuEventCreate(void **handle, unsigned flags) {
  BEGIN(CONTEXT);
  event *e = object_new(EVENT, sizeof *e, here());
  if (e == NULL) return leave(OUT_OF_MEMORY);
  e->flags = flags;
  *handle = e->object.handle;
  return leave(SUCCESS);
}

EXPORT int cuEventDestroy_v2(void *handle) {
  BEGIN(RELEASE);
  event *e = event_of(handle);
  if (e == NULL) return leave(INVALID_HANDLE);
  object_free(e);
  return leave(here()->fault);
}

EXPORT int cuEventRecord(void *handle, void *in) {
  BEGIN(CONTEXT);
  event *e = event_of(handle);
  stream *s = stream_of(in);
  if (e == NULL || s == NULL) return leave(INVALID_HANDLE);
  if (s->capture != NULL) {
    e->captured = 1;
    return leave(s->capture->invalid ? CAPTURE_INVALIDATED : SUCCESS);
  }
  struct on_event *item = work_new(sizeof *item, note_event, "cuEventRecord");
  if (item == NULL) return leave(OUT_OF_MEMORY);
  item->event = handle;
  int code = stream_add(s, item);
  if (code != SUCCESS) return leave(code);
  e->captured = 0;
  e->in = s->object.handle;
  e->order = item->work.order;
  return leave(SUCCESS);
}

EXPORT int cuStreamWaitEvent(void *in, void *handle, unsigned flags) {
  (void)flags;
  BEGIN(CONTEXT);
  event *e = event_of(handle);
  stream *s = stream_of(in);
  if (e == NULL || s == NULL) return leave(INVALID_HANDLE);
  if (e->captured) return leave(s->capture == NULL ? CAPTURE_ISOLATION : SUCCESS);
  if (e->order == 0) return leave(SUCCESS);
  if (s->capture != NULL) {
    s->capture->invalid = 1;
    return leave(CAPTURE_ISOLATION);
  }
  struct on_event *item = work_new(sizeof *item, await_event, "cuStreamWaitEvent");
  if (item == NULL) return leave(OUT_OF_MEMORY);
  item->stream = e->in;
  item->order = e->order;
  return leave(stream_add(s, item));
}

EXPORT int cuEventSynchronize(void *handle) {
  BEGIN(CONTEXT);
  event *e = event_of(handle);
  if (e == NULL) return leave(INVALID_HANDLE);
  int code = e->captured ? CAPTURED_EVENT : captures_forbid();
  stream *s = object_of(e->in, STREAM);
  return leave(code != SUCCESS || s == NULL ? code : stream_wait(s, e->order));
}

EXPORT int cuEventQuery(void *handle) {
  BEGIN(CONTEXT);
  event *e = event_of(handle);
  if (e == NULL) return leave(INVALID_HANDLE);
  int code = e->captured ? CAPTURED_EVENT : captures_forbid();
  if (code != SUCCESS || e->done == e->order) return leave(code);
  stream *s = object_of(e->in, STREAM);
  if (s != NULL && s->first != NULL) code = stream_wait(s, s->first->order);
  return leave(code != SUCCESS ? code : NOT_READY);
}

EXPORT int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
  BEGIN(CONTEXT);
  event *a = event_of(from), *b = event_of(to);
  if (a == NULL || b == NULL || a->order == 0 || b->order == 0) return leave(INVALID_HANDLE);
  if ((a->flags | b->flags) & DISABLE_TIMING) return leave(INVALID_HANDLE);
  if (a->done != a->order || b->done != b->order) return leave(NOT_READY);
  *milliseconds = (float)(1e3 * (b->seconds - a->seconds));
  return leave(SUCCESS);
}
