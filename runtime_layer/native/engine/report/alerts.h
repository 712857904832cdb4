/* Carries out a verdict: writes the alert line, and says whether the call is refused. */
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
    uint32_t handler;          /* of read_handler: the file's place in sealed->files.handlers.inodes */
};

/* Did the call come through none of the packages that its entries name (`wanted`: of one)? Only where its own chain is known.
 * Then ` by ` and that chain are added to `entry`. No verdict depends on it. */
bool is_call_by_others(const struct call *call, const struct facts *facts, enum protocol protocol,
                       struct text wanted, struct writer *entry);

/* True: the call must be refused. Reports alerts and refusals; lets everything else pass silently. */
bool refuses(const struct call *call, struct verdict verdict, const struct facts *facts);

/* For an act against the engine: as strict as the strictest policy. `path`: its object; empty: none. */
bool self_protection_refused(const struct call *call, struct text path);
/* For executable memory that is writable, or changes with its file. `asker`: the file whose code asks for it;
 * empty: no entry of allow_executable_memory counts. */
bool executable_memory_refused(const struct call *call, struct text path, struct text asker);
/* For Node.js that was started with its own foreign-function interface, in alert mode. */
void report_node_ffi(struct text program);
/* For a library that hardly any function loads. `entry`: the one of allow_executable_memory that admits it.
 */
bool bridge_is_refused(const struct call *call, struct text path, struct text entry);

/* The engine's own report, in place of a system call: `configure`, when code asked for a looser policy than is in force and did
 * not get it (`why` names the field); `ready`, when the handler could not be locked. */
void report_itself(enum mode mode, struct text what, struct text why);

/* A report of clear_tmp: something stays in /tmp that should have been deleted. `path`: the first of it; empty: unknown. No
 * entry would permit it, so it is not reported as the path of a violation. */
void report_not_cleared(struct text why, struct text path);

/* The libraries that a function loaded beside the runtime's: names in quotes, with commas between them. */
struct native_code {
    struct text bridges, objects;
    uint32_t count; /* of the objects, including those that had no room */
};
void report_native(const struct native_code *found, char room[ALERT_MAX + 1]);

/* Writes the counts of alerts that were left out, a line for each policy and mode: once the storm's second is over, after a
 * line that was written, when the function asks for its next event, and at the program's end, where it waits a moment for a
 * full log. */
enum when { AT_ANY_CALL, AFTER_A_LINE, AT_NEXT_EVENT, AT_END };
void report_folded(enum when when);

/* The one line of a start: armed, tightened, refused or unshielded. */
struct start_line {
    struct text event;
    struct text level;
    struct text reason;    /* empty: none */
    struct text tmp_times; /* the times that clear_tmp compares; empty: it is off */
    bool apart;            /* the program is running: it may have left a line unfinished */
    bool has_modes;
    bool armed;  /* with counts */
    bool failed; /* refused or unshielded: it counts as a violation */
    bool avoids_calls;
    uint32_t sites, patched, micros;
};
void report_start(int32_t descriptor, const struct start_line *line);

/* The line that says why a process is not shielded, and whether it continues. `avoids_calls`: a filter kills the process for
 * some call, so the line has neither time nor pid. */
void report_failure(bool runs, bool avoids_calls, const struct writer *reason);
enum { REFUSED = 78 /* EX_CONFIG: the exit status of a process that must not continue */ };

#endif
