#include "this_thread.h"

#include "process.h"
#include "state.h"

/* A word: the pointer without its low bits, and the number below it (threads(7): /proc/sys/kernel/pid_max is 2^22 at
 * most). */
enum { ALIGNED = 6, NUMBER = 22, ADDRESS = 48, NOBODY = 1 };

static uint64_t word_of(uint64_t pointer, uint32_t number)
{
    return pointer >> ALIGNED << NUMBER | number;
}

/* 0 where it cannot be read, or fits no word. */
static uint64_t thread_pointer(void)
{
    uint64_t pointer = 0;
    if (!sealed.reads_thread_pointer)
        return 0;
#if defined(__x86_64__)
    __asm__ volatile("rdfsbase %0" : "=r"(pointer));
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(pointer));
#endif
    return pointer % (1u << ALIGNED) || pointer >> ADDRESS ? 0 : pointer;
}

static uint64_t *place_of(uint64_t pointer)
{
    return &remembered_by_process()->threads[pointer / PAGE % REMEMBERED];
}

static bool is_shared;

void stop_remembering(void)
{
    __atomic_store_n(&is_shared, true, __ATOMIC_SEQ_CST);
}

void remember_threads(struct remembered *r)
{
    for (uint32_t i = 0; i < REMEMBERED; i++)
        r->threads[i] = NOBODY;
}

void forget_thread(uint64_t pointer)
{
    uint64_t *place = place_of(pointer), word = __atomic_load_n(place, __ATOMIC_SEQ_CST);
    if (word >> NUMBER == pointer >> ALIGNED)
        __atomic_compare_exchange_n(place, &word, NOBODY, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Asks the kernel, and remembers. Not in a copy that was forked in the midst of this: all words of its memory are 0. */
static uint32_t ask(uint64_t pointer)
{
    uint64_t *place = place_of(pointer), before = __atomic_load_n(place, __ATOMIC_SEQ_CST);
    uint32_t number = (uint32_t)KERNEL(gettid);
    if (before)
        __atomic_compare_exchange_n(place, &before, word_of(pointer, number), false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
    return number;
}

/* The only thread of a process has the process's number. A vfork child has its parent's pointer, and claims of its own: it
 * may die with them. A copy that was forked in the midst of a call does not know its number yet. */
uint32_t this_thread(void)
{
    if (had_kin() || __atomic_load_n(&is_shared, __ATOMIC_RELAXED))
        return (uint32_t)KERNEL(gettid);
    uint32_t owner = is_alone() ? owner_of_memory() : 0;
    if (owner)
        return owner;
    uint64_t pointer = thread_pointer();
    if (!pointer)
        return (uint32_t)KERNEL(gettid);
    uint64_t word = __atomic_load_n(place_of(pointer), __ATOMIC_RELAXED);
    return word >> NUMBER == pointer >> ALIGNED ? (uint32_t)word & ((1u << NUMBER) - 1) : ask(pointer);
}

bool can_read_thread_pointer(void)
{
#if defined(__x86_64__)
    /* Documentation/arch/x86/x86_64/fsgs.rst: only where the kernel says so. */
    enum { ENTRIES = 64, HWCAP2 = 26 /* AT_HWCAP2 */, FSGSBASE = 2 };
    uint64_t auxv[ENTRIES][2];
    int64_t file = KERNEL(openat, AT_FDCWD, "/proc/self/auxv", O_RDONLY | O_CLOEXEC, 0);
    int64_t n = is_error(file) ? 0 : KERNEL(read, file, auxv, sizeof auxv);
    bool can = false;
    for (int64_t i = 0; i < n / (int64_t)sizeof *auxv; i++)
        can |= auxv[i][0] == HWCAP2 && auxv[i][1] & FSGSBASE;
    if (!is_error(file))
        KERNEL(close, file);
    return can;
#else
    return true;
#endif
}
