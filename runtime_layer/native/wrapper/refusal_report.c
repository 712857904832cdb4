/* Writes one JSON line to stderr, the function's log. Tests: tests/integration/launcher/test_refusals.py. */
#define _GNU_SOURCE
#include "refusal_report.h"

#include "../core/alert.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct writer *reason_begin(struct reason *r)
{
    r->writer = (struct writer){.at = r->bytes, .cap = sizeof r->bytes};
    return &r->writer;
}

struct text reason_text(const struct reason *r)
{
    return (struct text){r->bytes, r->writer.used};
}

void put_quoted(struct writer *w, const char *s)
{
    put_char(w, '"');
    put_words(w, s);
    put_char(w, '"');
}

void put_error(struct writer *w, int error)
{
    put_words(w, ": ");
    put_words(w, strerror(error));
}

bool refuse(struct writer *w, const char *why)
{
    put_words(w, why);
    return false;
}

bool refuse_path(struct writer *w, const char *path, const char *why)
{
    put_quoted(w, path);
    return refuse(w, why);
}

bool refuse_path_by(struct writer *w, const char *path, const char *why, int error)
{
    refuse_path(w, path, why);
    put_error(w, error);
    return false;
}

/* SIGPIPE is ignored meanwhile: with a closed log pipe it would kill the process before exit status 78. Its disposition is
 * restored, since exec passes an ignored signal on to the runtime. */
static void write_quietly(const char *bytes, size_t n)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    int changed = sigaction(SIGPIPE, &ignore, &before);
    ssize_t written;
    do
        written = write(STDERR_FILENO, bytes, n);
    while (written < 0 && errno == EINTR);
    if (changed == 0)
        sigaction(SIGPIPE, &before, NULL);
}

/* Bytes of a line besides its reason. */
enum { BESIDES_REASON = ORIGIN_MAX + 256 };

static void put_own_start(struct writer *w, const struct timespec *now)
{
    char bytes[ORIGIN_MAX];
    struct writer made = {.at = bytes, .cap = sizeof bytes};
    struct line_origin origin = {.function = text_of(getenv("AWS_LAMBDA_FUNCTION_NAME")),
                                 .version = text_of(getenv("AWS_LAMBDA_FUNCTION_VERSION")),
                                 .region = text_of(getenv("AWS_REGION")),
                                 .account = text_of(getenv("SHIELD_ACCOUNT_ID"))};
    put_origin(&made, &origin);
    put_line_start(w, (struct text){bytes, made.used}, (uint64_t)now->tv_sec, (uint32_t)(now->tv_nsec / 1000),
                   TEXT("ERROR"));
}

void write_report(const char *event, struct text reason)
{
    char line[LINE_MAX_BYTES];
    struct writer w = {.at = line, .cap = sizeof line};
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);

    put_own_start(&w, &now);
    put_words(&w, ",\"event\":\"");
    put_words(&w, event);
    put_words(&w, "\",\"policy\":\"start\",\"severity\":\"critical\",\"count\":1");
    put_words(&w, ",\"shield_version\":\"" SHIELD_VERSION "\",\"reason\":\"");
    /* Escaping can make a reason six times as long, so it is cut; the end of the line always fits. */
    put_json(&w, reason, LINE_MAX_BYTES - BESIDES_REASON);
    put_words(&w, "\"}\n");
    write_quietly(line, w.used);
}
