/* The names of policies, modes and severities; see policy.h.
 * Tests: tests/unit/core/test_settings.py, tests/unit/core/test_alert.py. */
#include "policy.h"

struct text policy_text(const struct policy *p, struct pooled at)
{
    return (struct text){p->pool + at.at, at.len};
}

bool policy_judges_outbound(const struct policy *p)
{
    return p->modes[OUTBOUND_CONNECTIVITY] != MODE_ALLOW || p->denied_count;
}

bool policy_always_refuses(const struct policy *p)
{
    return !p->keeps_tmp || !p->loads_bridges || p->denied_count;
}

/* Without room for a file, the engine could not start a listed program either: both need an empty list. */
uint8_t policy_kernel_limits(const struct policy *p)
{
    if (p->skips_limits || p->modes[CREATE_CHILD_PROCESS] != MODE_BLOCK || p->child_count)
        return 0;
    return p->modes[READ_WRITE_TMP] == MODE_BLOCK && !p->tmp_count ? NO_PROGRAMS | NO_GROWTH : NO_PROGRAMS;
}

struct text policy_name(enum policy_id id)
{
    static const char names[POLICY_COUNT][22] = {
        [OUTBOUND_CONNECTIVITY] = "outbound_connectivity", [READ_WRITE_TMP] = "read_write_tmp",
        [CREATE_CHILD_PROCESS] = "create_child_process",   [READ_HANDLER] = "read_handler",
        [EXECUTABLE_MEMORY] = "executable_memory",         [SELF_PROTECTION] = "self_protection",
    };
    return id < POLICY_COUNT ? text_of(names[id]) : TEXT("");
}

struct text mode_name(uint8_t mode)
{
    static const char names[][11] = {
        [MODE_BLOCK] = "block",
        [MODE_ALERT] = "alert",
        [MODE_ALLOW] = "allow",
        [MODE_BY_RUNTIME] = "by_runtime",
    };
    return mode <= MODE_BY_RUNTIME ? text_of(names[mode]) : TEXT("");
}

/* Programs that only describe the machine: libraries run them at import. */
static bool is_platform_program(struct text path)
{
    static const char *const programs[] = {"/usr/bin/getconf", "/usr/bin/lsb_release", "/usr/bin/uname",
                                           "/usr/sbin/ldconfig"};
    for (uint32_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (text_equal(path, text_of(programs[i])))
            return true;
    return false;
}

enum severity severity_of(uint32_t policy, uint32_t mode, bool blocks, struct text path, struct text reason)
{
    bool is_program = policy == CREATE_CHILD_PROCESS;
    if ((is_program && is_platform_program(path)) || text_equal(reason, TEXT("package")))
        return NOTICE;
    bool is_urgent = mode == MODE_BLOCK || blocks; /* a call that goes through is no less urgent */
    if (policy == SELF_PROTECTION || (is_urgent && (is_program || policy == OUTBOUND_CONNECTIVITY)))
        return CRITICAL;
    return mode == MODE_ALERT || policy == EXECUTABLE_MEMORY ? WARNING : NOTICE;
}

struct text severity_name(enum severity severity)
{
    static const char names[][9] = {"critical", "warning", "notice"};
    return text_of(names[severity]);
}

struct text severity_level(enum severity severity, struct text reason)
{
    if (text_equal(reason, TEXT("package")))
        return TEXT("INFO");
    return severity == CRITICAL ? TEXT("ERROR") : TEXT("WARN");
}

bool mode_from(struct text t, uint8_t *mode)
{
    for (uint8_t m = MODE_BLOCK; m <= MODE_ALLOW; m++) {
        if (text_equal(t, mode_name(m))) {
            *mode = m;
            return true;
        }
    }
    return false;
}

enum mode strictest_mode(const struct policy *p)
{
    enum mode strictest = MODE_ALLOW;
    for (uint32_t id = 0; id < SELF_PROTECTION; id++)
        if (p->modes[id] < strictest)
            strictest = (enum mode)p->modes[id];
    return strictest;
}

bool policy_blocks(const struct policy *p)
{
    return strictest_mode(p) == MODE_BLOCK;
}
