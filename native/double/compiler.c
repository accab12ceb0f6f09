/* NVRTC. The program of the kernels it does not compile: it compares it with what this library was built from, so that a
 * change of the source that was not built in is seen, and returns an image that names the program. A source of the name
 * program.cu, which was written while the program runs, goes to the host's C compiler; its image is a shared library. */
#include "compiler.h"
#include "calls.h"
#include "host.h"

#include <ctype.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NVRTC_OUT_OF_MEMORY = 1, INVALID_INPUT = 3, INVALID_PROGRAM = 4, INVALID_OPTION = 5, COMPILATION = 6 };

/* An image is a line of text; as a cubin it has the magic number of ELF before it and, like a real one, no zero behind it. */
static const char magic[] = "recur-double ", elf[] = "\177ELF";
enum { ELF = sizeof elf - 1, ZEROS = 16 /* that must follow a cubin */ };

/* Made by the Makefile: the text of each program, as its kernels were compiled. */
extern const char source_of_recur[], source_of_faults[];

static const struct {
  const char *name, *text;
} programs[] = {{"recur", source_of_recur}, {"faults", source_of_faults}};

typedef struct program {
  object object;
  char *source, *name;
  char log[1 << 16], image[64], *library;
  size_t library_bytes;
  int has_binary;
} program;

static uint64_t hash(const char *text) {
  uint64_t h = 0xcbf29ce484222325;
  for (; *text != 0; text++) h = (h ^ (unsigned char)*text) * 0x100000001b3;
  return h;
}

static void image_of(size_t which, char *text, size_t bytes) {
  snprintf(text, bytes, "%s%s %016llx", magic, programs[which].name, (unsigned long long)hash(programs[which].text));
}

/* What is behind a cubin can be anything, and a driver that takes the cubin for a text reads on to a zero. */
static int ends(const char *end) {
  static const char zeros[ZEROS];
  if (memcmp(end, zeros, ZEROS) == 0) return 1;
  say("a cubin without a terminator: %d zeros must follow it", ZEROS);
  return 0;
}

const char *program_of_image(const void *image) {
  char ours[64];
  int is_cubin = strncmp(image, elf, ELF) == 0;
  const char *text = (const char *)image + (is_cubin ? ELF : 0);
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    image_of(i, ours, sizeof ours);
    size_t bytes = strlen(ours);
    if (strncmp(text, ours, bytes) != 0) continue;
    return (is_cubin ? ends(text + bytes) : text[bytes] == 0) ? programs[i].name : NULL;
  }
  return NULL;
}

/* As the host's linker writes it, the table of sections is the last part. */
size_t library_of_image(const void *image) {
  const Elf64_Ehdr *header = image;
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_type != ET_DYN)
    return 0;
  size_t bytes = header->e_shoff + (size_t)header->e_shentsize * header->e_shnum;
  return ends((const char *)image + bytes) ? bytes : 0;
}

/* Where the next line that says something begins and ends; lines without a word and those of #line say nothing. */
typedef struct cursor {
  const char *at, *end;
  int seen;      /* lines that said something */
  int line;      /* in the file that #line named last */
  char file[64];
} cursor;

static int advance(cursor *c) {
  for (c->at = c->end; *c->at != 0; c->at = c->end) {
    const char *end = strchr(c->at, '\n');
    c->end = end == NULL ? c->at + strlen(c->at) : end + 1;
    c->line++;
    if (sscanf(c->at, "#line %d \"%63[^\"\n]", &c->line, c->file) >= 1) c->line--;
    else if (c->at + strspn(c->at, " \t\r\n") < c->end) return c->seen++, 1;
  }
  return 0;
}

/* Sets theirs to the first line that differs: 1, or 0 where none does. */
static int difference(cursor *theirs, cursor *ours) {
  for (;;) {
    int more = advance(theirs), our_more = advance(ours);
    if (!more && !our_more) return 0;
    size_t bytes = (size_t)(theirs->end - theirs->at);
    if (!more || !our_more || ours->end - ours->at != (ptrdiff_t)bytes || memcmp(theirs->at, ours->at, bytes) != 0) return 1;
  }
}

static char *duplicate(const char *text) {
  char *copy = malloc(strlen(text) + 1);
  return copy == NULL ? NULL : strcpy(copy, text);
}

EXPORT int nvrtcVersion(int *major, int *minor) {
  *major = 13;
  *minor = 0;
  return SUCCESS;
}

EXPORT const char *nvrtcGetErrorString(int code) {
  static const char *const names[] = {"NVRTC_SUCCESS", "NVRTC_ERROR_OUT_OF_MEMORY",
      "NVRTC_ERROR_PROGRAM_CREATION_FAILURE", "NVRTC_ERROR_INVALID_INPUT", "NVRTC_ERROR_INVALID_PROGRAM",
      "NVRTC_ERROR_INVALID_OPTION", "NVRTC_ERROR_COMPILATION", "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE"};
  return code >= 0 && code < (int)(sizeof names / sizeof *names) ? names[code] : "NVRTC_ERROR unknown";
}

static const int architectures[] = {75, 80, 86, 89, 90, 100, 120};

EXPORT int nvrtcGetNumSupportedArchs(int *count) {
  *count = sizeof architectures / sizeof *architectures;
  return SUCCESS;
}

