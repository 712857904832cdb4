/* Judging files by the object that was opened, never by its name alone. */
#ifndef SHIELD_FILE_VERDICT_H
#define SHIELD_FILE_VERDICT_H

#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"
#include "../report/alerts.h"

/* Facts of an object that a judge knows already. */
enum known_of_object {
    OBJECT_READ = 0,
    OBJECT_WRITTEN = 1,     /* the descriptor can change it */
    OBJECT_PLACE_KNOWN = 2, /* its place in a directory was judged: one alert is enough */
    OBJECT_READABLE = 4     /* the descriptor can read data that others wrote */
};
/* Is the object refused? `known`: bits of known_of_object. Reports. */
bool object_refused(const struct call *call, int32_t descriptor, uint32_t known);
/* Is an entry called `name` in this directory refused? */
bool entry_refused(const struct call *call, int32_t directory, struct text name);
/* Is the descriptor's file in /tmp? */
bool is_in_tmp(int32_t descriptor);
/* Opens the directory part of `path` (O_PATH) and sets `*name` to the rest, trailing slashes kept. Returns a
 * descriptor or an errno. `resolve` is openat2's. */
int32_t open_parent(int32_t directory, char *path, uint64_t resolve, struct text *name);

#endif
