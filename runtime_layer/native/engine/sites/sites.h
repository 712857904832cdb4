/* Finds the system-call instructions of an object, without changing it.
 *
 * x86_64: decodes the function around each `0f 05`, with its bounds from .eh_frame_hdr, so that the same bytes inside another
 * instruction or a table of data do not count. aarch64: `svc #0` is one word. Without a table of bounds, sections of data are
 * excluded.
 */
#ifndef SHIELD_SITES_H
#define SHIELD_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An ELF file's bytes. Every access is checked against `size`. */
struct image {
    const uint8_t *bytes;
    uint64_t size;
};

enum site_kind {
    SITE_PATCHABLE,  /* a jump fits in front of the instruction, or over it */
    SITE_HARD,       /* a real site where no jump fits */
    SITE_NOT_A_SITE, /* the bytes are part of something else */
    SITE_RETURN      /* rt_sigreturn, never patched, as unwinders recognise its bytes */
};

struct site {
    uint64_t offset; /* of the instruction, in the file */
    int32_t number;  /* the constant number, or -1: not constant, or not known */
    uint8_t kind;    /* enum site_kind */
    uint8_t window;  /* bytes before the instruction that move into the trampoline */
    uint8_t behind;  /* bytes from the instruction on that move too; 0: it stays in place */
};

/* Memory for a decoded function. */
enum { WORKSPACE = 1 << 20 };

/* Searches [from, to) of the file, which one executable segment maps, and calls `each` for every site except SITE_NOT_A_SITE.
 * `workspace` is WORKSPACE bytes, aligned for anything. False when the file is not an ELF that can be read. */
bool find_sites(struct image image, uint64_t from, uint64_t to, void *workspace,
                void (*each)(void *context, const struct site *site), void *context);

#if defined(__x86_64__)
enum { WINDOW_MAX = 24, CALL_LENGTH = 2 };
#else
enum { WINDOW_MAX = 4, CALL_LENGTH = 4 };
#endif

#endif
