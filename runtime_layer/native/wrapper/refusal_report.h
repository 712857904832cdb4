/* The JSON lines of a failed start, and functions to compose their reasons. */
#ifndef SHIELD_REFUSAL_REPORT_H
#define SHIELD_REFUSAL_REPORT_H

#include "../core/text.h"

/* A line is one write of at most so many bytes, so that it stays one event in CloudWatch. */
enum { LINE_MAX_BYTES = 4096, REASON_MAX = 2048 };

/* A reason that is being composed; `reason_begin` gives it its space. */
struct reason {
    struct writer writer;
    char bytes[REASON_MAX];
};

struct writer *reason_begin(struct reason *r);
struct text reason_text(const struct reason *r);

/* Each takes a terminated string; `put_quoted` puts it between double quotes. */
void put_quoted(struct writer *w, const char *s);
/* ": No such file or directory" */
void put_error(struct writer *w, int error);
/* Writes a reason, with the path in double quotes before it, and the error behind it (0: none); always false. */
bool refuse(struct writer *w, const char *why);
bool refuse_path(struct writer *w, const char *path, const char *why);
bool refuse_path_by(struct writer *w, const char *path, const char *why, int error);

/* Writes {"function_shield":true,...,"event":EVENT,...,"reason":REASON} to stderr. EVENT is "refused" or
 * "unshielded". A stderr that is closed or broken changes nothing for the caller. */
void write_report(const char *event, struct text reason);

#endif
