/* The engine around the judges that a target feeds: its state, and the parts of it that the target does not need. */
#ifndef FUZZ_ENGINE_H
#define FUZZ_ENGINE_H

#include "arena.h"

#include "../../../runtime_layer/native/core/setting_table.h"
#include "../../../runtime_layer/native/engine/report/caller.h"
#include "../../../runtime_layer/native/engine/state/syscall_policy.h"
#include "../../../runtime_layer/native/engine/gate/judges.h"
#include "../../../runtime_layer/native/engine/report/left_out.h"
#include "../../../runtime_layer/native/engine/fds/own_fds.h"
#include "../../../runtime_layer/native/engine/report/alerts.h"
#include "../../../runtime_layer/native/engine/state/sealed_pages.h"
#include "../../../runtime_layer/native/engine/state/sealed_state.h"
#include "json.h"

bool take_lock(enum lock which, uint64_t *signals)
{
    (void)which;
    *signals = 0;
    return true;
}

void give_lock(enum lock which, const uint64_t *signals)
{
    (void)which;
    (void)signals;
}

bool replace_gate_table(const struct sealed *s, bool ready)
{
    (void)s;
    gate_table[GATE_READY] = ready;
    return true;
}

void report_engine(enum mode mode, struct text policy, struct text why)
{
    (void)mode, (void)policy, (void)why;
    CHECK(false);
}

void report_failure(bool runs, const struct writer *error)
{
    (void)runs, (void)error;
    CHECK(false);
}

/* files/tmp_clear.h */
void clear_tmp(void)
{
}

/* process/kernel_limits.h */
void hold_kernel_limits(void)
{
}

uint8_t next_event_watched;

void report_folded(enum when when)
{
    (void)when;
}

/* As alerts.c does, with one chain for all. */
bool is_call_by_others(const struct call *call, const struct facts *facts, enum protocol protocol,
                       struct text wanted, struct writer *entry)
{
    (void)call, (void)protocol, (void)wanted;
    put(entry, TEXT(" by requests>app"));
    return facts->to.port & 1;
}

/* As alerts.c does, without its clock and its descriptor: the line must be one whatever a judge knows. */
bool refuses(const struct call *call, struct verdict verdict, const struct facts *facts)
{
    char line[ALERT_MAX];
    if (verdict.action == ACTION_ALLOW)
        return false;
    struct scratch *scratch = scratch_take();
    CHECK(scratch);
    struct alert alert = {.policy = verdict.policy,
                          .host = facts->host,
                          .ip = facts->to.ip,
                          .port = facts->to.port,
                          .protocol = facts->protocol,
                          .sni = facts->sni,
                          .path = facts->path,
                          .allow = facts->allow,
                          .object = caller_object(call, scratch)};
    uint32_t len = alert_write(&alert, line);
    CHECK(len > 1 && len <= ALERT_MAX && line[len - 1] == '\n' && json_valid(line, len - 1));
    scratch_give(scratch);
    return verdict.action == ACTION_DENY;
}

bool bridge_is_refused(const struct call *call, struct text path, struct text entry)
{
    return refuses(call, verdict_bridge(&sealed->policy, entry, false),
                   &(struct facts){.path = path, .allow = entry});
}

bool self_protection_refused(const struct call *call, struct text path)
{
    struct facts facts = {.path = path};
    return refuses(call, verdict_unlisted(&sealed->policy, SELF_PROTECTION, REASON_SELF_PROTECTION), &facts);
}

/* Each descriptor that a judge takes over it must close: counted here, looked at after each call. */
static int32_t held;

int64_t own_fd_take(int64_t descriptor)
{
    held += descriptor >= 0;
    return descriptor;
}

int64_t own_fd_copy(int64_t descriptor)
{
    return own_fd_take(KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, OWN_FDS_FIRST));
}

bool own_fd_keep(int64_t descriptor, int32_t wanted)
{
    (void)descriptor;
    (void)wanted;
    return false; /* only a start asks */
}

void own_fd_close(int64_t descriptor)
{
    if (descriptor < 0)
        return;
    held--;
    KERNEL(close, descriptor);
}

/* Another thread: at each system call it may change what the caller's memory holds. 0: there is none. How often the
 * gate probes its own stack depends on where that lies, so those calls do not count: a run can be repeated. */
static uint32_t rival;

static void let_rival_write(int64_t nr, uint64_t probed)
{
    if (!rival || (nr == __NR_rt_sigprocmask && !arena_holds(probed)))
        return;
    rival = rival * 1664525 + 1013904223;
    if ((rival >> 28) < 4)
        arena[PAGE + (rival >> 8) % (2 * PAGE)] ^= (uint8_t)(rival >> 20);
}

/* Gate memory: neither the caller's, which could change after it was judged, nor no memory at all. */
static bool is_gates(uint64_t pointer)
{
    return pointer >= 2 * PAGE && pointer < 0x00007ffffffff000 && !arena_holds(pointer);
}

static bool is_on_stack(uint64_t pointer)
{
    enum { IN_USE = 1 << 18 };
    return pointer - (uint64_t)__builtin_frame_address(0) < IN_USE;
}

/* Is there memory? Beside the arena, only the gate's own stack counts: what else this program has (the sanitizer's
 * shadow, above all) is no place for a pointer made of random bytes. */
static bool may_probe(uint64_t address)
{
    return arena_holds(address) || is_on_stack(address);
}

/* The calls that every judge may make. False: it is another one. */
static bool common_call(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, int64_t *result)
{
    *result = 0;
    switch (nr) {
    case __NR_rt_sigprocmask: /* reads the one place, or writes to the other */
        *result = may_probe(b ? b : c) ? kernel_real(nr, a, b, c, d, 0, 0) : -EFAULT;
        return true;
    case __NR_getcpu: *result = may_probe(a) ? kernel_real(nr, a, b, c, 0, 0, 0) : -EFAULT; return true;
    case __NR_mincore: *result = may_probe(c) ? kernel_real(nr, a, b, c, d, 0, 0) : -EFAULT; return true;
    case __NR_gettid: *result = kernel_real(nr, a, b, c, d, 0, 0); return true;
    case __NR_mprotect: return true;
    }
    return false;
}

static void engine_begin(const char *settings)
{
    arena_make();
    arena_clear();
    char error_room[512];
    struct writer error = {error_room, 0, sizeof error_room, false};
    memset(&sealed_block, 0, sizeof sealed_block);
    memset(gate_table, 0, sizeof gate_table);
    policy_begin(&sealed_block.policy);
    CHECK(policy_set_lines(&sealed_block.policy, text_of(settings), &error));
    sealed_block.process.stage = STAGE_RUNNING;
}

#endif
