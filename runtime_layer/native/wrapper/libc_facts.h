/* The libc of a program, and the process engine's result with it. */
#ifndef SHIELD_LIBC_FACTS_H
#define SHIELD_LIBC_FACTS_H

#include "probe_runner.h"

#include <stddef.h>

/* Chooses the program for all of these; NULL: the first of a few that every system has. */
void read_libc_facts(const char *program);
void fact_libc(struct finding *f);         /* its path */
void fact_libc_version(struct finding *f); /* from the library or its loader */
/* Whether all of its guarded system calls are patched; else the first that is not. */
void fact_coverage(struct finding *f);
/* Starts the program shielded, with a policy that only alerts, and reads its `armed` line. */
void fact_process_engine(struct finding *f);

/* The environment with these settings, without the caller's policy and Lambda's variables of its function. NULL: no memory. */
char **copy_environment(const char *const *settings, size_t count);
/* The reason of a `refused` line in a program's output, decoded in place; NULL: there is none. */
char *read_refusal(char *said);

/* The time limit of a started program. */
enum { LIBC_SECONDS = 20 };

#endif
