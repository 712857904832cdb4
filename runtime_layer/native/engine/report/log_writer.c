/* A full log loses the line; left_out.c counts it. Tests: tests/integration/engine/test_left_out.py. */
#include "log_writer.h"

#include <linux/poll.h>

#include "../../core/alert.h"
#include "../base/linux_abi.h"
#include "../state/sealed_state.h"

enum { LOG_HIGHEST = 1000, LOG_LOWEST = 3 };

/* Whether it is open for writing. */
static bool is_writable(int32_t descriptor)
{
    int64_t flags = KERNEL(fcntl, descriptor, F_GETFL, 0);
    return !is_error(flags) && (flags & O_ACCMODE) != O_RDONLY;
}

int32_t keep_log(int32_t inherited)
{
    if (inherited >= LOG_LOWEST && is_writable(inherited))
        return inherited;
    if (!is_writable(2))
        return -1;
    /* From the highest on, as a limit of descriptors forbids some (dup(2)). */
    for (uint64_t lowest = LOG_HIGHEST; lowest >= LOG_LOWEST; lowest /= 2) {
        int64_t kept =
            KERNEL(fcntl, 2, F_DUPFD, lowest); /* without close-on-exec, as children alert to it too */
        if (!is_error(kept))
            return (int32_t)kept;
    }
    return 2;
}

bool log_write(int32_t descriptor, const char *line, uint32_t len, uint64_t patience[2])
{
    /* A pipe is ready for writing when PIPE_BUF bytes fit (pipe(7)), and no line is longer, so no write waits. With a closed
     * reader ppoll reports POLLERR, where a write would raise SIGPIPE. The kernel stores the remaining time (ppoll(2)). */
    struct pollfd ready = {.fd = descriptor, .events = POLLOUT};
    uint64_t no_time[2] = {0, 0};
    int64_t polled = descriptor < 0 ? 0 : KERNEL(ppoll, &ready, 1, patience ? patience : no_time, 0, 8);
    /* EINVAL: RLIMIT_NOFILE is 0 (poll(2)), which must not silence the log. */
    if (polled == -EINVAL)
        ready.revents = POLLOUT;
    else if (polled != 1)
        return false;
    if (!(ready.revents & POLLOUT) || (ready.revents & (POLLERR | POLLHUP | POLLNVAL)))
        return false;
    return KERNEL(write, descriptor, line, len) == len;
}

struct text line_origin(void)
{
    return (struct text){sealed->process.origin, sealed->process.origin_used};
}

void begin_line(struct writer *w, struct text event, struct text level)
{
    uint64_t now[2] = {0, 0};
    KERNEL(clock_gettime, CLOCK_REALTIME, now);
    put_char(w, '\n');
    put_line_start(w, line_origin(), now[0], (uint32_t)(now[1] / 1000), level);
    put_text_member(w, "event", event, LINE_WORD);
}

void put_field(struct writer *w, const char *name, uint64_t value)
{
    put_words(w, ",\"");
    put_words(w, name);
    put_words(w, "\":");
    put_number(w, value);
}

bool end_line(struct writer *w, uint64_t patience[2])
{
    put_field(w, "pid", (uint64_t)KERNEL(getpid));
    put_words(w, "}\n");
    return !w->full && log_write(sealed->process.log, w->at, w->used, patience);
}
