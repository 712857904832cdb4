/* Loads the engine while threads are at work: some wait in system calls, some make guarded calls without a pause, one
 * only computes. Prints "ok" when every call before, during and after gave what it should. */
#include "midst.h"
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { WAITING = 5, BUSY = 14, COMPUTING = 1, ALL = WAITING + BUSY + COMPUTING };
static atomic_int stop, failed, waiting;
static atomic_ulong turns[ALL];
static int release[2];

static void check(int well, const char *what)
{
    if (!well && !atomic_exchange(&failed, 1))
        fprintf(stderr, "wrong: %s: %s\n", what, strerror(errno));
}

static void wait_in_a_call(int kind)
{
    char c;
    struct pollfd p = {.fd = release[0], .events = POLLIN};
    struct timespec pause = {0, 500000000};
    atomic_fetch_add(&waiting, 1);
    switch (kind) {
    case 0: check(poll(&p, 1, -1) == 1, "poll"); break;
    case 1: check(nanosleep(&pause, NULL) == 0, "nanosleep"); break;
    case 2: check(read(release[0], &c, 1) == 1, "read"); break;
    case 3: check(ppoll(&p, 1, NULL, NULL) == 1, "ppoll"); break;
    default: check(syscall(SYS_ppoll, &p, 1, NULL, NULL, 0) == 1, "syscall(ppoll)"); break;
    }
}

static void make_calls(int kind)
{
    int pair[2], file;
    char buffer[8];
    switch (kind % 7) {
    case 0:
        file = open("/dev/null", O_RDWR);
        check(file >= 0 && write(file, "12345678", 8) == 8 && close(file) == 0, "open");
        break;
    case 1: check(open("/no/such/file", O_RDONLY) == -1 && errno == ENOENT, "open of nothing"); break;
    case 2:
        check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
        check(send(pair[0], "abc", 3, 0) == 3 && recv(pair[1], buffer, 8, 0) == 3, "send");
        check(close(pair[0]) == 0 && close(pair[1]) == 0, "close");
        break;
    case 3: {
        void *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        check(memory != MAP_FAILED && mprotect(memory, 4096, PROT_READ) == 0 && munmap(memory, 8192) == 0,
              "mmap");
        break;
    }
    case 4:
        file = (int)syscall(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY);
        check(file >= 0 && read(file, buffer, 8) == 8 && close(file) == 0, "syscall(openat)");
        break;
    case 5:
        file = dup(1);
        check(file > 2 && fcntl(file, F_GETFD) == 0 && close(file) == 0, "fcntl");
        break;
    default: check(rename("/no/such/a", "/no/such/b") == -1 && errno == ENOENT, "rename"); break;
    }
}

static void *work(void *argument)
{
    long i = (long)argument;
    if (i < WAITING) {
        wait_in_a_call((int)i);
        return NULL;
    }
    while (!stop) {
        if (i < WAITING + BUSY)
            make_calls((int)(i - WAITING));
        atomic_fetch_add(&turns[i], 1);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[ALL];
    if (argc < 2 || pipe(release))
        return 2;
    for (long i = 0; i < ALL; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    while (waiting < WAITING)
        usleep(1000);
    usleep(20000);
    if (!dlopen(argv[1], RTLD_NOW)) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    check(open("/tmp/late", O_CREAT | O_WRONLY, 0600) == -1 && errno == EACCES,
          "the shield after the attach");
    unsigned long before[ALL];
    for (int i = 0; i < ALL; i++)
        before[i] = turns[i];
    for (int i = WAITING; i < ALL; i++) {
        for (int patience = 0; turns[i] == before[i] && patience < 1000; patience++)
            usleep(10000);
        check(turns[i] > before[i], "a thread that goes on");
    }
    check(write(release[1], "1234567890", 10) == 10, "the release");
    stop = 1;
    for (int i = 0; i < ALL; i++)
        pthread_join(threads[i], NULL);
    puts(failed ? "failed" : "ok");
    return failed;
}
