/* Finds exports of a mapped ELF object by its GNU hash table (DT_GNU_HASH), which current linkers write and `strip` keeps. */
#ifndef SHIELD_EXPORTED_SYMBOL_H
#define SHIELD_EXPORTED_SYMBOL_H

#include "memory_reader.h"

struct exports {
    uint64_t bias; /* the difference between mapped addresses and file addresses */
    uint64_t strings, symbols, hash;
};

/* Reads the tables of the object whose first page is mapped at `base`. False: it is none, or exports nothing. */
bool exports_of(struct memory_reader *r, uint64_t base, struct exports *e);
/* The symbol's address; 0: it is not exported. */
uint64_t exported_symbol(struct memory_reader *r, const struct exports *e, const char *name);

#endif