EXPORT int nvrtcGetSupportedArchs(int *list) {
  memcpy(list, architectures, sizeof architectures);
  return SUCCESS;
}

EXPORT int nvrtcCreateProgram(
    void **handle, const char *source, const char *name, int headers, const char *const *texts, const char *const *names) {
  (void)texts, (void)names;
  BEGIN(ANYTHING);
  if (handle == NULL || source == NULL || headers < 0) return leave(INVALID_INPUT);
  program *p = object_new(PROGRAM_HANDLE, sizeof *p, NULL);
  if (p == NULL) return leave(NVRTC_OUT_OF_MEMORY);
  p->source = duplicate(source);
  p->name = duplicate(name == NULL ? "default_program" : name);
  if (p->source == NULL || p->name == NULL) return leave(NVRTC_OUT_OF_MEMORY);
  *handle = p->object.handle;
  return leave(SUCCESS);
}

EXPORT int nvrtcDestroyProgram(void **handle) {
  BEGIN(ANYTHING);
  program *p = handle == NULL ? NULL : object_of(*handle, PROGRAM_HANDLE);
  if (p == NULL) return leave(INVALID_PROGRAM);
  free(p->source);
  free(p->name);
  free(p->library);
  object_free(p);
  *handle = NULL;
  return leave(SUCCESS);
}

/* An image for another card than this one would be a text. */
static int compile_here(program *p) {
  if (!p->has_binary) {
    snprintf(p->log, sizeof p->log, "%s: error: the CPU double compiles for its own card alone\n", p->name);
    return COMPILATION;
  }
  p->library = host_compile(p->source, &p->library_bytes, p->log, sizeof p->log);
  return p->library == NULL ? COMPILATION : SUCCESS;
}

/* Of all programs the one that agrees longest is the one that is meant. */
static int compile(program *p) {
  if (strcmp(p->name, "program.cu") == 0) return compile_here(p);
  cursor meant = {.seen = -1};
  size_t which = 0;
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    cursor theirs = {.end = p->source}, ours = {.end = programs[i].text};
    snprintf(theirs.file, sizeof theirs.file, "%s", p->name);
    if (!difference(&theirs, &ours)) {
      image_of(i, p->image, sizeof p->image);
      return SUCCESS;
    }
    if (theirs.seen > meant.seen) meant = theirs, which = i;
  }
  snprintf(p->log, sizeof p->log,
      "%s(%d): error: this line is not what the CPU double, which compiles nothing itself, was built from: its program is "
      "\"%s\"; build it anew with make native\n1 error detected in the compilation of \"%s\".\n",
      meant.file, meant.line, programs[which].name, p->name);
  return COMPILATION;
}

EXPORT int nvrtcCompileProgram(void *handle, int count, const char *const *options) {
  BEGIN(ANYTHING);
  program *p = object_of(handle, PROGRAM_HANDLE);
  if (p == NULL) return leave(INVALID_PROGRAM);
  p->log[0] = p->image[0] = 0;
  free(p->library);
  p->library = NULL;
  p->has_binary = 0;
  for (int i = 0; i < count; i++) {
    const char *real;
    if (options[i][0] != '-') {
      snprintf(p->log, sizeof p->log, "nvrtc: error: invalid value for option: %.200s\n", options[i]);
      return leave(INVALID_OPTION);
    }
    if ((real = strstr(options[i], "=sm_")) != NULL) p->has_binary = isdigit((unsigned char)real[4]) != 0;
  }
  return leave(compile(p));
}

enum wanted { LOG, PTX, CUBIN };

static int give(void *handle, size_t *size, char *text, enum wanted wanted) {
  program *p = object_of(handle, PROGRAM_HANDLE);
  if (p == NULL) return INVALID_PROGRAM;
  if (wanted == CUBIN && p->library != NULL) {
    if (size != NULL) *size = p->library_bytes;
    if (text != NULL) memcpy(text, p->library, p->library_bytes);
    return size == NULL && text == NULL ? INVALID_INPUT : SUCCESS;
  }
  const char *what = wanted == LOG ? p->log : p->image;
  if (wanted != LOG && *what == 0) return INVALID_PROGRAM;
  size_t before = wanted == CUBIN ? ELF : 0, bytes = strlen(what) + (wanted != CUBIN);
  if (wanted == CUBIN && !p->has_binary) before = bytes = 0;
  if (size != NULL) *size = before + bytes;
  if (text != NULL) memcpy(text, elf, before), memcpy(text + before, what, bytes);
  return size == NULL && text == NULL ? INVALID_INPUT : SUCCESS;
}

#define GIVE(name, type, parameter, size, text, wanted) \
  EXPORT int name(void *handle, type *parameter) { \
    BEGIN(ANYTHING); \
    return leave(give(handle, size, text, wanted)); \
  }
GIVE(nvrtcGetProgramLogSize, size_t, size, size, NULL, LOG)
GIVE(nvrtcGetProgramLog, char, text, NULL, text, LOG)
GIVE(nvrtcGetPTXSize, size_t, size, size, NULL, PTX)
GIVE(nvrtcGetPTX, char, text, NULL, text, PTX)
GIVE(nvrtcGetCUBINSize, size_t, size, size, NULL, CUBIN)
GIVE(nvrtcGetCUBIN, char, text, NULL, text, CUBIN)
