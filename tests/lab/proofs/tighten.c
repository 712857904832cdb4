/* A later policy of the function's code: no verdict of the result is looser than one of the policy in force, or of it. */
#include "proofs.h"

#include "../../../runtime_layer/native/core/setting_table.h"
#include "../../../runtime_layer/native/core/verdict.h"

enum { ROWS = 32, VALUE = 2 };
struct policy nondet_policy(void);
static struct policy before, after, wanted;
static char scratch[1];
static struct {
    char at[VALUE];
    uint32_t len;
} in_force[ROWS], asked[ROWS];

/* Each setting has any text of two bytes at most, commas too. Messages are no part of the proof. */
static void write_any(const struct policy *p, uint32_t row, struct writer *w)
{
    w->at = p == &wanted ? asked[row].at : in_force[row].at;
    w->used = p == &wanted ? asked[row].len : in_force[row].len;
}
#define setting_write write_any
#define put(writer, text) ((void)0)
#define put_words(writer, words) ((void)0)
#include "../../../runtime_layer/native/core/tighten.c"

/* Any modes, switches and settings that were given; one pattern of allow_tmp, of two bytes at most; no other entries. */
static struct policy small_policy(void)
{
    struct policy p = nondet_policy();
    for (uint32_t id = 0; id < POLICY_COUNT; id++)
        ASSUME(p.modes[id] <= MODE_ALLOW); /* executable_memory too: the engine has resolved it */
    ASSUME(p.aws <= AWS_ALL && p.on_failure <= ON_FAILURE_RUN_UNSHIELDED && p.node_callers <= CALLERS_ON);
    ASSUME(p.keeps_tmp <= 1 && p.loads_bridges <= 1 && p.skips_limits <= 1);
    p.tmp_count = p.outbound_count = p.denied_count = p.child_count = p.memory_count = p.aws_count = 0;
    p.region.len = p.account.len = p.buckets.len = p.next_wrapper.len = p.policy_file.len = 0;
    return p;
}

static void prove_no_looser(const struct policy *was)
{
    struct text path = TEXT("");
    for (uint32_t id = 0; id < SELF_PROTECTION; id++)
        PROVE(verdict_unlisted(&after, id, 0).action <= verdict_unlisted(was, id, 0).action, "unlisted acts");
    PROVE(verdict_tmp(&after, path, 0, 0).action <= verdict_tmp(was, path, 0, 0).action, "files in /tmp");
    PROVE(verdict_bridge(&after, path, false).action <= verdict_bridge(was, path, false).action, "bridges");
    PROVE(verdict_program(&after, path, -1, PROGRAM_STATIC).action <=
              verdict_program(was, path, -1, PROGRAM_STATIC).action,
          "static programs");
    PROVE(after.keeps_tmp <= was->keeps_tmp && after.loads_bridges <= was->loads_bridges, "switches");
    PROVE(!(policy_kernel_limits(was) & ~policy_kernel_limits(&after)), "limits of the kernel");
}

int main(void)
{
    char said[8];
    struct writer error = {said, 0, sizeof said, false};
    before = small_policy();
    wanted = small_policy();
    policy_choose_on_failure(&before);
    after = before;
    if (!policy_tighten(&after, &wanted, scratch, &error))
        return 0;
    prove_no_looser(&before);
    PROVE(after.on_failure <= before.on_failure, "a failure");
    PROVE(after.skip_server_name == before.skip_server_name && after.aws == before.aws, "the rest stays");
    for (uint32_t row = 0; row < setting_count(); row++) {
        uint8_t *mode = setting_mode(&after, row);
        if (mode && setting_given(&wanted, row))
            PROVE(*mode == *setting_mode(&wanted, row), "a mode that is given is in force");
    }
}
