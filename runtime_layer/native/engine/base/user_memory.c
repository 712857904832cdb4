/* A page can be unmapped after its probe; then the program gets a signal. Tests: tests/lab/fuzz/memory.c,
 * tests/lab/fuzz/network.c. */
#include "user_memory.h"

#include "../../core/text.h"
#include "linux_abi.h"
#include "raw_syscall.h"

/* rt_sigprocmask copies the set before it checks `how`. So with an invalid `how` it fails with EINVAL where eight bytes can be
 * read, and with EFAULT where not (kernel/signal.c). */
static bool probe_address(uint64_t address)
{
    return KERNEL(rt_sigprocmask, 0x7fffffff, address, 0, 8) == -EINVAL;
}

/* Pages found readable or writable since trust_pages: the page of the call's stack, and the last ones probed. Only the one
 * thread of a process writes them; from the second thread on they stay 0. */
static uint64_t known_stack, found_readable, found_writable;

void trust_pages(const void *stack)
{
    known_stack = page_down((uint64_t)stack);
    found_readable = found_writable = known_stack;
}

static bool keep_page(bool found, uint64_t *kept, uint64_t address)
{
    if (found && known_stack)
        *kept = page_down(address);
    return found;
}

static bool is_found_writable(uint64_t address)
{
    uint64_t page = page_down(address);
    return page && (page == found_writable || page == known_stack);
}

bool readable(uint64_t address)
{
    return is_found_writable(address) || (page_down(address) && page_down(address) == found_readable) ||
           keep_page(probe_address(address & ~7ull), &found_readable, address);
}

/* Probes with calls that write to the given place, which the caller overwrites next: rt_sigprocmask(2) eight bytes, getcpu(2)
 * four, mincore(2) one, about this stack's page. The cheapest is first. Where a filter forbids the last two, a readable page
 * counts as writable. */
static bool ask_writable(uint64_t address, uint64_t room)
{
    if (!address) /* the calls take NULL as "not wanted" */
        return false;
    if (room >= 8)
        return KERNEL(rt_sigprocmask, 0, 0, address, 8) == 0;
    int64_t result = room >= 4 ? KERNEL(getcpu, address, 0, 0) : -ENOSYS;
    if (result && result != -EFAULT)
        result = KERNEL(mincore, page_down((uint64_t)__builtin_frame_address(0)), 1, address);
    return result == 0 || (result != -EFAULT && readable(address));
}

static bool writable(uint64_t address, uint64_t room)
{
    return is_found_writable(address) || keep_page(ask_writable(address, room), &found_writable, address);
}

bool read_user(void *to, uint64_t from, uint64_t n)
{
    if (n == 0)
        return true;
    uint64_t last = from + n - 1;
    if (last < from)
        return false;
    /* The page of the gate's own stack is readable, and often holds the caller's structures. */
    uint64_t own = page_down((uint64_t)__builtin_frame_address(0));
    for (uint64_t page = page_down(from); page <= last; page += PAGE) {
        if (page == own)
            continue;
        if (!readable(page < from ? from : page))
            return false;
        if (page + PAGE < page)
            break;
    }
    copy_bytes(to, (const void *)from, n);
    return true;
}

int64_t read_user_string(char *to, uint64_t from, uint64_t cap)
{
    uint64_t checked = 0; /* bytes from `from` in a page known to be readable */
    for (uint64_t i = 0; i < cap; i++) {
        if (i == checked) {
            if (!readable(from + i))
                return -EFAULT;
            checked = i + PAGE - ((from + i) & (PAGE - 1));
        }
        char c = *(const volatile char *)(from + i);
        if (to)
            to[i] = c;
        if (c == 0)
            return (int64_t)i;
    }
    return -ENAMETOOLONG;
}

bool write_user(uint64_t to, const void *from, uint64_t n)
{
    if (n == 0)
        return true;
    uint64_t last = to + n - 1;
    if (last < to)
        return false;
    for (uint64_t page = page_down(to); page <= last; page += PAGE) {
        uint64_t first = page < to ? to : page, end = page + (PAGE - 1) < last ? page + (PAGE - 1) : last;
        if (!writable(first, end - first + 1))
            return false;
        if (page + PAGE < page)
            break;
    }
    copy_bytes((void *)to, from, n);
    return true;
}

/* Further calls at the same time get new memory: no call waits for the space of another. */
enum { SCRATCHES = 16 };

static struct scratch scratches[SCRATCHES];
static bool
    taken[SCRATCHES]; /* the thread that sets it (acquire) has the space, until it clears it (release) */

struct scratch *scratch_take(void)
{
    /* Threads have different stacks, so most start their search at different places. */
    uint64_t stack = (uint64_t)__builtin_frame_address(0) / (16 * PAGE);
    uint64_t start = stack * 0x9e3779b97f4a7c15 >> 32; /* Knuth's multiplicative hash */
    for (uint32_t i = 0; i < SCRATCHES; i++) {
        uint32_t at = (uint32_t)(start + i) % SCRATCHES;
        if (!__atomic_load_n(&taken[at], __ATOMIC_RELAXED) &&
            !__atomic_exchange_n(&taken[at], true, __ATOMIC_ACQUIRE))
            return &scratches[at];
    }
    return new_memory(sizeof(struct scratch));
}

void scratch_give(struct scratch *s)
{
    if (s >= scratches && s < scratches + SCRATCHES)
        __atomic_store_n(&taken[s - scratches], false, __ATOMIC_RELEASE);
    else
        KERNEL(munmap, s, sizeof(struct scratch));
}

int64_t gather_some(const struct message *m, uint8_t *out, uint64_t cap)
{
    uint64_t len = 0;
    for (uint64_t i = 0; i < m->vector_count && i < UIO_MAXIOV && len < cap; i++) {
        struct vector v;
        if (!read_user(&v, m->vectors + i * sizeof v, sizeof v))
            return -EFAULT;
        uint64_t part = v.len < cap - len ? v.len : cap - len;
        if (!read_user(out + len, v.base, part))
            return -EFAULT;
        len += part;
    }
    return (int64_t)len;
}

/* Reads the vectors twice. Another thread may change them in between; still at most `cap` bytes are copied. */
int64_t gather(const struct message *m, uint8_t *out, uint64_t cap)
{
    if (m->vector_count > UIO_MAXIOV || room_in(m, cap + 1) > cap)
        return -EMSGSIZE;
    return gather_some(m, out, cap);
}

uint64_t room_in(const struct message *m, uint64_t most)
{
    uint64_t room = 0;
    for (uint64_t i = 0; i < m->vector_count && i < UIO_MAXIOV && room < most; i++) {
        struct vector v;
        if (!read_user(&v, m->vectors + i * sizeof v, sizeof v))
            break;
        room += v.len < most ? v.len : most;
    }
    return room < most ? room : most;
}

bool scatter(const struct message *m, const uint8_t *bytes, uint64_t len)
{
    for (uint64_t i = 0; i < m->vector_count && i < UIO_MAXIOV && len; i++) {
        struct vector v;
        if (!read_user(&v, m->vectors + i * sizeof v, sizeof v))
            return false;
        uint64_t part = v.len < len ? v.len : len;
        if (!write_user(v.base, bytes, part))
            return false;
        bytes += part;
        len -= part;
    }
    return true;
}
