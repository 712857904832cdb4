/* The small policy of the peers that are written here, by prefix, from the environment:
 *   PEER_DENY     paths that must not be opened, and all below them, between colons
 *   PEER_PROGRAMS programs that may be started, between colons
 *   PEER_NETWORK  what the text of an address that may be reached begins with, between commas
 * `.`, `..` and `//` are folded and no link is followed: that is what makes these peers cheap, and partly blind.
 */
#ifndef BENCHMARK_PEERS_POLICY_H
#define BENCHMARK_PEERS_POLICY_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PATH_SIZE = 4096, ENTRIES_MOST = 16 };

struct entries {
    const char *text[ENTRIES_MOST];
    size_t count;
};

static struct entries denied, programs, network;

static void read_entries(struct entries *into, const char *variable, const char *separator)
{
    const char *value = getenv(variable);
    char *copy = value ? strdup(value) : NULL, *rest;
    for (char *entry = copy ? strtok_r(copy, separator, &rest) : NULL; entry && into->count < ENTRIES_MOST;
         entry = strtok_r(NULL, separator, &rest))
        into->text[into->count++] = entry;
}

static void read_policy(void)
{
    read_entries(&denied, "PEER_DENY", ":");
    read_entries(&programs, "PEER_PROGRAMS", ":");
    read_entries(&network, "PEER_NETWORK", ",");
}

/* An absolute path without `//`, `.` and `..`; `folded` may be `path`. */
static void fold(const char *path, char *folded)
{
    size_t length = 0;
    while (*path) {
        path += strspn(path, "/");
        size_t part = strcspn(path, "/");
        if (part == 2 && !memcmp(path, "..", 2)) {
            while (length && folded[--length] != '/')
                ;
        } else if (part && !(part == 1 && *path == '.')) {
            folded[length++] = '/';
            memmove(folded + length, path, part);
            length += part;
        }
        path += part;
    }
    folded[length] = 0;
}

static int is_denied_path(const char *absolute)
{
    char folded[PATH_SIZE];
    if (strlen(absolute) >= sizeof folded)
        return 1;
    fold(absolute, folded);
    for (size_t i = 0; i < denied.count; i++) {
        size_t length = strlen(denied.text[i]);
        if (!strncmp(folded, denied.text[i], length) && (!folded[length] || folded[length] == '/'))
            return 1;
    }
    return 0;
}

/* A path from a folder, which a link of /proc names ("/proc/self/cwd"). */
static int is_denied_from(const char *folder_link, const char *path)
{
    char whole[2 * PATH_SIZE];
    if (*path == '/')
        return is_denied_path(path);
    ssize_t length = readlink(folder_link, whole, PATH_SIZE - 1);
    if (length < 0)
        return 0; /* no such folder: the call fails by itself */
    snprintf(whole + length, sizeof whole - (size_t)length, "/%s", path);
    return is_denied_path(whole);
}

static int is_denied_program(const char *path)
{
    for (size_t i = 0; i < programs.count; i++)
        if (!strcmp(path, programs.text[i]))
            return 0;
    return 1;
}

static int is_denied_address(const struct sockaddr *address, socklen_t length)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (length >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
    else if (length >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
    else
        return 0; /* UNIX, netlink, AF_UNSPEC */
    for (size_t i = 0; i < network.count; i++)
        if (!strncmp(text, network.text[i], strlen(network.text[i])))
            return 0;
    return 1;
}

#endif
