/* A path that another one changes while the gate judges it.
 *
 *   changed_path text FILE           a copy of this process, which may list /proc/self/fd and open nothing, does that by
 *                                    a path in shared memory that becomes FILE meanwhile
 *   changed_path name FOLDER OUTSIDE a socket is bound by a name in FOLDER/inner, which changes place with a link to
 *                                    OUTSIDE; stops when OUTSIDE/socket is there
 */
#include "midst.h"
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { EXCHANGE = 2 /* RENAME_EXCHANGE */, PATIENCE = 45 /* seconds: it stops once it got through */ };
static volatile int stop;
static char inner[128], link_to_outside[128];

static int open_by_text(const char *file)
{
    static const char listing[] = "/proc/self/fd";
    struct {
        char path[256];
        int tries, refused_openly;
    } volatile *shared = shared_memory(4096);
    char *path = (char *)shared->path;
    int status = 0;
    strcpy(path, listing);
    pid_t child = fork();
    if (!child) {
        shared->refused_openly = open(file, O_RDONLY) < 0;
        for (double end = now() + SECONDS; now() < end;) {
            shared->tries++;
            int opened = open(path, O_RDONLY);
            if (has_content(opened))
                _exit(GOT);
            close(opened);
        }
        _exit(0);
    }
    while (waitpid(child, &status, WNOHANG) == 0) {
        strcpy(path, listing);
        pause_a_little(600);
        strcpy(path, file);
        pause_a_little(600);
    }
    return print(WIFEXITED(status) && WEXITSTATUS(status) == GOT, shared->refused_openly ? shared->tries : 0);
}

static void *exchange(void *unused)
{
    (void)unused;
    while (!stop)
        syscall(SYS_renameat2, AT_FDCWD, inner, AT_FDCWD, link_to_outside, EXCHANGE);
    return NULL;
}

static int bind_by_name(const char *folder, const char *outside)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct stat found;
    char forbidden[256];
    pthread_t thread;
    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(link_to_outside, sizeof link_to_outside, "%s/link", folder);
    snprintf(forbidden, sizeof forbidden, "%s/socket", outside);
    snprintf(to.sun_path, sizeof to.sun_path, "%s/inner/socket", folder);
    if (mkdir(inner, 0755) || symlink(outside, link_to_outside))
        return 2;
    pthread_create(&thread, NULL, exchange, NULL);
    int tries = 0, got = 0;
    for (double end = now() + PATIENCE; now() < end && !got; tries++) {
        int bound = socket(AF_UNIX, SOCK_STREAM, 0);
        bind(bound, (struct sockaddr *)&to, sizeof to);
        close(bound);
        unlink(to.sun_path);
        got += !lstat(forbidden, &found);
    }
    stop = 1;
    pthread_join(thread, NULL);
    return print(got, tries);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    return argc > 3 ? bind_by_name(argv[2], argv[3]) : open_by_text(argv[2]);
}
