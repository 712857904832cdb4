/* The sites of libc and the loader that a process found, as text for the environment of its children.
 *
 * Discovery is most of the cost of arming, and a child nearly always has the same libc. The gate alone writes the variable, and
 * each object is identified by device, inode, size, time and offset; another one is searched.
 */
#ifndef SHIELD_SITE_CACHE_H
#define SHIELD_SITE_CACHE_H

#include "../../core/text.h"
#include "sites.h"

struct object_key {
    uint64_t dev, ino, size, mtime, offset;
};

enum { KNOWN_MAX = 2048 };

/* Appends the sites of one object. If they do not fit, `w->full` is set, and the text is useless. */
void known_sites_write(struct writer *w, const struct object_key *key, const struct site *sites,
                       uint32_t count);
/* Finds an object's sites, at most KNOWN_MAX. -1: it is not there, or the text is malformed. */
int32_t known_sites_read(struct text known, const struct object_key *key, struct site *sites);

#endif
