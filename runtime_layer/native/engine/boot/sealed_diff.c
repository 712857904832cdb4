#include "sealed_diff.h"

#include "../../core/follows.h"
#include "../state/syscall_policy.h"

#define BETWEEN(first, behind) offsetof(struct sealed, first), offsetof(struct sealed, behind)

static bool is_same(const struct sealed *now, const struct sealed *next, uint64_t from, uint64_t to)
{
    return same_bytes((const char *)now + from, (const char *)next + from, to - from);
}

static bool programs_follow(const struct sealed *now, const struct sealed *next)
{
    bool well = true;
    for (uint32_t i = 0; i < MAX_CHILD; i++) {
        const struct inode *a = &now->programs[i], *b = &next->programs[i];
        well &= (a->dev == b->dev && a->ino == b->ino) || (!b->dev && !b->ino);
    }
    return well;
}

static bool setting_is_replaced(const struct sealed *now, const struct sealed *next, uint32_t i)
{
    uint32_t at = next->settings[i], len = 0;
    if (at < now->environment_used || at >= next->environment_used)
        return false;
    while (at + len < next->environment_used && next->environment[at + len])
        len++;
    return at + len < next->environment_used &&
           setting_follows(&now->policy, &next->policy, (struct text){next->environment + at, len});
}

/* Children's settings: those that are new stand behind what was there. */
static bool settings_follow_on(const struct sealed *now, const struct sealed *next)
{
    bool well = next->environment_used >= now->environment_used &&
                next->environment_used <= ENVIRONMENT_POOL && next->setting_count >= now->setting_count &&
                next->setting_count <= MAX_SETTINGS &&
                same_bytes(now->environment, next->environment, now->environment_used);
    for (uint32_t i = 0; i < next->setting_count && well; i++)
        well = (i < now->setting_count && next->settings[i] == now->settings[i]) ||
               setting_is_replaced(now, next, i);
    return well;
}

bool sealed_follows(const struct sealed *now, const struct sealed *next)
{
    bool log = (next->log == now->log && next->log_pipe.dev == now->log_pipe.dev &&
                next->log_pipe.ino == now->log_pipe.ino) ||
               !reports_anything(now);
    return log && is_same(now, next, BETWEEN(process, policy)) &&
           policy_follows(&now->policy, &next->policy) && is_same(now, next, BETWEEN(always, log)) &&
           is_same(now, next, BETWEEN(tmp, programs)) && programs_follow(now, next) &&
           is_same(now, next, BETWEEN(spawn_helper, environment)) && settings_follow_on(now, next) &&
           is_same(now, next, BETWEEN(preload, environment_used)) &&
           is_same(now, next, BETWEEN(loader_preload, memory_by_runtime)) &&
           next->memory_by_runtime <= now->memory_by_runtime &&
           is_same(now, next, offsetof(struct sealed, forks_workers), sizeof *now);
}
