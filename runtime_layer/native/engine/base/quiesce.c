/* It stops no thread. Tests: tests/integration/from_code/test_python.py. */
#include "quiesce.h"

#include <linux/membarrier.h>

#include "read_file.h"

enum {
    THREADS = 4096,
    LEAVE_TIMEOUT_MS = 20000,
    RAN_LONG_NS = 20000 /* much longer than the few instructions of a window take */
};

struct thread {
    int32_t id; /* 0: seen outside, or ended */
    bool has_run;
    uint64_t ran; /* nanoseconds on a processor, by the last record of the scheduler */
};

struct list {
    int32_t me;
    uint32_t count;
    struct thread threads[THREADS];
    char entries[2 * PAGE];
};

bool has_other_threads(void)
{
    struct stat st = {0};
    /* Each thread is a directory there; "." and ".." count too (fs/proc/base.c). */
    return is_error(KERNEL(newfstatat, AT_FDCWD, "/proc/self/task", &st, 0)) || st.st_nlink != 3;
}

void synchronize_processors(void)
{
    KERNEL(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    KERNEL(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

/* Reads /proc/self/task/<id>/<name>; the empty text when the thread has ended. */
static struct text read_thread_file(int32_t id, const char *name, char *buffer, uint32_t cap)
{
    struct writer w = {buffer, 0, cap, false};
    put_words(&w, "/proc/self/task/");
    put_number(&w, (uint32_t)id);
    put_char(&w, '/');
    put_words(&w, name);
    put_char(&w, 0);
    int64_t file = KERNEL(openat, AT_FDCWD, buffer, O_RDONLY | O_CLOEXEC, 0);
    if (is_error(file))
        return TEXT("");
    int64_t n = KERNEL(read, file, buffer, cap);
    KERNEL(close, file);
    return (struct text){buffer, n > 0 ? (uint32_t)n : 0};
}

static uint64_t hex_at_end(struct text line)
{
    uint64_t v = 0;
    uint32_t start = line.len;
    while (start > 0 && line.at[start - 1] != 'x')
        start--;
    for (uint32_t i = start; i < line.len; i++) {
        char c = line.at[i];
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
    }
    return v;
}

static uint64_t decimal_at_start(struct text line)
{
    uint64_t v = 0;
    for (uint32_t i = 0; i < line.len && line.at[i] >= '0' && line.at[i] <= '9'; i++)
        v = v * 10 + (uint64_t)(line.at[i] - '0');
    return v;
}

/* Whether it has run for long since the first read. The scheduler records its time at intervals, so the first change may
 * include earlier time. */
static bool has_run_since(struct thread *t, uint64_t ran)
{
    if (!t->has_run) {
        t->has_run = t->ran && ran != t->ran;
        t->ran = ran;
        return false;
    }
    return ran - t->ran > RAN_LONG_NS;
}

static bool is_outside(struct thread *t, bool (*is_inside)(const void *context, uint64_t address),
                       const void *context)
{
    char buffer[256];
    /* "<number> <arguments> <stack pointer> <program counter>", "-1 <sp> <pc>", or "running" (proc(5)) */
    struct text line = read_thread_file(t->id, "syscall", buffer, sizeof buffer);
    if (line.len && !text_starts(line, TEXT("running")))
        return !is_inside(context, hex_at_end(line));
    struct text times = read_thread_file(t->id, "schedstat", buffer, sizeof buffer);
    if (!times.len)
        return read_thread_file(t->id, "comm", buffer, sizeof buffer).len == 0; /* it has ended */
    return has_run_since(t, decimal_at_start(times));
}

static bool add_thread(void *context, struct text name)
{
    struct list *l = context;
    int32_t id = (int32_t)decimal_at_start(name);
    if (!id || id == l->me)
        return true;
    if (l->count == THREADS)
        return false;
    l->threads[l->count++] = (struct thread){.id = id};
    return true;
}

static bool list_threads(struct list *l)
{
    l->me = (int32_t)KERNEL(gettid);
    return each_entry("/proc/self/task", l->entries, sizeof l->entries, add_thread, l);
}

bool wait_for_threads(bool (*is_inside)(const void *context, uint64_t address), const void *context)
{
    struct list *l = new_memory(sizeof *l);
    if (!l)
        return false;
    const uint64_t millisecond[2] = {0, 1000000};
    uint32_t left = list_threads(l) ? l->count : 1;
    for (uint32_t turn = 0; left && l->count && turn < LEAVE_TIMEOUT_MS; turn++) {
        if (turn)
            KERNEL(nanosleep, millisecond, 0);
        left = 0;
        for (uint32_t i = 0; i < l->count; i++) {
            struct thread *t = &l->threads[i];
            if (t->id && is_outside(t, is_inside, context))
                t->id = 0;
            left += t->id != 0;
        }
    }
    KERNEL(munmap, l, sizeof *l);
    return left == 0;
}
