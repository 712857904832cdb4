/* The engine, from an add-on: the one that the wrapper preloaded, or else the layer's, loaded now.
 *
 * An add-on links no libc: it uses the one of the process that loads it.
 */
#ifndef SHIELD_BINDINGS_ENGINE_H
#define SHIELD_BINDINGS_ENGINE_H

#include <stddef.h>
#include <stdint.h>

enum { REASON_ROOM = 512 };

/* dlfcn.h */
extern void *dlopen(const char *path, int flags);
extern void *dlsym(void *handle, const char *name);
extern char *dlerror(void);
enum { NOW = 2 /* RTLD_NOW */ };

/* Exported by its C name, which the tests look for. */
#define SHIELD_BINDING __attribute__((visibility("default")))

typedef int32_t configure_function(const char *lines, uint64_t len, char *reason, uint64_t cap);

/* 0, or 1 and a reason in `reason`, which holds REASON_ROOM bytes. */
static inline int32_t call_engine(const char *library, const char *lines, size_t len, char *reason)
{
    void *found = dlsym(NULL /* RTLD_DEFAULT */, "shield_configure");
    void *handle = found ? NULL : dlopen(library, NOW);
    if (handle)
        found = dlsym(handle, "shield_configure");
    if (found)
        return ((configure_function *)found)(lines, len, reason, REASON_ROOM);
    const char *said = dlerror();
    size_t i = 0;
    for (; said && said[i] && i < REASON_ROOM - 1; i++)
        reason[i] = said[i];
    reason[i] = 0;
    return 1;
}

#endif
