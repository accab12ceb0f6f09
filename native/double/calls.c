/* The lock that every call holds, what it needs before it begins, and calls that tests make fail. */
#define _GNU_SOURCE
#include "calls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PLANNED = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static call *sites;
static int initialised;
static int64_t entered, inside; /* ns: when the present call began, and all calls before it */
static struct {
  char name[64];
  int code;
} planned[PLANNED];
static int plans;

/* The code that a test has planned for the next call of this name, or 0. */
static int take_plan(const char *name) {
  for (int i = 0; i < plans; i++)
    if (strcmp(planned[i].name, name) == 0) {
      int code = planned[i].code;
      memmove(&planned[i], &planned[i + 1], sizeof planned[0] * (size_t)(--plans - i)); /* in the order of their planning */
      return code;
    }
  return SUCCESS;
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int enter(call *site, enum needs needs) {
  pthread_mutex_lock(&lock);
  entered = now();
  if (site->count++ == 0) {
    site->next = sites;
    sites = site;
  }
  int code = plans == 0 ? SUCCESS : take_plan(site->name);
  if (code == SUCCESS && needs != ANYTHING && !initialised) code = NOT_INITIALIZED;
  if (code == SUCCESS && needs >= CONTEXT) {
    context *c = context_current(&code);
    if (c != NULL && needs == CONTEXT) code = c->fault;
  }
  return code;
}

int leave(int code) {
  int dead = memory_close();
  if (code == SUCCESS) code = dead;
  inside += now() - entered;
  pthread_mutex_unlock(&lock);
  return code;
}

EXPORT int cuInit(unsigned flags) {
  BEGIN(ANYTHING);
  if (flags == 0) initialised = 1;
  return leave(flags == 0 ? SUCCESS : INVALID_VALUE);
}

static void plan(const char *name, size_t letters, int code) {
  if (plans == PLANNED || letters >= sizeof planned[0].name) {
    say("recur_double_fail: call=%.*s; at most %d calls are made to fail at a time", (int)letters, name, PLANNED);
    abort();
  }
  memcpy(planned[plans].name, name, letters);
  planned[plans].name[letters] = 0;
  planned[plans++].code = code;
}

/* For tests: the next call of this name returns the code and does nothing. */
EXPORT void recur_double_fail(const char *name, int code) {
  pthread_mutex_lock(&lock);
  plan(name, strlen(name), code);
  pthread_mutex_unlock(&lock);
}

/* For tests of what happens before anybody can call recur_double_fail: RECUR_DOUBLE_FAIL=cuInit=803,cuInit=999 */
__attribute__((constructor)) static void plan_from_environment(void) {
  for (const char *at = getenv("RECUR_DOUBLE_FAIL"); at != NULL && *at != 0;) {
    size_t letters = strcspn(at, "=,"), all = strcspn(at, ",");
    plan(at, letters, letters < all ? atoi(at + letters + 1) : 0);
    at += all + (at[all] == ',');
  }
}

static const call *find_site(const char *name) {
  const call *site = sites;
  while (site != NULL && strcmp(site->name, name) != 0) site = site->next;
  return site;
}

/* For tests: how often a call of this name was made. */
EXPORT int64_t recur_double_count(const char *name) {
  pthread_mutex_lock(&lock);
  const call *site = find_site(name);
  int64_t count = site == NULL ? 0 : site->count;
  pthread_mutex_unlock(&lock);
  return count;
}

/* The bytes that calls of this name were asked to take across the bus. */
EXPORT int64_t recur_double_bytes(const char *name) {
  pthread_mutex_lock(&lock);
  const call *site = find_site(name);
  int64_t bytes = site == NULL ? 0 : site->bytes;
  pthread_mutex_unlock(&lock);
  return bytes;
}

/* The time that all threads have spent in calls so far: a card's and its libraries' share, not the caller's. */
EXPORT int64_t recur_double_nanos(void) {
  pthread_mutex_lock(&lock);
  int64_t nanos = inside;
  pthread_mutex_unlock(&lock);
  return nanos;
}

/* At the process's end: a line per call with count and bytes, behind those of earlier processes, to the file that
 * RECUR_DOUBLE_COUNTS names. No lock: a thread that still holds it may never leave. */
__attribute__((destructor)) static void tell_counts(void) {
  const char *file = getenv("RECUR_DOUBLE_COUNTS");
  FILE *to = file == NULL ? NULL : fopen(file, "a");
  if (to == NULL) return;
  for (const call *site = sites; site != NULL; site = site->next)
    fprintf(to, "%s %lld %lld\n", site->name, (long long)site->count, (long long)site->bytes);
  fprintf(to, "nanos %lld 0\n", (long long)inside);
  fclose(to);
}
