#include "proc_maps.h"

static uint64_t hex(struct text t)
{
    uint64_t v = 0;
    for (uint32_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return v;
}

static uint64_t decimal(struct text t)
{
    uint64_t v = 0;
    for (uint32_t i = 0; i < t.len; i++)
        v = v * 10 + (uint64_t)(t.at[i] - '0');
    return v;
}

/* "7f00-7f10 r-xp 00001000 08:01 1234      /path" (proc(5)) */
static bool parse_line(struct text line, struct mapping *m)
{
    struct text low, high, modes, offset, device, ino;
    if (!text_next(&line, '-', &low) || !text_next(&line, ' ', &high) || !text_next(&line, ' ', &modes) ||
        !text_next(&line, ' ', &offset) || !text_next(&line, ' ', &device) || !text_next(&line, ' ', &ino) ||
        modes.len < 4)
        return false;
    *m = (struct mapping){.low = hex(low),
                          .high = hex(high),
                          .offset = hex(offset),
                          .executable = modes.at[2] == 'x',
                          .writable = modes.at[1] == 'w',
                          .ino = decimal(ino),
                          .path = text_trim(line)};
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
        if (start == 0 && held == cap) { /* a path of several pages: its end must not be taken for a line */
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
