/* Inspects a program's file: whether it will load the library, or would run unshielded. */
#ifndef SHIELD_EXEC_IMAGE_H
#define SHIELD_EXEC_IMAGE_H

#include "../../core/verdict.h"
#include "../state/sealed_state.h"

/* The files that the kernel will read to start a program: the program, the interpreters of `#!` lines, the loader. */
enum { FILES_MAX = 8, HEAD = 1024, LOADER_MAX = 256 };
struct started_files {
    enum program_kind kind;
    int64_t error;            /* the kernel's error, such as ETXTBSY; 0: none */
    int32_t files[FILES_MAX]; /* the gate's descriptors; leased where the function could write to the files */
    uint32_t count;
    bool is_script;
};

/* Reads the program of the descriptor. `head` has HEAD bytes. The result holds until close_files, as the files cannot be
 * written to, nor the descriptors be replaced. */
void inspect_program(int32_t object, char *head, struct started_files *out);
void close_files(struct started_files *files);

/* The entry of allow_child_process that names this file; -1: none. */
int32_t find_listed_program(const struct inode *inode);

/* The loader that this process's program names. Empty: there is none. */
struct text find_own_loader(char *buffer, uint32_t cap);

#endif
