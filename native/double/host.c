/* Runs the compiler without a shell, in a new folder that only this user can enter and that is gone afterwards. */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH = 4096 };

typedef struct folder {
  char source[PATH], library[PATH], log[PATH], path[PATH - 16];
} folder;

static int folder_make(folder *f) {
  const char *parent = getenv("TMPDIR");
  snprintf(f->path, sizeof f->path, "%s/recur-double-XXXXXX", parent == NULL || *parent == 0 ? "/tmp" : parent);
  if (mkdtemp(f->path) == NULL) return 0;
  snprintf(f->source, PATH, "%s/program.c", f->path);
  snprintf(f->library, PATH, "%s/program.so", f->path);
  snprintf(f->log, PATH, "%s/log.txt", f->path);
  return 1;
}

static void folder_remove(const folder *f) {
  unlink(f->source);
  unlink(f->library);
  unlink(f->log);
  rmdir(f->path);
}

static int file_write(const char *path, const void *data, size_t bytes) {
  FILE *file = fopen(path, "wbx");
  if (file == NULL) return 0;
  size_t written = fwrite(data, 1, bytes, file);
  return (fclose(file) == 0) & (written == bytes);
}

/* NULL: it cannot be read. A zero follows the content. */
static char *file_read(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  char *data = NULL;
  long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  if (end >= 0 && (data = malloc((size_t)end + 1)) != NULL) {
    rewind(file);
    *bytes = fread(data, 1, (size_t)end, file);
    data[*bytes] = 0;
  }
  fclose(file);
  return data;
}

extern char **environ;

/* The environment without what a sanitizer preloads, which would end the compiler; to be freed. */
static char **plain_environment(void) {
  size_t count = 0, kept = 0;
  while (environ[count] != NULL) count++;
  char **list = malloc((count + 1) * sizeof *list);
  for (size_t i = 0; list != NULL && i < count; i++)
    if (strncmp(environ[i], "LD_PRELOAD=", 11) != 0) list[kept++] = environ[i];
  if (list != NULL) list[kept] = NULL;
  return list;
}

/* What the program ended with, or -1: there is none of that name. */
static int run(char *const *command, const char *log) {
  posix_spawn_file_actions_t actions;
  char **environment = plain_environment();
  if (environment == NULL || posix_spawn_file_actions_init(&actions) != 0) return free(environment), -1;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child;
  int status, failed = posix_spawnp(&child, command[0], &actions, NULL, command, environment);
  posix_spawn_file_actions_destroy(&actions);
  free(environment);
  if (failed) return -1;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int compile(const folder *f) {
  const char *named = getenv("RECUR_DOUBLE_CC"), *compilers[] = {named != NULL ? named : "cc", "gcc", "clang"};
  int code = -1;
  for (int i = 0; code < 0 && i < (named != NULL ? 1 : 3); i++) {
    const char *command[] = {compilers[i], "-std=c11", "-O1", "-ffp-contract=fast", "-fno-math-errno",
        "-fno-strict-aliasing", "-U_FORTIFY_SOURCE", "-fPIC", "-fvisibility=hidden", "-shared", "-Wall", "-Wextra", "-Werror",
        "-o", f->library, f->source, "-lm", NULL};
    code = run((char *const *)command, f->log);
  }
  return code;
}

char *host_compile(const char *source, size_t *bytes, char *log, size_t log_bytes) {
  folder f;
  if (!folder_make(&f)) return snprintf(log, log_bytes, "error: no temporary folder: %s\n", strerror(errno)), NULL;
  char *library = NULL;
  int code = file_write(f.source, source, strlen(source)) ? compile(&f) : 128;
  if (code == 0) library = file_read(f.library, bytes);
  if (code < 0) {
    snprintf(log, log_bytes,
        "error: no C compiler: the CPU double compiles with the host's cc, gcc or clang, or with what RECUR_DOUBLE_CC names\n");
  } else if (library == NULL) {
    size_t said = 0;
    char *text = file_read(f.log, &said);
    snprintf(log, log_bytes, "error: the host's C compiler ended with %d\n%s", code, text == NULL ? "" : text);
    free(text);
  }
  folder_remove(&f);
  return library;
}

/* The kernels find the double's functions by name: from here on, they are visible to all. */
static int be_visible(void) {
  Dl_info here;
  union {
    void *(*function)(const void *, size_t);
    void *data;
  } own = {.function = host_open};
  return dladdr(own.data, &here) != 0 && dlopen(here.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL) != NULL;
}

void *host_open(const void *library, size_t bytes) {
  folder f;
  if (!be_visible() || !folder_make(&f)) return NULL;
  void *handle = file_write(f.library, library, bytes) ? dlopen(f.library, RTLD_NOW | RTLD_LOCAL) : NULL;
  folder_remove(&f);
  return handle;
}
