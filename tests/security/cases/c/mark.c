/* The program that children of the cases are: it leaves a mark that is seen outside the sandbox, a datagram to an
 * abstract socket. Exit status 0, or the errno of what it tried.
 *
 *   mark              "ran"
 *   mark --tmp        opens /tmp/there, and leaves the mark "tmp" when it could
 *   mark --create     makes /tmp/by_child
 *   mark --connect    connects to 203.0.113.9:80
 *   mark --read PATH  leaves as a mark what the file begins with
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int leave(const char *text, size_t len)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    memcpy(to.sun_path, "\0marks", 6);
    if (s < 0 ||
        sendto(s, text, len, 0, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + 6) < 0)
        return errno;
    close(s);
    return 0;
}

static int read_file(const char *path, const char *label)
{
    char text[64];
    int file = open(path, O_RDONLY);
    if (file < 0)
        return errno;
    ssize_t n = read(file, text, sizeof text);
    close(file);
    return label ? leave(label, strlen(label)) : leave(text, n > 0 ? (size_t)n : 0);
}

static int create(const char *path)
{
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    if (file < 0)
        return errno;
    close(file);
    return 0;
}

static int connect_out(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "203.0.113.9", &to.sin_addr);
    return s < 0 || connect(s, (struct sockaddr *)&to, sizeof to) ? errno : 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 && !strncmp(argv[1], "--", 2) ? argv[1] : "";
    if (!strcmp(what, "--tmp"))
        return read_file("/tmp/there", "tmp");
    if (!strcmp(what, "--create"))
        return create("/tmp/by_child");
    if (!strcmp(what, "--connect"))
        return connect_out();
    if (!strcmp(what, "--read") && argc > 2)
        return read_file(argv[2], NULL);
    return leave("ran", 3);
}
