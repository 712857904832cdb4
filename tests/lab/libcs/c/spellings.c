/* Tries the ordinary spellings of what the policies forbid, and prints "name errno" for each (0: done).
 * argv[1] is a file under /tmp. Runs on every architecture, under qemu-user where it is another one. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, long result)
{
    printf("%s %d\n", name, result < 0 ? errno : 0);
    fflush(stdout);
}

static long connect_to(const char *address, int port, int type)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int s = socket(AF_INET, type, 0);
    inet_pton(AF_INET, address, &to.sin_addr);
    long result = type == SOCK_DGRAM ? sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof to)
                                     : connect(s, (struct sockaddr *)&to, sizeof to);
    int kept = errno;
    close(s);
    errno = kept;
    return result;
}

static long spawn(void)
{
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(errno);
    }
    int status;
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return errno ? -1 : 0;
}

static long resolve(const char *name)
{
    struct addrinfo *found;
    int error = getaddrinfo(name, "80", NULL, &found);
    errno = error ? 1000 - error : 0;
    return error ? -1 : 0;
}

static void *in_thread(void *path)
{
    say("thread_open", open(path, O_RDONLY));
    return NULL;
}

int main(int argc, char **argv)
{
    char made[256];
    if (argc < 2)
        return 2;
    snprintf(made, sizeof made, "%s.made", argv[1]);
    say("other_file", open("/etc/passwd", O_RDONLY));
    say("open", open(argv[1], O_RDONLY));
    say("create", open(made, O_CREAT | O_RDWR, 0600));
    say("raw_openat", syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY, 0));
    unlink(made); /* without a line, where it was not made */
    say("mkdir", mkdir(made, 0700));
    say("rmdir", rmdir(made));
    say("chmod", chmod(argv[1], 0600));
    say("tcp", connect_to("203.0.113.9", 80, SOCK_STREAM));
    say("udp", connect_to("203.0.113.9", 9, SOCK_DGRAM));
    say("loopback", connect_to("127.0.0.1", 9, SOCK_DGRAM));
    say("resolve", resolve("denied.example"));
    say("spawn", spawn());
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, argv[1]);
    pthread_join(thread, NULL);
    say("unlink", unlink(argv[1]));
    return 0;
}
