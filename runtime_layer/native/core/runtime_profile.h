/* Differences between the runtimes of languages: Python, Java, .NET, ...
 *
 * A runtime creates its own files in /tmp while it starts. They are allowed without a list, by exact name, until the function
 * asks for its first event: later the function's code could write to them. Deleting them, as a runtime does at its end, is
 * always allowed; so is an empty file that is only a mark.
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
/* Whether it writes machine code while it runs. True where the runtime is unknown. */
bool language_has_jit(enum language language);

enum tmp_use {
    TMP_AT_WORK,    /* any use after the function asked for its first event */
    TMP_AT_START,   /* any use before that */
    TMP_FOLDER,     /* after it: creates a folder */
    TMP_EMPTY,      /* after it: creates a file, opens an empty one, or sets its times */
    TMP_TAKEN_AWAY, /* unlink, rmdir: at any time */
};

/* Whether the runtime itself needs the path (absolute, under /tmp) for this use. */
bool language_needs_tmp(enum language language, struct text path, enum tmp_use use);

#endif
