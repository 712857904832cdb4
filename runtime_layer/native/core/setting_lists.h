/* The settings whose value is a list: entries between commas, without duplicates, in canonical form. */
#ifndef SHIELD_SETTING_LISTS_H
#define SHIELD_SETTING_LISTS_H

#include "setting_reader.h"

#define LIST_SETTING(list)                                                                                   \
    bool read_##list(struct policy *p, const struct setting *s, struct text value, struct writer *error);    \
    void write_##list(const struct policy *p, const struct setting *s, struct writer *w)

LIST_SETTING(outbound);
LIST_SETTING(denied);
LIST_SETTING(aws); /* also all and none */
LIST_SETTING(tmp);
LIST_SETTING(child);
LIST_SETTING(memory);
bool read_buckets(struct policy *p, const struct setting *s, struct text value, struct writer *error);

#endif
