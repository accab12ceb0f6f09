/* Graphs: a capture writes down what is asked of its stream, instantiation copies it, a launch runs the copy. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

/* Shared by an executable graph and its launches that still wait. */
typedef struct recording {
  int references;
  work *first;
} recording;

typedef struct graph {
  object object;
  recording *of;
} graph;

static void forget(recording *it) {
  if (--it->references > 0) return;
  work_list_free(it->first);
  free(it);
}

static recording *record(const work *first) {
  recording *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return NULL;
  fresh->references = 1;
  work **last = &fresh->first;
  for (const work *it = first; it != NULL; it = it->next) {
    if ((*last = work_copy(it)) == NULL) return forget(fresh), NULL;
    last = &(*last)->next;
  }
  return fresh;
}

static int add_all(stream *s, const work *first) {
  for (const work *it = first; it != NULL; it = it->next) {
    work *copy = work_copy(it);
    int code = copy == NULL ? OUT_OF_MEMORY : stream_add(s, copy);
    if (code != SUCCESS) return code;
  }
  return SUCCESS;
}

EXPORT int cuStreamBeginCapture_v2(void *handle, int mode) {
  BEGIN(CONTEXT);
  stream *s = stream_of(handle);
  if (s == NULL) return leave(INVALID_HANDLE);
  if (mode < MODE_GLOBAL || mode > MODE_RELAXED) return leave(INVALID_VALUE);
  if (stream_is_legacy(s)) return leave(CAPTURE_UNSUPPORTED);
  if (s->capture != NULL) return leave(ILLEGAL_STATE);
  return leave(capture_begin(s, mode));
}

EXPORT int cuStreamIsCapturing(void *handle, int *status) {
  BEGIN(CONTEXT);
  stream *s = stream_of(handle);
  if (s == NULL) return leave(INVALID_HANDLE);
  *status = s->capture == NULL ? 0 : s->capture->invalid ? 2 : 1;
  return leave(SUCCESS);
}

static void graph_drop(void *it) { forget(((graph *)it)->of); }

static graph *graph_new(context *c, enum kind kind, const work *first) {
  graph *g = object_new(kind, sizeof *g, c);
  if (g == NULL) return NULL;
  g->of = record(first);
  if (g->of == NULL) return object_free(g), NULL;
  g->object.drop = graph_drop;
  return g;
}

EXPORT int cuStreamEndCapture(void *handle, void **result) {
  BEGIN(CONTEXT);
  stream *s = stream_of(handle);
  if (s == NULL) return leave(INVALID_HANDLE);
  capture *it = s->capture;
  if (it == NULL) return leave(ILLEGAL_STATE);
  if (it->mode != MODE_RELAXED && it->thread != this_thread()) {
    it->invalid = 1;
    return leave(CAPTURE_WRONG_THREAD);
  }
  graph *g = it->invalid ? NULL : graph_new(here(), GRAPH, it->first);
  int code = it->invalid ? CAPTURE_INVALIDATED : g == NULL ? OUT_OF_MEMORY : SUCCESS;
  capture_end(s);
  *result = g == NULL ? NULL : g->object.handle;
  return leave(code);
}

static graph *graph_of(void *handle, enum kind kind) {
  graph *g = object_of(handle, kind);
  return g != NULL && g->object.owner == here() ? g : NULL;
}

EXPORT int cuGraphInstantiateWithFlags(void **handle, void *of, unsigned long long flags) {
  (void)flags;
  BEGIN(CONTEXT);
  graph *g = graph_of(of, GRAPH);
  if (g == NULL) return leave(INVALID_VALUE);
  graph *e = graph_new(here(), EXECUTABLE, g->of->first);
  if (e == NULL) return leave(OUT_OF_MEMORY);
  *handle = e->object.handle;
  return leave(SUCCESS);
}

EXPORT int cuGraphUpload(void *handle, void *in) {
  BEGIN(CONTEXT);
  return leave(graph_of(handle, EXECUTABLE) == NULL || stream_of(in) == NULL ? INVALID_VALUE : SUCCESS);
}

struct launch {
  work work;
  recording *of;
};

static int run_recording(work *it, context *c) {
  for (work *each = ((struct launch *)it)->of->first; each != NULL && c->fault == SUCCESS; each = each->next)
    execute(each, c);
  return SUCCESS;
}

static void drop_recording(work *it) { forget(((struct launch *)it)->of); }

EXPORT int cuGraphLaunch(void *handle, void *in) {
  BEGIN(CONTEXT);
  graph *e = graph_of(handle, EXECUTABLE);
  stream *s = stream_of(in);
  if (e == NULL || s == NULL) return leave(e == NULL ? INVALID_VALUE : INVALID_HANDLE);
  if (s->capture != NULL) return leave(add_all(s, e->of->first));
  struct launch *item = work_new(sizeof *item, run_recording, "cuGraphLaunch");
  if (item == NULL) return leave(OUT_OF_MEMORY);
  item->of = e->of;
  item->of->references++;
  item->work.drop = drop_recording;
  return leave(stream_add(s, item));
}

/* Only what the pieces are about may change, not what they are. */
EXPORT int cuGraphExecUpdate_v2(void *handle, void *of, void *information) {
  BEGIN(CONTEXT);
  graph *e = graph_of(handle, EXECUTABLE), *g = graph_of(of, GRAPH);
  if (e == NULL || g == NULL) return leave(INVALID_VALUE);
  const work *a = e->of->first, *b = g->of->first;
  while (a != NULL && b != NULL && a->run == b->run && a->bytes == b->bytes) a = a->next, b = b->next;
  int same = a == NULL && b == NULL;
  if (information != NULL) {
    memset(information, 0, 3 * sizeof(void *));
    *(int *)information = same ? 0 : 2; /* CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED */
  }
  if (!same) return leave(GRAPH_EXEC_UPDATE_FAILURE);
  recording *fresh = record(g->of->first);
  if (fresh == NULL) return leave(OUT_OF_MEMORY);
  forget(e->of);
  e->of = fresh;
  return leave(SUCCESS);
}

EXPORT int cuGraphExecDestroy(void *handle) {
  BEGIN(RELEASE);
  graph *e = graph_of(handle, EXECUTABLE);
  if (e == NULL) return leave(INVALID_VALUE);
  object_free(e);
  return leave(here()->fault);
}

EXPORT int cuGraphDestroy(void *handle) {
  BEGIN(RELEASE);
  graph *g = graph_of(handle, GRAPH);
  if (g == NULL) return leave(INVALID_VALUE);
  object_free(g);
  return leave(here()->fault);
}
