/* Differences between the runtimes of languages: Python, Java, .NET, ...
 *
 * A runtime makes its own files in /tmp while it starts. They are allowed without a list, by exact name, until the function
 * asks for its first event: later the function's code could write to them. Removing them, as a runtime does at its end, is
 * allowed at any time; so is a file that is only a mark, while it is empty.
 */
#ifndef SHIELD_RUNTIME_PROFILE_H
#define SHIELD_RUNTIME_PROFILE_H

#include "text.h"

enum language {
    LANGUAGE_OTHER,
    LANGUAGE_PYTHON,
    LANGUAGE_RUBY,
    LANGUAGE_NODE,
    LANGUAGE_JAVA,
    LANGUAGE_DOTNET
};

/* From the name of a program ("java", "python3.13") or of a Lambda runtime ("java21", "nodejs22.x"). */
enum language language_from(struct text name);
/* Does it write machine code while it runs? Yes where the runtime is not known. */
bool language_has_jit(enum language language);

enum tmp_use {
    TMP_AT_WORK,    /* the function has asked for an event */
    TMP_AT_START,   /* not yet */
    TMP_FOLDER,     /* it has, and this makes a folder */
    TMP_EMPTY,      /* it has, and this makes a file, opens one that holds nothing, or sets its times */
    TMP_TAKEN_AWAY, /* unlink, rmdir: at any time */
};

/* Is the path (absolute, under /tmp) one that the runtime itself needs there? */
bool language_needs_tmp(enum language language, struct text path, enum tmp_use use);

#endif
