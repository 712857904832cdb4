#include "watched.h"

#include "kernel.h"
#include "network.h"
#include "process.h"
#include "state.h"

uint16_t watched[WATCHED_DESCRIPTORS];
static uint32_t generation;
static bool for_good;

static bool is_known(int32_t descriptor)
{
    return descriptor >= 0 && descriptor < WATCHED_DESCRIPTORS;
}

uint16_t watch_mark(int32_t descriptor)
{
    return is_known(descriptor) ? __atomic_load_n(&watched[descriptor], __ATOMIC_ACQUIRE) : WATCH_NOTHING;
}

uint8_t watch_kind(int32_t descriptor)
{
    return (uint8_t)watch_mark(descriptor);
}

static uint16_t new_mark(uint8_t kind)
{
    return (uint16_t)(__atomic_add_fetch(&generation, 1, __ATOMIC_RELAXED) << 8 | kind);
}

bool watch(int32_t descriptor, uint8_t kind)
{
    if (is_known(descriptor))
        __atomic_store_n(&watched[descriptor], new_mark(kind), __ATOMIC_RELEASE);
    return is_known(descriptor);
}

bool watch_instead(int32_t descriptor, uint16_t seen, uint8_t kind)
{
    if (is_known(descriptor))
        __atomic_compare_exchange_n(&watched[descriptor], &seen, new_mark(kind), false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
    return is_known(descriptor);
}

void unwatch(int32_t descriptor, uint16_t mark)
{
    if (!is_known(descriptor) || for_good || !owns_memory())
        return;
    __atomic_compare_exchange_n(&watched[descriptor], &mark, WATCH_NOTHING, false, __ATOMIC_RELEASE,
                                __ATOMIC_RELAXED);
}

bool is_watched_stream(int32_t descriptor)
{
    enum { LEVEL_SOCKET = 1, OPTION_PROTOCOL = 38, TCP = 6, MPTCP = 262 };
    uint16_t mark = watch_mark(descriptor);
    if ((uint8_t)mark != WATCH_FIRST_BYTES && (uint8_t)mark != WATCH_QUERY_STREAM)
        return false;
    int32_t protocol = 0;
    uint32_t size = sizeof protocol;
    KERNEL(getsockopt, descriptor, LEVEL_SOCKET, OPTION_PROTOCOL, &protocol, &size);
    if (protocol == TCP || protocol == MPTCP)
        return true;
    unwatch(descriptor, mark);
    return false;
}

void watch_for_good(void)
{
    for_good = true;
}

bool watch_copy(int32_t from, int32_t to)
{
    uint8_t kind = watch_kind(from);
    return kind == WATCH_NOTHING || watch(to, kind);
}

/* struct linux_dirent64 (getdents(2)). */
enum { ENTRY_LENGTH = 16, ENTRY_NAME = 19 };

static void watch_if_stream(int32_t descriptor)
{
    struct endpoint peer;
    if (peer_of_stream(descriptor, &peer) || address_is_loopback(&peer.ip))
        return;
    if (peer.port == DNS_PORT)
        watch(descriptor, WATCH_QUERY_STREAM);
    else if (!sealed.policy.skip_server_name)
        watch(descriptor, WATCH_FIRST_BYTES);
}

void watch_inherited(void)
{
    char entries[1024];
    int64_t directory = KERNEL(openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), n;
    if (is_error(directory))
        return;
    while ((n = KERNEL(getdents64, directory, entries, sizeof entries)) > 0) {
        for (int64_t at = 0; at < n;) {
            uint16_t length;
            uint32_t number;
            copy_bytes(&length, entries + at + ENTRY_LENGTH, sizeof length);
            if (text_number(text_of(entries + at + ENTRY_NAME), INT32_MAX, &number))
                watch_if_stream((int32_t)number);
            at += length;
        }
    }
    KERNEL(close, directory);
}
