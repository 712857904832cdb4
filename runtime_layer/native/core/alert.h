/* The alert line: one JSON object, valid for any reported bytes. With its newline, and one in front of it, it has at most
 * 4096 bytes: one atomic write to a pipe (pipe(7), PIPE_BUF). */
#ifndef SHIELD_ALERT_H
#define SHIELD_ALERT_H

#include "endpoint.h"
#include "policy.h"
#include "text.h"

enum { ALERT_MAX = 4095, ALERT_ARGUMENTS = 16, ALERT_PACKAGES = 6, ALERT_TEXT_MAX = 256 };

/* The function that writes the line, by its environment; an empty text: unknown. */
struct line_origin {
    struct text function, version, region, account;
};
enum { ORIGIN_MAX = 204 };

/* The place of a call in the function's source. */
struct source_place {
    struct text function, file;
    uint32_t line; /* 0: unknown */
    /* The packages of the call, from the one that holds the place outward, each once; none: the place is unknown. */
    struct text packages[ALERT_PACKAGES];
    uint32_t package_count;
    uint32_t to_own_code; /* the number of packages up to the function's own code; 0: it is not reached */
    bool is_cut;          /* a thread or an event loop separates these packages from their callers */
    struct text wanted;   /* the search may stop at these packages (packages.h); empty: search to the end */
    bool is_named;        /* the wanted packages were found */
};

struct alert {
    struct text origin; /* from put_origin */
    uint64_t seconds;   /* since the epoch */
    uint32_t micros;
    uint8_t policy;     /* enum policy_id */
    uint8_t mode;       /* block or alert */
    bool blocks;        /* policy_blocks */
    struct text reason; /* "package", "deny_outbound"; empty: no list admits it; not together with a path */
    /* details: only those that are set are written */
    struct text host;
    struct address ip;    /* FAMILY_NONE: none */
    uint16_t port;        /* 0: none */
    struct text protocol; /* "tcp", "udp", "dns", "tls", or a socket family's name */
    struct text sni;      /* the server name of a TLS client; empty: none; not together with a path */
    struct text path;
    struct text syscall;
    uint32_t argument_count;
    struct text arguments[ALERT_ARGUMENTS]; /* each is cut at 256 bytes, all at 1024 */
    struct text object;                     /* the library the call came from; empty: unknown */
    struct source_place place;              /* gets the rest of the line */
    uint32_t pid;
    struct text trace; /* of the event that is handled; empty: unknown */
    uint32_t left_out; /* alerts left out before this one, against the same policy in the same mode */
    struct text allow; /* the allow-list entry that would permit it; empty: none */
};

/* Writes the line with its newline, and returns its length. Texts are cut to fit, never the line. */
uint32_t alert_write(const struct alert *a, char out[ALERT_MAX]);
/* The same into any writer. */
void alert_put(const struct alert *a, struct writer *w);
void alert_put_details(const struct alert *a, struct writer *w);
void alert_put_allow(const struct alert *a,
                     struct writer *w); /* or the reason for which no entry would permit it */
void alert_put_caller(const struct alert *a, struct writer *w);

/* The members of a line that identify its function, with a comma in front of each: at most ORIGIN_MAX bytes. Unknown ones are
 * left out. They are made once at the start, so that no line can name another function. */
void put_origin(struct writer *w, const struct line_origin *o);

/* Adds `,"name":"value"`, the value cut to `limit` bytes. Nothing where it is empty. */
void put_text_member(struct writer *w, const char *name, struct text value, uint32_t limit);

/* The beginning of every line, with `origin` from put_origin; a member must follow. */
void put_line_start(struct writer *w, struct text origin, uint64_t seconds, uint32_t micros,
                    struct text level);

/* RFC 3339 in UTC with microseconds: 2026-11-24T13:37:00.123456Z */
void put_timestamp(struct writer *w, uint64_t seconds, uint32_t micros);

#endif
