/* Finds the code that made a call: the library or program with the nearest return address on the stack, except skipped ones; and
 * the lines of Python. */
#ifndef SHIELD_CALLER_H
#define SHIELD_CALLER_H

#include "../../core/alert.h"
#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"

enum { CALLER_OBJECT_MAX = 256 };

/* These return the file's base name, at the beginning of scratch->link; empty when nothing is found. */

/* For an alert: skips libraries that only forward calls. A hint for people: no verdict depends on it. */
struct text caller_object(const struct call *call, struct scratch *scratch);
/* For a look-up's alert: libc's resolver keeps kilobytes of stack below its return address, with words of earlier calls in it. So
 * the caller is the return address behind a call of the resolver, else as above. */
struct text lookup_caller(const struct call *call, struct scratch *scratch);
/* The object with the system-call instruction. */
struct text call_maker(const struct call *call, struct scratch *scratch);
/* For allow_executable_memory: skips a libc only, as code of the function's language cannot write to the stack. Empty also for
 * code without a file. */
struct text memory_requester(const struct call *call, struct scratch *scratch);

/* The Python code, and its packages. A hint for people: no verdict depends on it. The texts are kept in scratch->path;
 * scratch->line and the rest of scratch->link, behind caller_object's text, are overwritten. No package: no frame belongs to one,
 * or there is no Python frame. */
struct source_place python_caller(const struct call *call, struct scratch *scratch, struct text wanted);
/* The X-Ray trace of the current event, which AWS's runtime clients put into the environment, and code may change. Other threads
 * may change the environment meanwhile. Empty: there is none. */
enum { TRACE_ID_MAX = 35 }; /* "1-5759e988-bd862e3fe1be46a994272793" */
struct text find_trace_id(char id[TRACE_ID_MAX], char room[ALERT_MAX]);

#endif
