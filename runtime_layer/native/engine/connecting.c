#include "connecting.h"

#include "kernel.h"
#include "watched.h"

enum { PLACES = 1024 /* as many as Lambda lets there be threads */ };
static uint64_t cookies[PLACES]; /* 0: free */
static uint32_t under_way;
static bool has_lost;

/* Sockets' numbers follow each other, so neighbours seldom meet. */
static uint32_t place_of(uint64_t cookie, uint32_t turn)
{
    return (uint32_t)(cookie + turn) % PLACES;
}

int32_t connecting_begin(int32_t descriptor)
{
    uint64_t cookie = socket_cookie(descriptor);
    __atomic_add_fetch(&under_way, 1, __ATOMIC_SEQ_CST);
    for (uint32_t turn = 0; turn < PLACES; turn++) {
        uint32_t place = place_of(cookie, turn);
        uint64_t nobody = 0;
        if (__atomic_compare_exchange_n(&cookies[place], &nobody, cookie, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
            return (int32_t)place;
    }
    __atomic_store_n(&has_lost, true, __ATOMIC_SEQ_CST);
    __atomic_store_n(&cookies[place_of(cookie, 0)], cookie, __ATOMIC_SEQ_CST);
    return (int32_t)place_of(cookie, 0);
}

void connecting_end(int32_t claim)
{
    __atomic_store_n(&cookies[claim], 0, __ATOMIC_RELEASE);
    __atomic_sub_fetch(&under_way, 1, __ATOMIC_RELEASE);
}

static bool is_being_connected(int32_t descriptor)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&under_way, __ATOMIC_SEQ_CST))
        return false;
    uint64_t cookie = socket_cookie(descriptor);
    /* What has none is not to be told from another (before Linux 4.12, and under qemu-user). */
    for (uint32_t place = 0; cookie && place < PLACES; place++)
        if (__atomic_load_n(&cookies[place], __ATOMIC_RELAXED) == cookie)
            return true;
    return false;
}

bool stays_being_connected(int32_t descriptor)
{
    enum { TURNS = 10 };
    const uint64_t millisecond[2] = {0, 1000000};
    uint32_t turn = 0;
    while (is_being_connected(descriptor) && turn++ < TURNS)
        KERNEL(nanosleep, millisecond, 0);
    return turn > TURNS;
}

bool has_last_connection(int32_t descriptor)
{
    return was_stream_seen(descriptor) && !is_being_connected(descriptor) &&
           !__atomic_load_n(&has_lost, __ATOMIC_SEQ_CST);
}
