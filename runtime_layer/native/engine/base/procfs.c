/* Mappings can change between two lines. Tests: tests/lab/fuzz/maps.c, tests/lab/fuzz/paths.c. */
#include "procfs.h"

static bool put_terminated(struct writer *w)
{
    put_char(w, 0);
    return !w->full;
}

bool path_through(int32_t descriptor, struct text name, char *buffer, uint32_t cap)
{
    struct writer w = {buffer, 0, cap, false};
    put_words(&w, "/proc/thread-self/fd/"); /* a thread may have its own table */
    put_number(&w, (uint32_t)descriptor);
    if (name.len) {
        put_char(&w, '/');
        put(&w, name);
    }
    return put_terminated(&w);
}

struct text path_of(int32_t descriptor, char *buffer, uint32_t cap)
{
    char link[40];
    if (!path_through(descriptor, TEXT(""), link, sizeof link))
        return TEXT("");
    int64_t n = KERNEL(readlinkat, AT_FDCWD, link, buffer, cap);
    return n <= 0 ? TEXT("") : (struct text){buffer, (uint32_t)n};
}

enum { LOW, HIGH, MODES, OFFSET, DEVICE, INO, FIELDS };

/* "7f00-7f10 r-xp 00001000 08:01 1234      /path" (proc(5)) */
static bool parse_line(struct text line, struct mapping *m)
{
    uint64_t value[FIELDS] = {0};
    uint32_t field = LOW, modes = 0, i = 0;
    for (; i < line.len && field < FIELDS; i++) {
        char c = line.at[i];
        if (c == (field == LOW ? '-' : ' ')) {
            if (++field == MODES)
                modes = i + 1;
        } else if (field != MODES && field != DEVICE) {
            value[field] =
                value[field] * (field == INO ? 10 : 16) + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
    }
    if (field < INO || modes + 4 > line.len)
        return false;
    while (i < line.len && line.at[i] == ' ')
        i++;
    *m = (struct mapping){.low = value[LOW],
                          .high = value[HIGH],
                          .offset = value[OFFSET],
                          .executable = line.at[modes + 2] == 'x',
                          .writable = line.at[modes + 1] == 'w',
                          .ino = value[INO],
                          .path = {line.at + i, line.len - i}};
    return true;
}

bool each_mapping(char *buffer, uint32_t cap, bool (*each)(void *context, const struct mapping *m),
                  void *context)
{
    int64_t file = KERNEL(openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    if (is_error(file))
        return false;
    uint32_t held = 0;
    bool stop = false, whole = true;
    for (;;) {
        int64_t n = KERNEL(read, file, buffer + held, cap - held);
        if (n <= 0) {
            whole = n == 0;
            break;
        }
        held += (uint32_t)n;
        uint32_t start = 0;
        for (uint32_t i = 0; i < held && !stop; i++) {
            if (buffer[i] != '\n')
                continue;
            struct mapping m;
            if (parse_line((struct text){buffer + start, i - start}, &m))
                stop = each(context, &m);
            start = i + 1;
        }
        if (stop)
            break;
        if (start == 0 &&
            held == cap) { /* a line longer than the buffer: its end must not be read as a line */
            whole = false;
            break;
        }
        for (uint32_t i = start; i < held; i++)
            buffer[i - start] = buffer[i];
        held -= start;
    }
    KERNEL(close, file);
    return whole;
}
