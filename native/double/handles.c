/* Handles: numbers that look like pointers, are looked up and never followed, and are never given twice, so that
 * one that was destroyed, or never was, is known for what it is. */
#include "handles.h"

#include <stdlib.h>

enum { STEP = 16 }; /* between two handles */

static const uintptr_t base = 0xD0B1E0000000; /* no address of a process */
static object **objects;
static size_t given, room;

void *object_new(enum kind kind, size_t bytes, context *owner) {
  if (given == room) {
    size_t more = room == 0 ? 256 : 2 * room;
    object **larger = realloc(objects, more * sizeof *larger);
    if (larger == NULL) return NULL;
    objects = larger;
    room = more;
  }
  object *it = calloc(1, bytes);
  if (it == NULL) return NULL;
  it->kind = kind;
  it->owner = owner;
  it->handle = (void *)(base + STEP * given);
  objects[given++] = it;
  return it;
}

static size_t index_of(const void *handle) { return ((uintptr_t)handle - base) / STEP; }

void *object_of(void *handle, enum kind kind) {
  uintptr_t at = (uintptr_t)handle;
  if (at < base || at >= base + STEP * given || (at - base) % STEP != 0) return NULL;
  object *it = objects[index_of(handle)];
  return it != NULL && it->kind == kind ? it : NULL;
}

void object_free(void *it) {
  object *o = it;
  if (o->drop != NULL) o->drop(o);
  objects[index_of(o->handle)] = NULL;
  free(o);
}

void *object_next(void *after, enum kind kind, const context *owner) {
  for (size_t i = after == NULL ? 0 : index_of(((object *)after)->handle) + 1; i < given; i++)
    if (objects[i] != NULL && objects[i]->kind == kind && objects[i]->owner == owner) return objects[i];
  return NULL;
}
