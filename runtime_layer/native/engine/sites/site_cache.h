/* What a process found out about libc and the loader, as text for the environment of its children.
 *
 * Where the build does not know the libc, discovery is most of what arming costs, and a child nearly always has the same libc. The gate alone writes the
 * variable, and each object is known by device, inode, size, time and offset; another one is scanned as ever.
 */
#ifndef SHIELD_SITE_CACHE_H
#define SHIELD_SITE_CACHE_H

#include "../../core/text.h"
#include "sites.h"

struct object_key {
    uint64_t dev, ino, size, mtime, offset;
};

enum { KNOWN_MAX = 2048 };

/* Appends the sites of one object. What does not fit leaves `w->full`, and the text is of no use. */
void known_sites_write(struct writer *w, const struct object_key *key, const struct site *sites,
                       uint32_t count);
/* Finds an object's sites, at most KNOWN_MAX. -1: it is not there, or the text is malformed. */
int32_t known_sites_read(struct text known, const struct object_key *key, struct site *sites);

#endif
