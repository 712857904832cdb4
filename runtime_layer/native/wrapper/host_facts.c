/* Reads facts by /proc, uname(2), stat(2) and getrlimit(2). Tests: tests/integration/launcher/test_doctor.py. */
#define _GNU_SOURCE
#include "host_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static void put_name(struct finding *f, size_t field)
{
    struct utsname name;
    if (uname(&name) != 0)
        record_result(f, -1);
    else
        record_text(f, "%s", (const char *)&name + field);
}

void fact_kernel(struct finding *f)
{
    put_name(f, offsetof(struct utsname, release));
}

void fact_architecture(struct finding *f)
{
    put_name(f, offsetof(struct utsname, machine));
}

void fact_user(struct finding *f)
{
    record_text(f, "uid %u gid %u", (unsigned)getuid(), (unsigned)getgid());
}

/* Reads a number from /proc/self/status, which works also where prctl(2) is filtered. */
static void status_number(struct finding *f, const char *field)
{
    char bytes[8192], *at;
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);
    if (n < 0) {
        record_result(f, -1);
        return;
    }
    bytes[n] = 0;
    at = strstr(bytes, field);
    if (at)
        record_number(f, atoi(at + strlen(field)));
    else
        record_no(f, "not in /proc/self/status");
}

void fact_no_new_privs(struct finding *f)
{
    status_number(f, "\nNoNewPrivs:");
}

void fact_seccomp_mode(struct finding *f)
{
    static const char *const modes[] = {"none", "strict", "filter"};
    status_number(f, "\nSeccomp:");
    if (f->outcome == OUTCOME_WORKS && f->number >= 0 && f->number <= 2)
        snprintf(f->text, sizeof f->text, "%s", modes[f->number]);
}

void fact_tmp(struct finding *f)
{
    struct stat tmp, root;
    if (stat("/tmp", &tmp) != 0 || stat("/", &root) != 0) {
        record_result(f, -1);
        return;
    }
    const char *writable = access("/tmp", W_OK) == 0 ? "writable" : "not writable";
    if (tmp.st_dev != root.st_dev)
        record_text(f, "own mount, %s", writable);
    else
        record_no(f, "on /, %s", writable);
}

void fact_opt(struct finding *f)
{
    struct stat st;
    if (stat("/opt", &st) != 0)
        record_result(f, -1);
    else
        record_text(f, "uid %u gid %u mode %o", (unsigned)st.st_uid, (unsigned)st.st_gid,
                    (unsigned)st.st_mode & 07777);
}

void fact_dev_shm(struct finding *f)
{
    struct stat st;
    if (stat("/dev/shm", &st) != 0)
        record_result(f, -1);
    else
        record_text(f, access("/dev/shm", W_OK) == 0 ? "writable" : "not writable");
}

void fact_proc_fd(struct finding *f)
{
    char target[64];
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        record_result(f, -1);
        return;
    }
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    record_result(f, readlink(link, target, sizeof target));
}

static void put_limit(char to[24], rlim_t limit)
{
    if (limit == RLIM_INFINITY)
        strcpy(to, "unlimited");
    else
        snprintf(to, 24, "%llu", (unsigned long long)limit);
}

void fact_descriptors(struct finding *f)
{
    struct rlimit limit;
    char soft[24], hard[24];
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        record_result(f, -1);
        return;
    }
    put_limit(soft, limit.rlim_cur);
    put_limit(hard, limit.rlim_max);
    record_text(f, "%s (hard %s)", soft, hard);
}
