/* Judges files by the opened object, never by its name alone. */
#ifndef SHIELD_FILE_VERDICT_H
#define SHIELD_FILE_VERDICT_H

#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"
#include "../report/alerts.h"

/* Facts of an object that the caller knows already. */
enum known_of_object {
    OBJECT_READ = 0,
    OBJECT_WRITTEN = 1,     /* the descriptor can write to it */
    OBJECT_PLACE_KNOWN = 2, /* its directory entry was judged, so no second alert is written */
    OBJECT_READABLE = 4     /* the descriptor can read data that others wrote */
};
/* Judges the object of a descriptor, and reports. `known`: bits of known_of_object. True: it is refused. */
bool object_refused(const struct call *call, int32_t descriptor, uint32_t known);
/* Whether the call needs the entry, or makes it, and so fails by its presence before the kernel asks for a right. */
enum entry_use { ENTRY_ANY, ENTRY_NEEDED, ENTRY_MADE };
/* Judges an entry `name` (terminated) of this directory, and reports. Returns 0, or -EACCES: it is refused. Where the call
 * would be refused or reported but fails by the entry's presence, it returns that error, without a report: no file is touched. */
int64_t judge_entry(const struct call *call, int32_t directory, struct text name, enum entry_use use);
/* Whether the descriptor's file is in /tmp. */
bool is_in_tmp(int32_t descriptor);
/* Opens the directory part of `path` (O_PATH) and sets `*name` to the rest, with its trailing slashes. Returns a descriptor or
 * an errno. `resolve` is openat2's. */
int32_t open_parent(int32_t directory, char *path, uint64_t resolve, struct text *name);

#endif
