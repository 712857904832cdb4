/* Finds the libc by the program's own loader, and its version in the library.
 * Tests: tests/integration/launcher/test_doctor.py. */
#define _GNU_SOURCE
#include "libc_facts.h"

#include "capture.h"
#include "elf_check.h"
#include "refusal_report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUTPUT = 16384, VERSION_LONGEST = 160 };

extern char **environ;

static const char *chosen;
static const char *const usual[] = {"/bin/true", "/usr/bin/true", "/bin/sh"};

void read_libc_facts(const char *program)
{
    chosen = program;
}

/* The program to inspect; NULL: none is dynamic. */
static const char *find_subject(struct program *program, struct finding *f)
{
    struct reason reason;
    if (chosen) {
        if (!program_inspect(chosen, program, reason_begin(&reason)))
            record_no(f, "%.*s", (int)reason.writer.used, reason.bytes);
        else if (program->is_static)
            record_no(f, "%s is a static program", chosen);
        else
            return chosen;
        return NULL;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (program_inspect(usual[i], program, reason_begin(&reason)) && !program->is_static)
            return usual[i];
    record_no(f, "no dynamic program to inspect; name one with --program");
    return NULL;
}

/* Both loaders list a program's libraries, a line each: `name => path (address)` or `path (address)`. */
static bool find_libc(const char *listing, char *path, size_t cap)
{
    static const char *const names[] = {"libc.so.6 => ", "libc.musl-", "/lib/ld-musl-"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *line = strstr(listing, names[i]);
        const char *from = line ? strchr(line, '/') : NULL;
        size_t len = from ? strcspn(from, " \n") : 0;
        if (!len || len >= cap)
            continue;
        memcpy(path, from, len);
        path[len] = 0;
        return true;
    }
    return false;
}

/* glibc holds its own banner: "GNU C Library (...) stable release version 2.36." */
static bool gnu_version(const char *path, char *version, size_t cap)
{
    static const char banner[] = "GNU C Library";
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t size = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
    char *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (bytes == MAP_FAILED)
        return false;
    const char *at = memmem(bytes, size, banner, sizeof banner - 1);
    size_t len = 0, most = at ? (size_t)(bytes + size - at) : 0;
    while (len < most && len + 1 < cap && at[len] && at[len] != '\n')
        len++;
    if (len && at[len - 1] == '.')
        len--;
    if (len)
        memcpy(version, at, len);
    version[len] = 0;
    munmap(bytes, size);
    return len > 0;
}

/* musl's loader prints "musl libc (x86_64)\nVersion 1.2.5\n..." without a program. */
static bool musl_version(char *loader, char *version, size_t cap)
{
    static char said[OUTPUT];
    char *argv[] = {loader, NULL};
    if (capture_output(argv, environ, said, sizeof said) < 0 || !strstr(said, "musl libc"))
        return false;
    const char *at = strstr(said, "Version ");
    snprintf(version, cap, "musl libc %.*s", at ? (int)strcspn(at + 8, "\n") : 0, at ? at + 8 : "");
    return true;
}

/* Finds the program's libc, and the loader that loads it. */
static bool locate_libc(struct finding *f, struct program *program, char path[ELF_PATH])
{
    static char listing[OUTPUT];
    if (!find_subject(program, f))
        return false;
    char *argv[] = {program->loader, "--list", program->elf, NULL};
    if (capture_output(argv, environ, listing, sizeof listing) < 0) {
        record_result(f, -1);
        return false;
    }
    if (find_libc(listing, path, ELF_PATH))
        return true;
    record_no(f, "%s lists no libc for %s", program->loader, program->elf);
    return false;
}

void fact_libc(struct finding *f)
{
    static struct program program;
    static char path[ELF_PATH];
    if (locate_libc(f, &program, path))
        record_text(f, "%s", path);
}

void fact_libc_version(struct finding *f)
{
    static struct program program;
    static char path[ELF_PATH], version[VERSION_LONGEST];
    if (!locate_libc(f, &program, path))
        return;
    if (gnu_version(path, version, sizeof version) || musl_version(program.loader, version, sizeof version))
        record_text(f, "%s", version);
    else
        record_no(f, "unknown");
}

char **copy_environment(const char *const *settings, size_t count)
{
    size_t before = 0, used = 0;
    while (environ[before])
        before++;
    char **changed = malloc((before + count + 1) * sizeof *changed);
    if (!changed)
        return NULL;
    for (char **e = environ; *e; e++)
        if (strncmp(*e, "SHIELD_", 7) && strncmp(*e, "LD_PRELOAD=", 11) && strncmp(*e, "AWS_LAMBDA_", 11))
            changed[used++] = *e;
    memcpy(changed + used, settings, count * sizeof *settings);
    changed[used + count] = NULL;
    return changed;
}

/* Alert mode refuses nothing and guards the calls of block mode. */
static char **benign_environment(void)
{
    static const char *const policy[] = {
        "SHIELD_OUTBOUND_CONNECTIVITY=alert", "SHIELD_READ_WRITE_TMP=alert",
        "SHIELD_CREATE_CHILD_PROCESS=alert",  "SHIELD_READ_HANDLER=alert",
        "SHIELD_ON_FAILURE=refuse",
    };
    return copy_environment(policy, sizeof policy / sizeof *policy);
}

/* The line that holds `event`, terminated. */
static char *find_line(char *said, const char *event)
{
    char *at = strstr(said, event);
    if (!at)
        return NULL;
    while (at > said && at[-1] != '\n')
        at--;
    at[strcspn(at, "\n")] = 0;
    return at;
}

static long read_field(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    return at ? atol(at + strlen(name)) : -1;
}

/* Decodes a JSON string up to its closing quote, in place. The engine's reasons escape quotes and backslashes only. */
static char *unescape_json(char *json)
{
    char *to = json;
    for (char *from = json; *from && *from != '"'; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = 0;
    return json;
}

char *read_refusal(char *said)
{
    char *line = find_line(said, "\"event\":\"refused\"");
    char *reason = line ? strstr(line, "\"reason\":\"") : NULL;
    return reason ? unescape_json(reason + 10) : NULL;
}

/* The engine's line when the program was started with it; both NULL: none. */
struct start {
    const char *program;
    char *armed;   /* the line */
    char *refused; /* the reason */
};

/* False when the program could not be started; the finding has the reason. */
static bool start_shielded(struct start *start, struct finding *f)
{
    static struct program program;
    static char said[OUTPUT];
    *start = (struct start){.program = find_subject(&program, f)};
    char **envp = benign_environment();
    if (!start->program || !envp)
        return false;
    char *argv[] = {"/proc/self/exe", (char *)start->program, NULL};
    if (capture_output(argv, envp, said, sizeof said) < 0) {
        record_result(f, -1);
        return false;
    }
    start->armed = find_line(said, "\"event\":\"armed\"");
    start->refused = start->armed ? NULL : read_refusal(said);
    return true;
}

void fact_coverage(struct finding *f)
{
    struct start start;
    if (!start_shielded(&start, f))
        return;
    if (start.armed)
        record_text(f, "complete: %ld system-call sites, %ld can make a guarded call, each has its gate",
                    read_field(start.armed, "\"sites\":"), read_field(start.armed, "\"patched\":"));
    else if (start.refused && strstr(start.refused, "cannot be guarded"))
        record_no(f, "incomplete: %s", start.refused);
    else
        record_no(f, "not known: the engine failed before it");
}

void fact_process_engine(struct finding *f)
{
    struct start start;
    if (!start_shielded(&start, f))
        return;
    if (start.armed)
        record_text(f, "armed in %s: %ld of %ld system-call sites patched, %ld microseconds", start.program,
                    read_field(start.armed, "\"patched\":"), read_field(start.armed, "\"sites\":"),
                    read_field(start.armed, "\"micros\":"));
    else if (start.refused)
        record_no(f, "%s", start.refused);
    else
        record_no(f, "%s was started, and reported neither armed nor refused", start.program);
}
