/* Opens a handler's file as the workers of one process do, and says of each open whether it passed: "open" or "closed". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *handler;

static void try(const char *what, int flags)
{
    int file = open(handler, flags);
    printf("%s %s\n", what, file < 0 ? "closed" : "open");
    fflush(stdout);
    close(file);
}

static void ask_for_work(void)
{
    static const char request[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n";
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || write(pair[0], request, strlen(request)) < 0)
        _exit(3);
}

static void tighten(const char *library)
{
    static const char lines[] = "SHIELD_READ_WRITE_TMP=block\n";
    int32_t (*configure)(const char *, uint64_t, char *, uint64_t);
    char reason[512] = "";
    *(void **)&configure = dlsym(dlopen(library, RTLD_NOW | RTLD_NOLOAD), "shield_configure");
    if (configure(lines, strlen(lines), reason, sizeof reason))
        printf("not tightened: %s\n", reason);
}

int main(int count, char **argument)
{
    handler = argument[1];
    try("first", O_RDONLY);
    ask_for_work();
    if (count < 3)
        return 1;
    tighten(argument[2]);
    try("to-write-too", O_RDWR);
    try("as-reference", O_PATH);
    if (!fork()) {
        try("in-a-copy", O_RDONLY);
        _exit(0);
    }
    wait(NULL);
    try("second", O_RDONLY);
    try("third", O_RDONLY);
    tighten(argument[2]);
    int more = 0;
    for (int file; more < 100000 && (file = open(handler, O_RDONLY)) >= 0; more++)
        close(file);
    printf("more %d\n", more);
    fflush(stdout);
    if (!fork()) {
        try("in-another-copy", O_RDONLY);
        _exit(0);
    }
    wait(NULL);
}
