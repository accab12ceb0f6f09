/* A team of threads: the caller's own and workers, which share the phases of a job. */
#ifndef RECUR_TEAM_H
#define RECUR_TEAM_H
#include <stdint.h>

typedef struct team team;

/* Part number `part` of `parts` of one phase of a job. Between two phases all parts wait. */
typedef void phase(const void *job, int64_t number, int part, int parts);

/* First item of a part: items are shared out evenly, in order. */
static inline int64_t part_begin(int64_t items, int part, int parts) { return items * part / parts; }

/* Multiply-adds of a phase that pay for a second thread. */
enum { LEAST_WORK = 1 << 16 };

/* A team of the caller's thread and threads - 1 workers, which start with the first job that needs them; NULL: no
 * memory. */
team *team_open(int threads);
int team_threads(const team *t);

/* Runs the phases of a job, each in as many parts as there are threads, or in one where the work of a phase, in
 * multiply-adds, does not pay for a second thread. */
void team_run(team *t, phase *run, const void *job, int64_t phases, int64_t work);

/* Ends the workers after the job that they work for; later jobs run on their callers' threads. */
void team_rest(team *t);

/* Ends the workers and frees the team. No job may be running. */
void team_close(team *t);

#endif
