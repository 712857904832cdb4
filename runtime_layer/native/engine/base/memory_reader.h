/* Reads structures that point to each other, of an interpreter or a mapped ELF object, in this process without faulting. A reader
 * probes each page once. */
#ifndef SHIELD_MEMORY_READER_H
#define SHIELD_MEMORY_READER_H

#include "raw_syscall.h"

enum { READER_PAGES = 32 };

struct memory_reader {
    uint64_t pages[READER_PAGES]; /* the pages last found readable */
    uint32_t next;
    int32_t file; /* /proc/self/mem, for reader_copy; -1: it is not open */
    bool shared;
};

/* `shared`: other threads may unmap memory. */
void reader_begin(struct memory_reader *r, bool shared);
void reader_end(struct memory_reader *r);

/* Reads memory that this thread keeps mapped. False: it cannot be read, or is longer than a page. */
bool reader_read(struct memory_reader *r, void *to, uint64_t from, uint64_t n);
/* The eight bytes there; 0: they cannot be read. */
uint64_t reader_word(struct memory_reader *r, uint64_t at);
/* Reads memory that another thread may unmap after the probe: the kernel copies it. Where that is refused, as reader_read. */
bool reader_copy(struct memory_reader *r, void *to, uint64_t from, uint64_t n);

/* A mapped ELF object's exports, by its GNU hash table (DT_GNU_HASH), which current linkers write and `strip` keeps. */
struct exports {
    uint64_t bias; /* the difference between mapped addresses and file addresses */
    uint64_t strings, symbols, hash;
};

/* Reads the tables of the object whose first page is mapped at `base`. False: it is none, or exports nothing. */
bool exports_of(struct memory_reader *r, uint64_t base, struct exports *e);
/* The symbol's address; 0: it is not exported. */
uint64_t exported_symbol(struct memory_reader *r, const struct exports *e, const char *name);

#endif
