/* Finds the programs as exec would, and refuses those that cannot be shielded.
 * Tests: tests/integration/launcher/test_refusals.py, tests/integration/launcher/test_launch.py. */
#define _GNU_SOURCE
#include "plan.h"

#include "elf_check.h"
#include "refusal_report.h"
#include "own_path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_executable_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool join_path(char to[PATH_BYTES], const char *folder, size_t folder_len, const char *name)
{
    size_t name_len = strlen(name);
    if (folder_len + 1 + name_len >= PATH_BYTES)
        return false;
    memcpy(to, folder, folder_len);
    to[folder_len] = '/';
    memcpy(to + folder_len + 1, name, name_len + 1);
    return true;
}

static bool against_cwd(char to[PATH_BYTES], const char *path)
{
    char folder[PATH_BYTES];
    return getcwd(folder, sizeof folder) && join_path(to, folder, strlen(folder), path);
}

/* Lambda gives an absolute path; a user at a shell may give a name. */
static bool find_runtime(char to[PATH_BYTES], const char *program)
{
    if (program[0] == '/')
        return strlen(program) < PATH_BYTES && strcpy(to, program);
    if (strchr(program, '/'))
        return against_cwd(to, program);
    const char *folders = getenv("PATH");
    for (const char *end; folders && *program; folders = *end ? end + 1 : NULL) {
        char found[PATH_BYTES];
        end = strchrnul(folders, ':');
        const char *folder = end == folders ? "." : folders;
        size_t len = end == folders ? 1 : (size_t)(end - folders);
        if (!join_path(found, folder, len, program) || !is_executable_file(found))
            continue;
        return found[0] == '/' ? strcpy(to, found) != NULL : against_cwd(to, found);
    }
    return false;
}

static bool may_run_unshielded(const struct policy *policy, const char *path)
{
    for (uint32_t i = 0; i < policy->child_count; i++)
        if (policy->child[i].unshielded &&
            text_equal(policy_text(policy, policy->child[i].path), text_of(path)))
            return true;
    return false;
}

static bool check_next_wrapper(const struct policy *policy, const char *path, struct writer *error)
{
    struct program program;
    uint32_t mark = error->used;
    put_words(error, "SHIELD_NEXT_WRAPPER: ");
    if (is_self(path)) /* it would start itself endlessly */
        return refuse_path(error, path,
                           " is shield itself; name the wrapper that runs after it, or unset the variable");
    if (!program_inspect(path, &program, error))
        return false;
    if (program.is_static && !may_run_unshielded(policy, path))
        return refuse_path(
            error, path,
            " is a static program, which cannot be shielded; to let it start the runtime all the "
            "same, list it in SHIELD_ALLOW_CHILD_PROCESS as unshielded:PATH");
    error->used = mark;
    return true;
}

static bool check_runtime(const char *path, struct writer *error)
{
    struct program program;
    if (!program_inspect(path, &program, error))
        return false;
    if (program.is_static)
        return refuse_path(
            error, path, " is a static program: no library can be loaded into it, so it cannot be shielded");
    return true;
}

static bool copy_text(char to[PATH_BYTES], struct text from)
{
    if (from.len >= PATH_BYTES)
        return false;
    memcpy(to, from.at, from.len);
    to[from.len] = 0;
    return true;
}

bool plan_shielded(struct plan *plan, const struct policy *policy, const char *program, struct writer *error)
{
    if (!find_runtime(plan->runtime, program))
        return refuse_path(error, program, " is not a program that can be found");
    if (!copy_text(plan->next, policy_text(policy, policy->next_wrapper)))
        return refuse(error, "SHIELD_NEXT_WRAPPER: the path is too long");
    return (!plan->next[0] || check_next_wrapper(policy, plan->next, error)) &&
           check_runtime(plan->runtime, error);
}

bool plan_unshielded(struct plan *plan, const char *next, const char *program, struct writer *error)
{
    if (!find_runtime(plan->runtime, program))
        return refuse_path(error, program, " is not a program that can be found");
    if (!copy_text(plan->next, text_of(next)) || next[0] != '/' || is_self(next))
        plan->next[0] = 0;
    return true;
}
