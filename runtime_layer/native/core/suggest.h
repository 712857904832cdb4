/* The known word that a misspelt one was probably meant to be. */
#ifndef SHIELD_SUGGEST_H
#define SHIELD_SUGGEST_H

#include "text.h"

struct suggestion {
    struct text wanted; /* the misspelt word */
    struct text best;   /* empty: nothing is near */
    uint32_t distance;  /* edits between the two */
};

struct suggestion suggest_for(struct text wanted);
/* Offers a known word. Words that differ in more than a third of their letters are not near. */
void suggest_offer(struct suggestion *s, struct text word);

#endif
