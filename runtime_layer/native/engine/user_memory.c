#include "user_memory.h"

#include "../core/text.h"

/* rt_sigprocmask copies the set before it looks at `how`, so an impossible `how` tells whether eight bytes can
 * be read: EFAULT if not, EINVAL if so (kernel/signal.c). */
static bool probe(uint64_t address)
{
    return KERNEL(rt_sigprocmask, 0x7fffffff, address, 0, 8) == -EINVAL;
}

bool readable(uint64_t address)
{
    return probe(address & ~7ull);
}

bool read_user(void *to, uint64_t from, uint64_t n)
{
    if (n == 0)
        return true;
    uint64_t last = from + n - 1;
    if (last < from)
        return false;
    /* The page that this very call runs on is readable: structures on the caller's stack often share it. */
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
    uint64_t checked = 0; /* bytes from `from` that lie in a page known to be readable */
    for (uint64_t i = 0; i < cap; i++) {
        if (i == checked) {
            if (!readable(from + i))
                return -EFAULT;
            checked = i + PAGE - ((from + i) & (PAGE - 1));
        }
        to[i] = *(const volatile char *)(from + i);
        if (to[i] == 0)
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
    for (uint64_t page = page_down(to); page <= last; page += PAGE)
        if (!readable(page < to ? to : page))
            return false;
    copy_bytes((void *)to, from, n);
    return true;
}

enum { SCRATCHES = 16, TRIES = 20000 };

static struct scratch scratches[SCRATCHES];
static int32_t owners[SCRATCHES]; /* thread id, 0: free */

struct scratch *scratch_take(void)
{
    int32_t me = (int32_t)KERNEL(gettid);
    for (uint32_t try = 0; try < TRIES; try++) {
        uint32_t i = ((uint32_t)me + try) % SCRATCHES;
        int32_t owner = __atomic_load_n(&owners[i], __ATOMIC_RELAXED);
        /* An owner that was killed in the gate never gives its space back: take it over. */
        bool dead = owner != 0 && try % 64 >= 48 && KERNEL(tkill, owner, 0) == -ESRCH;
        if ((owner == 0 || dead) &&
            __atomic_compare_exchange_n(&owners[i], &owner, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return &scratches[i];
        if (try % SCRATCHES == SCRATCHES - 1)
            KERNEL(sched_yield);
    }
    return NULL;
}

void scratch_give(struct scratch *s)
{
    __atomic_store_n(&owners[s - scratches], 0, __ATOMIC_RELEASE);
}
