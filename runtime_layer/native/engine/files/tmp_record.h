/* clear_tmp: what the function's processes made in /tmp since it asked for its last event.
 *
 * Extensions have the same user, and a file's age does not say whose it is, so each name is written down before it is made
 * (tmp_record_file.h), and taken off where that failed: whoever is killed in between leaves a name too many, never one too few.
 * A directory stands for all that is in it: what is made below one that is on the record is not written down.
 */
#ifndef SHIELD_TMP_RECORD_H
#define SHIELD_TMP_RECORD_H

#include "tmp_record_file.h"

/* A name of a directory is about to be made: whoever is killed before it could say whether that went well leaves nothing. */
void expect_made(int32_t directory, struct text name);
/* It was made, or was not; or it was taken away, by a call that went well. */
void note_made(int32_t directory, struct text name);
void note_not_made(int32_t directory, struct text name);
void note_gone(int32_t directory, struct text name);
/* Another process that makes something in /tmp is being started. */
void note_maker(void);

/* The runtime asks for an event. True: not for the first time, so the record is to be cleared. */
bool begin_counting(void);
/* Is this the process that asked? */
bool is_counting_process(void);
/* Each name in turn: takes it off the record. False: there is none in this place. */
bool take_made(uint32_t place, struct made *made);
/* It goes back to where it was taken from, or not. */
void leave_made(uint32_t place, bool stays);
/* How many names could not be written down since this was last asked. */
uint32_t take_missed(void);
/* What the entry of a directory stands for. 0, or an errno. */
int64_t identify(int32_t directory, const char *name, struct made *made);

#endif
