/* The settings whose value is a list: entries between commas, without duplicates, in canonical form. */
#ifndef SHIELD_SETTING_LISTS_H
#define SHIELD_SETTING_LISTS_H

#include "setting_reader.h"

/* The place of a list's rows in the policy, and the reader of one entry. */
struct setting_list {
    bool (*add)(struct policy *p, const struct setting *s, struct text entry, struct writer *error);
    bool (*is_entry)(struct text entry, struct writer *error); /* of add_text */
    uint32_t rows, count, row_size;                            /* offsets in the policy; bytes */
    uint16_t max;
    const char *too_many; /* the error at `max` entries */
};
enum list_setting {
    OUTBOUND_LIST,
    DENIED_LIST,
    TMP_LIST,
    CHILD_LIST,
    MEMORY_LIST,
    AWS_LIST,
    BUCKET_LIST,
    SETTING_LISTS
};
extern const struct setting_list setting_lists[SETTING_LISTS];

bool read_list(struct policy *p, const struct setting *s, struct text value, struct writer *error);
void write_list(const struct policy *p, const struct setting *s, struct writer *w);
/* Also all and none. */
bool read_aws(struct policy *p, const struct setting *s, struct text value, struct writer *error);
void write_aws(const struct policy *p, const struct setting *s, struct writer *w);
bool read_buckets(struct policy *p, const struct setting *s, struct text value, struct writer *error);

#endif
