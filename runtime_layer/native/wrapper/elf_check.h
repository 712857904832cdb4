/* Checks before exec that the loader will take the preload, because the loader itself only warns, or says nothing.
 *
 * The loader ignores a preload (ld.so(8)) when the library is of another machine or cannot be mapped, and in secure-execution
 * mode (set-uid, set-gid, file capabilities). A static program has no loader.
 */
#ifndef SHIELD_ELF_CHECK_H
#define SHIELD_ELF_CHECK_H

#include "../core/text.h"

enum { ELF_PATH = 4096 };

/* The program that exec of a path starts, with `#!` lines followed. */
struct program {
    bool is_static;        /* has no loader, so nothing can be preloaded */
    char elf[ELF_PATH];    /* the ELF file: the program itself, or the interpreter of the script */
    char loader[ELF_PATH]; /* its PT_INTERP; empty when static */
    uint64_t memory;       /* bytes of its segments */
};

/* Inspects `path`. False, with one line in `error`, when it cannot be read, is no program of this machine, or would run in
 * secure-execution mode or without room for the library. */
bool program_inspect(const char *path, struct program *out, struct writer *error);

/* Whether this is a shared library of this machine, on a file system that lets it be mapped executable. Finds missing ends
 * and damaged headers, not damaged contents. */
bool library_inspect(const char *path, struct writer *error);

#endif
