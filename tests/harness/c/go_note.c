/* The note by which a file made by the Go compiler is known, in a library with a system call of its own. */
#include "inline.c"

__attribute__((section(".note.go.buildid"), used, aligned(4))) static const struct {
    unsigned owner_size, size, type;
    char owner[4], id[4];
} note = {4, 4, 4, "Go", "abc"};
