/* Calls about streams and events. */
#include "calls.h"

#include <time.h>

enum { DISABLE_TIMING = 2 }; /* a flag of an event */

typedef struct event {
  object object;
  unsigned flags;
  stream *recorded; /* where it was recorded last, or NULL */
  void *in;         /* that stream's handle: the stream may be gone */
  int64_t order;    /* of the last record; 0: none */
  int64_t done;     /* of the last record that has run */
  int captured;
  double seconds;
} event;

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
  if (s == NULL || stream_is_legacy(s)) return leave(INVALID_HANDLE);
  if (s->capture == NULL) stream_wait(s, c->work);
  stream_close(s);
  return leave(c->fault);
}

EXPORT int cuStreamSynchronize(void *handle) {
  BEGIN(CONTEXT);
  stream *s = stream_of(handle);
  if (s == NULL) return leave(INVALID_HANDLE);
  int code = stream_forbids(s);
  if (code != SUCCESS) return leave(code);
  return leave(stream_is_legacy(s) ? streams_wait_legacy(here()) : stream_wait(s, here()->work));
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
