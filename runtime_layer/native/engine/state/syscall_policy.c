/* Tests: tests/integration/engine/test_syscalls.py. */
#include "syscall_policy.h"

#include "../base/raw_syscall.h"
#include "sealed_state.h"

struct row {
    int16_t nr;
    uint8_t reasons;
    uint8_t judge;
};

#define HARMLESS(name, why)
#define JUDGED(name, reasons, judge) {__NR_##name, reasons, number_of_##judge},
static const struct row rows[] = {
#include "syscall_table.h"
};
#define HARMLESS(name, why)
/* The names of the judged calls, one after the other. */
#define JUDGED(name, reasons, judge) #name "\0"
static const char names[] =
#include "syscall_table.h"
    ;

enum { ROWS = sizeof rows / sizeof *rows };

static struct judged *const judged = (struct judged *)&gate_table[GATE_JUDGED];
_Static_assert(GATE_JUDGED + GATE_TABLE * sizeof(struct judged) <= sizeof gate_table, "one page");

static uint8_t reasons_of(const struct policy *p)
{
    static const uint8_t of_policy[] = {
        [OUTBOUND_CONNECTIVITY] = FOR_OUTBOUND | FOR_STREAMS | FOR_SAFETY,
        [READ_WRITE_TMP] = FOR_FILES | FOR_PATHS | FOR_SAFETY,
        [CREATE_CHILD_PROCESS] = FOR_COPIES | FOR_SAFETY,
        [READ_HANDLER] = FOR_FILES | FOR_PATHS | FOR_SAFETY,
        [EXECUTABLE_MEMORY] = FOR_SAFETY,
    };
    uint8_t reasons = ALWAYS;
    for (uint32_t id = 0; id < SELF_PROTECTION; id++)
        if (p->modes[id] != MODE_ALLOW)
            reasons |= of_policy[id];
    if (policy_judges_outbound(p))
        reasons |= of_policy[OUTBOUND_CONNECTIVITY];
    if (!p->keeps_tmp || !p->loads_bridges)
        reasons |= FOR_SAFETY; /* to see the request for an event, and to protect the engine */
    return reasons;
}

bool reports_anything(const struct policy *p)
{
    return reasons_of(p) & FOR_SAFETY;
}

/* Calls that the gate's assembly passes in most cases, and its check, before it saves registers. Calls that may carry the first
 * request for an invocation get a stricter check until then. */
static const struct {
    int16_t nr;
    uint8_t guard, until_ready;
} seldom[] = {
    {__NR_fstat, GUARD_LOG, GUARD_LOG},
    {__NR_close, GUARD_MARKED, GUARD_MARKED},
    {__NR_newfstatat, GUARD_LOG, GUARD_LOG},
    {__NR_write, GUARD_MARKED, GUARD_READY_LINE},
    {__NR_writev, GUARD_MARKED, GUARD_ALWAYS},
    {__NR_sendto, GUARD_ADDRESSED, GUARD_ALWAYS},
    {__NR_read, GUARD_RECEIVE, GUARD_RECEIVE},
    {__NR_readv, GUARD_RECEIVE, GUARD_RECEIVE},
    {__NR_recvfrom, GUARD_RECEIVE, GUARD_RECEIVE},
    {__NR_recvmsg, GUARD_RECEIVE, GUARD_RECEIVE},
    {__NR_recvmmsg, GUARD_RECEIVE, GUARD_RECEIVE},
    {__NR_getpeername, GUARD_RECEIVE, GUARD_RECEIVE},
    {__NR_pwritev2, GUARD_MARKED, GUARD_MARKED},
    {__NR_sendfile, GUARD_MARKED, GUARD_MARKED},
    {__NR_mmap, GUARD_MMAP, GUARD_MMAP},
    {__NR_mprotect, GUARD_MPROTECT, GUARD_MPROTECT},
};

static uint8_t guard_of(uint32_t nr, uint8_t reasons)
{
    if (nr > NEWEST_CALL)
        return reasons & FOR_SAFETY ? GUARD_ALWAYS : GUARD_NONE;
    uint8_t own = judged[nr].reasons;
    bool copies = reasons & FOR_COPIES && own & NOT_FOR_COPIES;
    if (!(own & reasons) && !copies)
        /* It may carry a request for an event; after the first, it is checked only while the next one is watched for. */
        return own & UNTIL_READY && reasons & FOR_SAFETY ? GUARD_NEXT_EVENT : GUARD_NONE;
    uint8_t guard = GUARD_ALWAYS;
    for (uint32_t i = 0; i < sizeof seldom / sizeof *seldom; i++)
        if (seldom[i].nr == (int32_t)nr)
            guard = own & reasons & UNTIL_READY ? seldom[i].until_ready : seldom[i].guard;
    return guard;
}

void list_guarded_calls(void)
{
    for (uint32_t i = 0; i < ROWS; i++)
        judged[rows[i].nr] = (struct judged){rows[i].reasons, rows[i].judge};
}

void guard_calls(uint8_t *table, const struct sealed *s)
{
    uint8_t reasons = reasons_of(&s->policy);
    if (!table[GATE_READY])
        reasons |= UNTIL_READY;
    for (uint32_t nr = 0; nr < GATE_TABLE; nr++)
        table[nr] = guard_of(nr, reasons);
    if (s->process.language == LANGUAGE_NODE && table[__NR_write] == GUARD_NEXT_EVENT)
        table[__NR_write] = GUARD_MARKED; /* Node.js's preload asks by a write (report/node_notes.h) */
    copy_bytes(&table[GATE_LOG], &s->process.log, sizeof s->process.log);
    table[GATE_REASONS] = reasons;
}

struct text syscall_name(int64_t nr)
{
    const char *name = names;
    for (uint32_t i = 0; i < ROWS && rows[i].nr != nr; i++)
        while (*name++)
            ;
    return text_of(name); /* an empty text follows the last name */
}

bool may_be_guarded(int64_t nr)
{
    return nr < 0 || nr > NEWEST_CALL || judged[nr].reasons;
}
