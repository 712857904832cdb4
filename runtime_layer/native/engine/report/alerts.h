/* Carries out a verdict: writes the alert line, and returns whether the call is refused. */
#ifndef SHIELD_ALERTS_H
#define SHIELD_ALERTS_H

#include "../../core/alert.h"
#include "../../core/verdict.h"
#include "../base/syscall_ctx.h"

/* Facts for the alert line; members that are not set are left out. */
struct facts {
    struct text host;
    struct endpoint to;
    struct text protocol;
    struct text sni;
    struct text path;
    struct text allow;
    const uint64_t *arguments; /* a program's argv, in the caller's memory; NULL: none */
    uint32_t handler;          /* of read_handler: the file's index in sealed->files.handlers.inodes */
};

/* Whether the call came through none of the packages in its entries (`wanted`: of one). False where its chain is unknown. If
 * so, ` by ` and the chain are added to `entry`. No verdict depends on it. */
bool is_call_by_others(const struct call *call, const struct facts *facts, enum protocol protocol,
                       struct text wanted, struct writer *entry);

/* Reports alerts and refusals. True: the call must be refused. */
bool refuses(const struct call *call, struct verdict verdict, const struct facts *facts);

/* The same for an act against the engine, by the strictest mode. `path`: its object; empty: none. */
bool self_protection_refused(const struct call *call, struct text path);
/* The same for executable memory that is writable, or changes with its file. `requester`: the file whose code asks for it; empty:
 * no entry of allow_executable_memory counts. */
bool executable_memory_refused(const struct call *call, struct text path, struct text requester);
/* Reports that Node.js was started with its foreign-function interface, in alert mode. */
void report_node_ffi(struct text program);
/* Judges and reports a bridge. `entry`: the one of allow_executable_memory that admits it. */
bool bridge_is_refused(const struct call *call, struct text path, struct text entry);

/* Reports an act of the engine in place of a system call: `configure`, when code asked for a looser policy (`why` names the
 * field); `ready`, when the handler could not be locked. */
void report_engine(enum mode mode, struct text act, struct text why);

/* Reports that clear_tmp could not delete a file. `path`: the first such file; empty: unknown. It is not written as the path
 * of a violation, as no entry would permit it. */
void report_not_cleared(struct text why, struct text path);

/* The native libraries that the function loaded: names in quotes, with commas between them. */
struct native_code {
    struct text bridges, objects;
    uint32_t count; /* of all objects, also those without room */
};
void report_native(const struct native_code *found, char room[ALERT_MAX + 1]);

/* Writes the counts of alerts that were left out, a line for each policy and mode: after the second of a storm, after a written
 * line, when the function asks for its next event, and at the program's end, where it waits a moment for a full log. */
enum when { AT_ANY_CALL, AFTER_A_LINE, AT_NEXT_EVENT, AT_END };
void report_folded(enum when when);

/* The kernel's limits that hold beside the gate, or will from the first event on: enum kernel_limit, also as indices. */
enum { GROWTH, PROGRAMS, KERNEL_LIMITS, LIMIT_REASON = 160 };
struct kernel_limits {
    uint8_t held;
    char why_not[KERNEL_LIMITS][LIMIT_REASON]; /* of one that the policy permits; empty: it holds */
};
/* Reports that others hold than the last line said. */
void report_kernel_limits(const struct kernel_limits *limits);

/* The one line of a start: armed, tightened, refused or unshielded. */
struct start_line {
    struct text event;
    struct text level;
    struct text reason;                 /* empty: none */
    struct text tmp_times;              /* the times that clear_tmp compares; empty: it is off */
    const struct kernel_limits *kernel; /* NULL: they are unknown */
    bool apart;                         /* the program is running, and may have left a line unfinished */
    bool has_modes;
    bool armed;  /* with counts */
    bool failed; /* refused or unshielded: it counts as a violation */
    uint32_t sites, patched, micros;
};
void report_start(int32_t descriptor, const struct start_line *line);

/* Writes the line with the reason why a process is not shielded, and whether it continues. */
void report_failure(bool runs, const struct writer *reason);
enum { REFUSED = 78 /* EX_CONFIG: the exit status of a process that must not continue */ };

#endif
