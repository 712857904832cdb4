/* Starts programs (exec.c): inspects their files (exec_image.c), and makes their environment (exec_env.c). */
#ifndef SHIELD_EXEC_H
#define SHIELD_EXEC_H

#include "../../core/verdict.h"
#include "../base/syscall_ctx.h"
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

/* Inspects a program's file: whether it will load the library, or would run unshielded. `head` has HEAD bytes. The result holds until close_files, as the files cannot be
 * written to, nor the descriptors be replaced. */
void inspect_program(int32_t object, char *head, struct started_files *out);
void close_files(struct started_files *files);

/* The entry of allow_child_process that names this file; -1: none. */
int32_t find_listed_program(const struct inode *inode);

/* The loader that this process's program names. Empty: there is none. */
struct text find_own_loader(char *buffer, uint32_t cap);

/* The path and the environment of a new program, in the gate's own memory: the caller's strings are copied before they are read,
 * so that no other thread can turn one into a variable of the loader afterwards. */
struct child_start {
    const char *path;
    const uint64_t *environment; /* terminated pointers, as execve takes them */
    uint64_t memory, size;       /* for child_start_release */
};

/* Copies `path`, and `envp` with the shield's settings and preload. `program`: the program's own path; empty: unknown. 0, or an
 * errno. */
int64_t child_start_make(struct child_start *start, struct text path, struct text program, uint64_t envp);
/* Must be called after a failed exec. After a successful one of a vfork child, its parent releases the memory when it starts
 * another program and the child has ended. */
void child_start_release(const struct child_start *start);

/* Answers a call of a forked copy that may not be a child process, or an open before exec. False: the call is judged as any
 * other. */
bool answer_forked_copy(struct call *call);

#endif
