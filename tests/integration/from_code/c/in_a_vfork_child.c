/* in_a_vfork_child LIBRARY: configures its parent, armed or not, from a child that shares its memory. Prints "ok" when that
 * is refused, and changes nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int tmp_is_denied(void)
{
    int file = open("/tmp/attack", O_CREAT | O_WRONLY, 0600);
    return file < 0 || close(file);
}

int main(int argc, char **argv)
{
    static const char strict[] = "SHIELD_READ_WRITE_TMP=block\nSHIELD_EXECUTABLE_MEMORY=allow\n";
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    int32_t (*configure)(const char *, uint64_t, char *, uint64_t) = NULL;
    int wrong = !library;
    if (library)
        *(void **)&configure = dlsym(library, "shield_configure");
    for (int turn = 0; turn < 2 && !wrong; turn++) {
        char reason[512] = "";
        int status = 0;
        pid_t child = vfork();
        if (child == 0)
            _exit(configure(strict, sizeof strict - 1, reason, sizeof reason) &&
                          strstr(reason, "shares its parent's memory")
                      ? 7
                      : 1);
        waitpid(child, &status, 0);
        wrong = !WIFEXITED(status) || WEXITSTATUS(status) != 7 || tmp_is_denied() != turn;
        if (turn == 0)
            wrong |= configure(strict, sizeof strict - 1, reason, sizeof reason);
    }
    puts(wrong ? "failed" : "ok");
    return wrong;
}
