/* clear_tmp: the places of its record (tmp_record_file.h), which processes take without a lock. */
#ifndef SHIELD_TMP_RECORD_PLACES_H
#define SHIELD_TMP_RECORD_PLACES_H

#include "tmp_record_file.h"

/* The place of a path, now this process's alone until it is set or freed; MADE_MAX: it is not on the record, or another
 * process is writing to it. */
uint32_t claim_place_of(struct text path);
/* It stays on the record, under the path that is written in it. */
void set_place(uint32_t place);
/* It is taken off. */
void free_place(uint32_t place);
/* Whatever is in this place, in turn. */
enum turn { TURN_EMPTY, TURN_CLAIMED, TURN_LOST };
enum turn claim_place(uint32_t place);

/* Writes a path down, or anew; expected: it is only being made, and `identity` is of what was there before. False: there is
 * no room. */
bool put_on_record(struct text path, const struct made *identity, bool is_expected);
/* Is a directory above it on the record? It stands for all that is in it. */
bool is_below_made(struct text path);

#endif
