/* What a policy's parts are called; see policy.h. */
#include "policy.h"

struct text policy_text(const struct policy *p, struct pooled at)
{
    return (struct text){p->pool + at.at, at.len};
}

struct text policy_name(enum policy_id id)
{
    static const char *const names[POLICY_COUNT] = {
        [OUTBOUND_CONNECTIVITY] = "outbound_connectivity", [READ_WRITE_TMP] = "read_write_tmp",
        [CREATE_CHILD_PROCESS] = "create_child_process",   [READ_HANDLER] = "read_handler",
        [EXECUTABLE_MEMORY] = "executable_memory",         [SELF_PROTECTION] = "self_protection",
    };
    return id < POLICY_COUNT ? text_of(names[id]) : TEXT("");
}

struct text mode_name(uint8_t mode)
{
    static const char *const names[] = {
        [MODE_BLOCK] = "block",
        [MODE_ALERT] = "alert",
        [MODE_ALLOW] = "allow",
        [MODE_BY_RUNTIME] = "by_runtime",
    };
    return mode <= MODE_BY_RUNTIME ? text_of(names[mode]) : TEXT("");
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
