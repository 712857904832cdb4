/* Reads the texts of the settings, which the core parses. Tests: tests/integration/launcher/test_refusals.py. */
#define _GNU_SOURCE
#include "policy_file.h"

#include "../core/setting_table.h"
#include "refusal_report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool split_setting(const char *entry, struct text *name, struct text *value)
{
    const char *equals = strchr(entry, '=');
    if (!equals)
        return false;
    *name = (struct text){entry, (uint32_t)(equals - entry)};
    *value = text_of(equals + 1);
    return true;
}

static bool refuse_unreadable(struct writer *error, const char *path, const char *why)
{
    put_words(error, "SHIELD_POLICY_FILE: cannot read ");
    refuse_path(error, path, ": ");
    return refuse(error, why);
}

/* Reads the whole file, or writes the reason. A pipe or a device is refused, as it could block the start. */
static bool read_whole(const char *path, char *bytes, size_t cap, size_t *used, struct writer *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse_unreadable(error, path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return refuse_unreadable(error, path, "it is not a regular file");
    }
    *used = 0;
    ssize_t n;
    do {
        n = read(fd, bytes + *used, cap - *used);
        if (n > 0)
            *used += (size_t)n;
    } while ((n > 0 && *used < cap) || (n < 0 && errno == EINTR));
    int failed = n < 0 ? errno : 0;
    close(fd);
    if (failed)
        return refuse_unreadable(error, path, strerror(failed));
    if (*used == cap)
        return refuse_unreadable(error, path, "it is larger than 256 KB");
    return true;
}

static bool load_file(struct policy *p, struct writer *error)
{
    static char path[PATH_BYTES], lines[POLICY_FILE_MAX + 1];
    struct text named = policy_text(p, p->policy_file);
    if (named.len == 0)
        return true;
    if (named.len >= sizeof path)
        return refuse(error, "SHIELD_POLICY_FILE: the path is too long");
    memcpy(path, named.at, named.len);
    path[named.len] = 0;

    size_t used;
    if (!read_whole(path, lines, sizeof lines, &used, error))
        return false;
    policy_next_source(p);
    if (policy_set_lines(p, (struct text){lines, (uint32_t)used}, error))
        return true;
    put_words(error, " (SHIELD_POLICY_FILE ");
    put_quoted(error, path);
    put_char(error, ')');
    return false;
}

bool policy_load(struct policy *p, char **envp, struct writer *error)
{
    policy_begin(p);
    struct text name, value;
    for (char **e = envp; *e; e++)
        if (split_setting(*e, &name, &value) && !policy_set(p, name, value, error))
            return false;
    return load_file(p, error) && policy_end(p, error);
}

enum on_failure policy_on_failure(struct policy *p, char **envp)
{
    struct reason unused;
    struct text name, value;
    policy_begin(p);
    for (char **e = envp; *e; e++)
        if (split_setting(*e, &name, &value) && text_equal(name, TEXT("SHIELD_ON_FAILURE")) &&
            !policy_set(p, name, value, reason_begin(&unused)))
            return ON_FAILURE_REFUSE;
    return (enum on_failure)p->on_failure;
}
