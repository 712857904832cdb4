/* clear_tmp: the memory of its record (tmp_record.h), and the file behind it.
 *
 * All shielded processes of the function share it: a forked copy has it mapped, and a program that is started maps it anew by a
 * descriptor that it inherits, which can only read. The engine's own pages cannot be changed, and an open of the record for
 * writing is refused (object_refused), so the program's code cannot change what is on it. It has a name in /tmp where it can,
 * so that the next process finds what one left that was killed; code may take that name away.
 */
#ifndef SHIELD_TMP_RECORD_FILE_H
#define SHIELD_TMP_RECORD_FILE_H

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

enum { MADE_A_PAGE = PAGE / sizeof(struct made), MADE_PAGES = MADE_MAX / MADE_A_PAGE, RECORD_HEAD_PAGES = 5 };

/* Places are looked for from the first on, by what they are for. Whoever is killed in the midst of writing loses that place
 * and no other. */
struct tmp_record {
    uint64_t magic;
    uint32_t is_counting; /* the function asked for its first event: what is made now is an invocation's */
    int32_t runtime;      /* the process that did */
    uint32_t missed;
    uint32_t used; /* no place from here on was ever */
    uint32_t places[MADE_MAX];
    uint8_t has_room[MADE_PAGES]; /* on the file system */
    struct made made[MADE_MAX] __attribute__((aligned(4096)));
};
_Static_assert(sizeof(struct made) * MADE_A_PAGE == PAGE &&
                   offsetof(struct tmp_record, made) == RECORD_HEAD_PAGES * PAGE,
               "pages of the record");

/* Opens the record that a parent has under this number, or makes one where that is negative and this is no child. Before
 * `s` is sealed. Does nothing where /tmp is kept. False: `error` says why. */
bool open_record(struct sealed *s, int32_t inherited, bool is_child, struct writer *error);

/* What a process left on its record that was killed: it is in `s` until it is dropped. False: there is nothing, or the
 * process lives. */
bool take_left_record(struct sealed *s);
void drop_left_record(struct sealed *s);
/* The process ends, and leaves nothing. */
void drop_record_name(void);

/* The page of this place is there to be written to. False: the file system has no room for it. */
bool reserve_page(uint32_t place);

#endif
