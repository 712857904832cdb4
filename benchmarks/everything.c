/* What a busy server does at once, in a proportion at which no kind of work takes most of the time: files on each mount,
 * connections by name, lookups (datagrams to the name server), a fork, a program. One call is one turn of all of it.
 */
#define _GNU_SOURCE
#include "calls.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES = 400, CONNECTIONS = 200, LOOKUPS = 40 };

static void fork_once(void)
{
    int status = -1;
    pid_t child = fork();
    must(child >= 0, "fork");
    if (!child)
        _exit(0);
    must(waitpid(child, &status, 0) == child && status == 0, "the child did not succeed");
}

static void turn(int listener, const struct sockaddr_in *address)
{
    static const char *const paths[] = {"/etc/passwd", LAYER "/data.txt", "/etc/passwd", TASK "/data.txt"};
    for (int i = 0; i < FILES; i++)
        open_and_close(paths[i % 4]);
    for (int i = 0; i < CONNECTIONS; i++)
        connect_once(listener, address, 0);
    for (int i = 0; i < LOOKUPS; i++)
        resolve(NAME, "443");
    fork_once();
    spawn();
}

uint64_t time_everything(long count)
{
    struct sockaddr_in address = resolve(NAME, "0");
    int listener = bound_socket(SOCK_STREAM, &address);
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        turn(listener, &address);
    uint64_t spent = now() - began;
    close(listener);
    return spent;
}
