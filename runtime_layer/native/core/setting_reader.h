/* Functions that the readers of settings share: errors that name the setting and the fix, and room in the policy's pool. */
#ifndef SHIELD_SETTING_READER_H
#define SHIELD_SETTING_READER_H

#include "policy.h"

enum { SHOWN_MAX = 128 /* of an offending entry in an error */ };

/* The environment and a file are two sources of one policy. */
enum setting_joins {
    GIVEN_ONCE,
    LISTS_JOIN,
    SERVICES_JOIN /* lists of services join; all and none do not */
};

/* The rule for a setting in a later policy that code gives (tighten.h). */
enum setting_later {
    NOT_OF_POLICY, /* a setting of the layer, the engine or the function's place: code cannot give it */
    STAYS,         /* the value must be the one in force */
    TIGHTENS       /* a mode: it may get stricter */
};

/* One of the words that a setting takes, and the field's value for it. A row without a word ends the list. */
struct choice {
    char word[15];
    uint8_t value;
};

/* A row of the table in setting_table.c. */
struct setting {
    char name[31];
    uint8_t kind;  /* of its value: setting_table.c */
    uint8_t later; /* enum setting_later */
    uint8_t field; /* the offset of the value in the policy: a mode, a switch or a pooled text; else unused */
    uint8_t joins; /* enum setting_joins: the rule for the same setting in another source */
    uint8_t
        values; /* of a list: enum list_setting (setting_lists.h); of a choice: its words (setting_table.c) */
};

/* SETTING: "offending" */
void setting_culprit(struct writer *error, const struct setting *s, struct text offending);
/* Removes text that was written in case of an error. */
void setting_take_back(struct writer *error, uint32_t mark);
/* SETTING: "offending" reason; always false. */
bool setting_refuse(struct writer *error, const struct setting *s, struct text offending, struct text reason);
/* SETTING: reason; always false. */
bool setting_refuse_list(struct writer *error, const struct setting *s, struct text reason);
/* Puts a text into the pool; false, with the error, when there is no room. */
bool setting_keep(struct policy *p, const struct setting *s, struct text t, struct pooled *at,
                  struct writer *error);

#endif
