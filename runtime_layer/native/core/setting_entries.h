/* Checks one entry of a list setting and writes its canonical form.
 *
 * Each function writes the canonical form to `canonical`, or the mistake and the fix to `error`, as the end of a sentence
 * that begins with `SETTING: "entry" `.
 */
#ifndef SHIELD_SETTING_ENTRIES_H
#define SHIELD_SETTING_ENTRIES_H

#include "policy.h"

enum {
    ENTRY_CANONICAL_MAX = 288 + 512
}; /* a prefix, *.name or [v6/128], a port, and packages, with room to spare */

/* `rule->entry`, `rule->name` and `rule->packages` are offsets in `canonical`. `denies`: an entry of deny_outbound, which may
 * be a whole top-level domain and names no packages. */
bool entry_outbound(struct text entry, bool denies, struct outbound_rule *rule, struct writer *canonical,
                    struct writer *error);
/* The name of an S3 bucket, or the alias of an access point in its place. It is canonical as it is. */
bool entry_bucket(struct text entry, struct writer *error);
/* A path pattern under /tmp. It is canonical as it is. */
bool entry_tmp(struct text entry, struct writer *error);
/* An absolute path without ".", ".." and empty components. It is canonical as it is. */
bool entry_path(struct text path, struct writer *error);
/* The same of a program; it has no wildcard. */
bool entry_program(struct text path, struct writer *error);

/* The name of a library or program (object_names.h). It is canonical as it is. */
bool entry_object(struct text entry, struct writer *error);

#endif
