/* clear_tmp: removes what is on the record (tmp_record.h), and nothing else. */
#ifndef SHIELD_TMP_CLEAR_H
#define SHIELD_TMP_CLEAR_H

/* The runtime is about to ask for an event. */
void clear_tmp(void);
/* A function starts, before it has a record of its own: what a process left that was killed goes. Not when code arms it, which
 * could have put anything there. */
void clear_what_was_left(void);
/* The process ends: if it is the one that asks, nobody else would clear what it leaves. */
void clear_tmp_at_end(void);

#endif
