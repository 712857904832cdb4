/* Tests: tests/integration/engine/test_midst.py. */
#include "mapping_lock.h"

#include "../base/raw_syscall.h"
#include "process_state.h"

enum { QUICK_TURNS = 50, PATIENCE = QUICK_TURNS + 5000 /* milliseconds */ };

bool lock_mappings(void)
{
    const uint64_t moment[2] = {0, 20000}, millisecond[2] = {0, 1000000};
    uint32_t *lock = &sealed->process.own->mapping_lock;
    for (uint32_t turn = 0; turn < PATIENCE; turn++) {
        if (!__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
            return true;
        KERNEL(nanosleep, turn < QUICK_TURNS ? moment : millisecond, 0);
    }
    return false;
}

void unlock_mappings(void)
{
    __atomic_store_n(&sealed->process.own->mapping_lock, 0, __ATOMIC_RELEASE);
}
