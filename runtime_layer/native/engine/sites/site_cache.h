/* Writes and reads the sites of libc and the loader as text, for the environment of children.
 *
 * The search is most of the cost of arming, and a child mostly has the same libc. Only the gate writes the variable. Device,
 * inode, size, time and offset identify an object; any other object is searched.
 */
#ifndef SHIELD_SITE_CACHE_H
#define SHIELD_SITE_CACHE_H

#include "../../core/text.h"
#include "sites.h"

struct object_key {
    uint64_t dev, ino, size, mtime, offset;
};

enum { KNOWN_MAX = 2048 };

/* Appends the sites of one object. If they do not fit, `w->full` is set, and the text must not be used. */
void known_sites_write(struct writer *w, const struct object_key *key, const struct site *sites,
                       uint32_t count);
/* Reads an object's sites, at most KNOWN_MAX. -1: it is not in the text, or the text is malformed. */
int32_t known_sites_read(struct text known, const struct object_key *key, struct site *sites);

#endif
