/* Streams: what is asked of them waits until somebody waits for it, or is captured for a graph. */
#ifndef RECUR_DOUBLE_STREAMS_H
#define RECUR_DOUBLE_STREAMS_H
#include "executor.h"

enum { NON_BLOCKING = 1 }; /* a flag of a stream */
enum { MODE_GLOBAL, MODE_THREAD_LOCAL, MODE_RELAXED };

typedef struct capture {
  int mode, invalid;
  uint64_t thread;
  work *first, **last;
} capture;

typedef struct stream {
  object object;
  struct stream *next;
  unsigned flags;
  work *first, **last;
  capture *capture;
} stream;

uint64_t this_thread(void);
stream *stream_new(context *c, unsigned flags);
stream *stream_of(void *handle);           /* in this thread's context, NULL: no such stream */
int stream_is_legacy(const stream *s);     /* whether it is the one called NULL */
int stream_add(stream *s, void *item);     /* takes the work; a code: it may be a capture that forbids it */
int stream_forbids(const stream *s);       /* the code of a call that no capture allows */
int stream_wait(stream *s, int64_t order); /* runs what was asked for up to there */
int streams_wait_legacy(context *c);       /* runs what the legacy stream waits for */
int streams_wait(context *c);              /* runs everything */
void stream_close(stream *s);              /* frees it, with all that waits in it */
void streams_release(context *c);

int capture_begin(stream *s, int mode); /* a code */
void capture_end(stream *s);
int captures_forbid(void); /* CAPTURE_UNSUPPORTED where a capture, now invalid, forbids an unsafe call */

#endif
