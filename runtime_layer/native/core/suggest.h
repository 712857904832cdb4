/* Finds the known word that is nearest to a misspelt one. */
#ifndef SHIELD_SUGGEST_H
#define SHIELD_SUGGEST_H

#include "text.h"

struct suggestion {
    struct text wanted; /* the misspelt word */
    struct text best;   /* empty: nothing is near */
    uint32_t distance;  /* edits between the two */
};

struct suggestion suggest_for(struct text wanted);
/* Offers a known word. A word that differs in more than a third of its letters is not near. */
void suggest_offer(struct suggestion *s, struct text word);

#endif
