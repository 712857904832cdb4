/* `visits LIBRARY`: steps through one connect(2) that the library refuses, instruction by instruction, by ptrace(2), and prints
 * where in the library each instruction lies, as an offset into its file. The same call was made once before.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracing.h"

enum { MAPPINGS = 16 };
static struct {
    uint64_t from, to, offset;
} mappings[MAPPINGS];
static int mapped;

static int connect_once(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, "203.0.113.9", &to.sin_addr);
    raise(SIGUSR1);
    int failed = connect(client, (struct sockaddr *)&to, sizeof to);
    int reason = errno;
    raise(SIGUSR1);
    close(client);
    return failed && reason == EACCES;
}

static void record_mappings(pid_t program, const char *library)
{
    char path[64], line[4096];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)program);
    FILE *maps = fopen(path, "r");
    must(maps != NULL, path);
    while (mapped < MAPPINGS && fgets(line, sizeof line, maps)) {
        unsigned long from, to, offset;
        if (strstr(line, library) && sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) == 3) {
            mappings[mapped].from = from;
            mappings[mapped].to = to;
            mappings[mapped++].offset = offset;
        }
    }
    fclose(maps);
    must(mapped > 0, "the library is not loaded");
}

static uint64_t instruction_of(pid_t program)
{
    uint64_t registers[64];
    struct iovec read = {registers, sizeof registers};
    must(!trace(PTRACE_GETREGSET, program, NT_PRSTATUS, &read), "PTRACE_GETREGSET");
#ifdef __x86_64__
    return registers[16];
#else
    return registers[32];
#endif
}

static void show(uint64_t at)
{
    for (int i = 0; i < mapped; i++)
        if (at >= mappings[i].from && at < mappings[i].to)
            printf("%lx\n", (unsigned long)(at - mappings[i].from + mappings[i].offset));
}

/* Between the third mark and the fourth. */
static int follow(pid_t program, const char *library)
{
    for (int marks = 0;;) {
        int status;
        must(waitpid(program, &status, 0) == program, "waitpid");
        if (!WIFSTOPPED(status))
            return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
        if (WSTOPSIG(status) == SIGUSR1 && ++marks == 3)
            record_mappings(program, library);
        if (marks == 3)
            show(instruction_of(program));
        trace(marks == 3 ? PTRACE_SINGLESTEP : PTRACE_CONT, program, 0, NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return connect_once() && connect_once() ? 0 : 1;
    pid_t program = fork();
    must(program >= 0, "fork");
    if (!program) {
        must(!trace(PTRACE_TRACEME, 0, 0, NULL), "PTRACE_TRACEME");
        setenv("LD_PRELOAD", argv[1], 1);
        execl(argv[0], argv[0], (char *)NULL);
        _exit(127);
    }
    return follow(program, argv[1]);
}
