/* clear_tmp: what the function's processes made in /tmp since it asked for its last event.
 *
 * Extensions have the same user, and a file's age does not say whose it is, so each name is written down when it is made. The
 * record is memory that all shielded processes of the function share: a forked copy has it mapped, and a program that is
 * started maps it anew by a descriptor that it inherits, which can only read. The engine's own pages cannot be changed, and an
 * open of the record for writing is refused (object_refused), so the program's code cannot change what is on it. It has a name
 * in /tmp where it can, so that the next process finds what one left that was killed; code may take that name away.
 *
 * A directory stands for all that is in it: what is made below one that is on the record is not written down.
 */
#ifndef SHIELD_TMP_RECORD_H
#define SHIELD_TMP_RECORD_H

#include "../state/sealed_state.h"

#define TMP_RECORD "TMP_RECORD" /* behind STATE_PREFIX: the descriptor, for a program that is started */

enum { MADE_MAX = 4096, MADE_PATH = 496 };

/* A name, and what it stood for: in its place there may be somebody else's by now. */
struct made {
    uint64_t ino, born; /* statx(2): stx_ino, stx_btime and two flags; 0: unknown */
    char path[MADE_PATH];
};
#define BORN_FOLDER (UINT64_C(1) << 62)  /* a directory */
#define BORN_PENDING (UINT64_C(1) << 63) /* it is only being made: this is what was there before */

/* Opens the record that a parent has under this number, or makes one where that is negative and this is no child. Before
 * `s` is sealed. Does nothing where /tmp is kept. False: `error` says why. */
bool open_record(struct sealed *s, int32_t inherited, bool is_child, struct writer *error);

/* What a process left on its record that was killed: it is in `s` until it is dropped. False: there is nothing, or the
 * process lives. */
bool take_left_record(struct sealed *s);
void drop_left_record(struct sealed *s);
/* The process ends, and leaves nothing. */
void drop_record_name(void);

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
/* Puts it back, or not, into the place that it was taken from. */
void leave_made(uint32_t place, const struct made *made, bool stays);
/* How many names could not be written down since this was last asked. */
uint32_t take_missed(void);
/* What the entry of a directory stands for. 0, or an errno. */
int64_t identify(int32_t directory, const char *name, struct made *made);

#endif
