/* Files, on the mounts that a function has: /, the layer's and the handler's (mounts.py), /tmp and /dev. */
#define _GNU_SOURCE
#include "calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_THERE "data.txt"

static void open_at(int folder, const char *path)
{
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0, path);
    close(fd);
}

void open_and_close(const char *path)
{
    open_at(AT_FDCWD, path);
}

static uint64_t time_open_at(int folder, const char *path, long count)
{
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        open_at(folder, path);
    return now() - began;
}

uint64_t time_openat_close(long count)
{
    return time_open_at(AT_FDCWD, "/etc/passwd", count);
}

uint64_t time_open_device(long count)
{
    return time_open_at(AT_FDCWD, "/dev/null", count);
}

uint64_t time_open_layer(long count)
{
    return time_open_at(AT_FDCWD, LAYER "/" FILE_THERE, count);
}

uint64_t time_open_task(long count)
{
    return time_open_at(AT_FDCWD, TASK "/" FILE_THERE, count);
}

/* By a path that is relative to the working directory, which in Lambda is the handler's folder. */
static uint64_t time_relative(const char *folder, long count)
{
    must(chdir(folder) == 0, folder);
    return time_open_at(AT_FDCWD, FILE_THERE, count);
}

uint64_t time_relative_layer(long count)
{
    return time_relative(LAYER, count);
}

uint64_t time_relative_task(long count)
{
    return time_relative(TASK, count);
}

/* By openat(directory, name), as os.fwalk and most of what goes through folders does. */
static uint64_t time_at(const char *path, long count)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(folder >= 0, path);
    uint64_t spent = time_open_at(folder, FILE_THERE, count);
    close(folder);
    return spent;
}

uint64_t time_at_layer(long count)
{
    return time_at(LAYER, count);
}

uint64_t time_at_task(long count)
{
    return time_at(TASK, count);
}

/* Made by who starts this: mounts.py. */
uint64_t time_open_tmp(long count)
{
    return time_open_at(AT_FDCWD, "/tmp/bench/data.txt", count);
}

uint64_t time_stat(long count)
{
    struct stat st;
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        must(stat("/etc/passwd", &st) == 0, "stat");
    return now() - began;
}

void keep_open(long descriptors)
{
    for (long i = 0; i < descriptors; i++)
        must(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0, "/etc/passwd");
}
