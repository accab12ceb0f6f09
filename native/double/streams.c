/* Streams. What is asked of a stream is only written down; it runs when somebody waits for it, all of it on the thread
 * that waits, so a wait that is missing shows as results that are missing. A capture writes down what is asked of its
 * stream for a graph instead. */
#include "streams.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST_CAPTURES = 16 };

static stream *captured[MOST_CAPTURES];
static int captures;

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

int stream_is_legacy(const stream *s) { return s->next == NULL; }

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

void stream_close(stream *s) {
  stream **link = &s->object.owner->streams;
  while (*link != s) link = &(*link)->next;
  *link = s->next;
  work_list_free(s->first);
  if (s->capture != NULL) capture_end(s);
  object_free(s);
}

void streams_release(context *c) {
  while (c->streams != NULL) stream_close(c->streams);
}

int stream_forbids(const stream *s) {
  if (s->capture == NULL) return SUCCESS;
  s->capture->invalid = 1;
  return CAPTURE_UNSUPPORTED;
}

int capture_begin(stream *s, int mode) {
  capture *it = captures == MOST_CAPTURES ? NULL : calloc(1, sizeof *it);
  if (it == NULL) return OUT_OF_MEMORY;
  it->mode = mode;
  it->thread = this_thread();
  it->last = &it->first;
  s->capture = it;
  captured[captures++] = s;
  return SUCCESS;
}

int captures_forbid(void) {
  int code = SUCCESS;
  for (int i = 0; i < captures; i++) {
    capture *it = captured[i]->capture;
    if (it->mode == MODE_RELAXED || (it->mode == MODE_THREAD_LOCAL && it->thread != this_thread())) continue;
    it->invalid = 1;
    code = CAPTURE_UNSUPPORTED;
  }
  return code;
}

void capture_end(stream *s) {
  work_list_free(s->capture->first);
  free(s->capture);
  s->capture = NULL;
  for (int i = 0; i < captures; i++)
    if (captured[i] == s) captured[i] = captured[--captures];
}
