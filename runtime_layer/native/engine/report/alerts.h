/* From a verdict to what happens: write the alert line, and say whether the call is refused. */
#ifndef SHIELD_ALERTS_H
#define SHIELD_ALERTS_H

#include "../../core/alert.h"
#include "../../core/verdict.h"
#include "../base/syscall_ctx.h"

/* Facts for the alert line; what is not set is left out. */
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

/* True: the call must be refused. Reports alerts and refusals; lets everything else pass silently. */
bool refuses(const struct call *call, struct verdict verdict, const struct facts *facts);

/* Something that the engine relies on: as strict as the strictest policy. `path`: what it is about; empty: nothing. */
bool self_protection_refused(const struct call *call, struct text path);
/* Memory that could be written, or changes with its file, and run. `asker`: the file of who asks for it;
 * empty: no entry of allow_executable_memory counts. */
bool executable_memory_refused(const struct call *call, struct text path, struct text asker);
/* A library that hardly any function loads. `entry`: of allow_executable_memory, which admits it. */
bool bridge_is_refused(const struct call *call, struct text path, struct text entry);

/* Of the engine itself, in the place of a system call: `configure`, when code asked for a looser policy than is in force and
 * did not get it (`why` names the field); `ready`, when the handler could not be locked. */
void report_itself(enum mode mode, struct text what, struct text why);

/* Of clear_tmp: something stays in /tmp that should have gone. `path`: the first of it; empty: unknown. It is not the path of
 * a violation, which an entry would permit. */
void report_not_cleared(struct text why, struct text path);

/* What a function loaded beside what the runtime brings: names in quotes, with commas between them. */
struct native_code {
    struct text bridges, objects;
    uint32_t count; /* of the objects, also of those that had no room */
};
void report_native(const struct native_code *found, char room[ALERT_MAX + 1]);

/* Writes down how many alerts were left out, a line for each policy and mode: once the storm's second is over, after a
 * line that was written, when the function asks for its next event, and at the program's end, where it waits for a full
 * log a moment. */
enum when { AT_ANY_CALL, AFTER_A_LINE, AT_NEXT_EVENT, AT_END };
void report_folded(enum when when);

/* The one line of a start: armed, tightened, refused or unshielded. */
struct start_line {
    struct text event;
    struct text level;
    struct text reason;    /* empty: none */
    struct text tmp_times; /* by what clear_tmp goes; empty: it is off */
    bool apart;            /* the program is running: it may have left a line unfinished */
    bool has_modes;
    bool armed;  /* with counts */
    bool failed; /* refused or unshielded: it counts as a violation */
    bool avoids_calls;
    uint32_t sites, patched, micros;
};
void report_start(int32_t descriptor, const struct start_line *line);

/* The line that says why a process is not shielded, and whether it goes on. `avoids_calls`: without the time and the number of the
 * process, as a filter ends whoever makes some call. */
void report_failure(bool runs, bool avoids_calls, const struct writer *reason);
enum { REFUSED = 78 /* EX_CONFIG: how a process ends that must not go on */ };

#endif
