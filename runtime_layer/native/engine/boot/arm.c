/* Start: arm the shield in this process, or refuse to let it run.
 *
 *   1. settings   the environment becomes the sealed policy
 *   2. facts      the objects that verdicts compare with: /tmp, programs, ourselves
 *   3. table      which system calls must pass the gate
 *   4. patch      libc, the loader, and what the function brings
 *   5. seal       everything above becomes read-only; one line says so
 *
 * The wrapper preloads this library, so the constructor runs before any code of the function. A program that loads it
 * later, without a setting in its environment, says what it wants with configure.c.
 */
#include "arm.h"

#include "../base/filesystem.h"
#include "../base/linux_abi.h"
#include "../base/page_size.h"
#include "../base/user_memory.h"
#include "../trials/needed_calls.h"
#include "../state/process_state.h"
#include "../state/syscall_policy.h"
#include "../report/alerts.h"
#include "../report/log_writer.h"
#include "../fds/fd_list.h"
#include "../fds/fd_marks.h"
#include "../fds/own_fds.h"
#include "../files/open_in_tmp.h"
#include "../files/read_only_mounts.h"
#include "../files/tmp_clear.h"
#include "../process/wrapper_detect.h"
#include "../gate/judges.h"

static uint64_t monotonic_micros(void)
{
    uint64_t now[2] = {0, 0};
    KERNEL(clock_gettime, CLOCK_MONOTONIC, now);
    return now[0] * 1000000 + now[1] / 1000;
}

static bool fail(struct writer *error, const char *why, struct text what)
{
    put(error, text_of(why));
    put(error, what);
    return false;
}

static bool inode_of(const char *path, struct inode *inode)
{
    struct stat st = {0};
    if (is_error(KERNEL(newfstatat, AT_FDCWD, path, &st, 0)))
        return false;
    *inode = (struct inode){st.st_dev, st.st_ino};
    return true;
}

/* No link either: what it leads to has another name. */
static bool is_directory(const char *path, struct inode *inode)
{
    struct stat st = {0};
    KERNEL(newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
    *inode = (struct inode){st.st_dev, st.st_ino};
    return (st.st_mode & S_IFMT) == S_IFDIR;
}

/* A directory that lies on its own, not on the device of /. */
static bool is_mount_point(const char *path, uint64_t dev, uint64_t root)
{
    struct inode inode;
    return is_directory(path, &inode) && inode.dev == dev && inode.dev != root;
}

static bool read_objects(struct writer *error)
{
    struct inode root, proc;
    bool has_tmp = is_directory("/tmp", &sealed.tmp);
    if (!has_tmp && sealed.policy.modes[READ_WRITE_TMP] != MODE_ALLOW)
        return fail(error, "read_write_tmp: there is no directory, but a link or nothing, at ", TEXT("/tmp"));
    if (!has_tmp && !sealed.policy.keeps_tmp)
        return fail(error, "clear_tmp: there is no directory, but a link or nothing, at ", TEXT("/tmp"));
    if (!inode_of("/", &root) || !inode_of("/proc/self/fd", &proc))
        return fail(error, "cannot look at ", TEXT("/proc/self/fd"));
    sealed.tmp_is_mount = sealed.tmp.dev != root.dev;
    sealed.proc_dev = is_mount_point("/proc", proc.dev, root.dev) ? proc.dev : 0;
    for (uint32_t i = 0; i < sealed.policy.child_count; i++) {
        char path[PAGE];
        struct text t = policy_text(&sealed.policy, sealed.policy.child[i].path);
        if (t.len >= sizeof path)
            continue;
        copy_bytes(path, t.at, t.len);
        path[t.len] = 0;
        inode_of(path, &sealed.programs[i]);
    }
    return true;
}

/* /tmp may be a subvolume, which has a device of its own and lies in the file system of / all the same. */
static bool is_root_clear(void)
{
    bool has_log = sealed.log_pipe.ino && !is_nameless_pipe(sealed.log);
    return sealed.tmp_is_mount && !leads_to_root_filesystem("/tmp") && !sealed.handler_on_root && !has_log;
}

/* The engine protects itself as strictly as the strictest policy asks for, of which clear_tmp is one that blocks. Memory that
 * can be written and run is treated as the strictest of the others asks for, where nothing was said of it and the runtime
 * does not need it; a bridge is, whether it needs it or not. */
void derive_modes(struct sealed *s)
{
    uint8_t *modes = s->policy.modes, strictest = MODE_ALLOW;
    for (uint32_t id = 0; id < SELF_PROTECTION; id++)
        if (modes[id] < strictest)
            strictest = modes[id];
    modes[SELF_PROTECTION] = s->policy.keeps_tmp ? strictest : MODE_BLOCK;
    if (s->memory_by_runtime)
        modes[EXECUTABLE_MEMORY] = s->has_jit ? MODE_ALLOW : strictest;
    s->bridge_mode = s->memory_by_runtime ? strictest : modes[EXECUTABLE_MEMORY];
}

void forbid_core_dumps(const struct policy *p)
{
    static const uint64_t none[2];
    if (p->modes[READ_WRITE_TMP] == MODE_BLOCK)
        KERNEL(prlimit64, 0, RLIMIT_CORE, none, 0);
}

/* Where a JDK keeps the program by which it starts others: <home>/bin/java and <home>/lib/jspawnhelper. Not for one
 * that the function itself could have put there. */
static void read_spawn_helper(struct text directory)
{
    char path[PAGE];
    struct writer w = {path, 0, sizeof path, false};
    put(&w, directory);
    put(&w, TEXT("../lib/jspawnhelper"));
    put_char(&w, 0);
    int64_t file = w.full ? -ENAMETOOLONG : KERNEL(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (is_error(file))
        return;
    struct stat st = {0};
    KERNEL(fstat, file, &st);
    if (!may_change((int32_t)file))
        sealed.spawn_helper = (struct inode){st.st_dev, st.st_ino};
    KERNEL(close, file);
}

/* The program that runs in this process. Where the handler's files are depends on its language. */
struct own_program {
    char path[PAGE];
    struct text directory, name; /* with the slash between them in the first */
};

static void find_program(struct own_program *program)
{
    int64_t n = KERNEL(readlinkat, AT_FDCWD, "/proc/self/exe", program->path, sizeof program->path);
    struct text path = {program->path, n > 0 ? (uint32_t)n : 0};
    program->name = base_name(path);
    program->directory = (struct text){path.at, path.len - program->name.len};
    sealed.language = language_from(program->name);
}

static void read_program(const struct own_program *program, const struct start *start)
{
    enum language language = (enum language)sealed.language;
    sealed.stage =
        start->origin == ORIGIN_STARTING && is_wrapper(program->name) ? STAGE_STARTING : STAGE_RUNNING;
    if (language == LANGUAGE_JAVA)
        read_spawn_helper(program->directory);
    sealed.has_jit = language_has_jit(language);
    sealed.memory_by_runtime = sealed.policy.modes[EXECUTABLE_MEMORY] == MODE_BY_RUNTIME;
    derive_modes(&sealed);
}

static bool seal(struct writer *error)
{
    bool well = !is_error(KERNEL(mprotect, &sealed, sizeof sealed, PROT_READ)) &&
                !is_error(KERNEL(mprotect, gate_table, sizeof gate_table, PROT_READ));
    return well || fail(error, "cannot seal the policy", TEXT(""));
}

/* What an earlier attempt left goes, but for the process: other threads may be waiting there for their own attempt. At
 * first there is nothing, and its many pages are not touched. */
static void clear_sealed(void)
{
    static bool again;
    if (!again) {
        again = true;
        return;
    }
    enum { PROCESS = offsetof(struct sealed, process), BEHIND = PROCESS + sizeof sealed.process };
    fill_bytes(&sealed, 0, PROCESS);
    fill_bytes((char *)&sealed + BEHIND, 0, sizeof sealed - BEHIND);
}

static bool arm_process(struct start *start, struct armed_objects *objects)
{
    struct own_program program;
    clear_sealed();
    if (!read_environment(start) || !read_policy(start)) {
        process_begin(); /* for code that may configure later */
        return false;
    }
    /* The wrapper tried them, or a parent did. Until then nothing is called but what loads a program. */
    struct call_results calls;
    if (start->origin == ORIGIN_NONE && !try_calls(&calls))
        return fail(start->error, "out of memory", TEXT(""));
    if (start->origin == ORIGIN_NONE && !has_needed_calls(&calls, &sealed.policy, start->error)) {
        start->is_quiet = is_a_call_deadly(&calls);
        return false;
    }
    start->began = monotonic_micros();
    if (!process_begin())
        return fail(start->error, "out of memory", TEXT(""));
    sealed.seed = start->began ^ (uint64_t)sealed.process; /* after the mapping: its address is random */
    find_program(&program);
    sealed.process_number = (int32_t)KERNEL(getpid);
    if (!read_facts(start))
        return false;
    if (!is_page_size_supported())
        return fail(start->error, "the kernel's pages are not of 4096 bytes", TEXT(""));
    read_program(&program, start);
    if (!read_objects(start->error))
        return false;
    if (start->from_code && reports_anything(&sealed) && has_io_uring())
        return fail(start->error, HAS_RING, TEXT(""));
    /* Where nothing can be reported, a descriptor would only be in the way. */
    sealed.log = reports_anything(&sealed) ? keep_log(start->inherited_log) : 2;
    if (sealed.log > 2)
        own_fd_mark(sealed.log);
    note_log_pipe(&sealed);
    if (!can_clear_tmp(&sealed, start->error))
        return false;
    bool has_parent =
        start->origin >= ORIGIN_RUNNING || start->inherited_log >= 0; /* a wrapper may start programs later */
    watch_tmp(!has_parent, start->from_code);
    sealed.root_is_clear = is_root_clear();
    keep_read_only_mounts(&sealed);
    keep_tmp_directory(&sealed);
    list_guarded_calls();
    gate_table[GATE_READY] = start->origin == ORIGIN_READY; /* a child of a process that was ready */
    guard_calls(gate_table, &sealed);
    if (!process_arm())
        return fail(start->error, "out of memory", TEXT(""));
    sealed.gate = (uint64_t)gate_entry;
    if (!patch_loaded_objects(objects, start->from_code, start->error))
        return false;
    sealed.armed = true;
    if (sealed.policy.modes[OUTBOUND_CONNECTIVITY] != MODE_ALLOW)
        mark_inherited_sockets(); /* sockets that are made from now on are marked by the gate */
    forbid_core_dumps(&sealed.policy);
    return seal(start->error);
}

bool arm(struct start *start, struct armed_objects *objects)
{
    bool well = arm_process(start, objects);
    drop_environment(start);
    return well;
}

void report_armed(const struct armed_objects *objects, uint64_t began)
{
    report_start(sealed.log, &(struct start_line){.event = TEXT("armed"),
                                                  .level = TEXT("INFO"),
                                                  .apart = sealed.is_late,
                                                  .has_modes = true,
                                                  .armed = true,
                                                  .tmp_times = times_of_tmp(),
                                                  .sites = objects->sites,
                                                  .patched = objects->patched,
                                                  .micros = (uint32_t)(monotonic_micros() - began)});
}

__attribute__((constructor)) static void start_engine(void)
{
    char reason[512];
    struct writer error = {reason, 0, sizeof reason, false};
    struct start start = {.inherited_log = -1, .error = &error};
    struct armed_objects objects = {0};
    if (arm(&start, &objects)) {
        /* Children and wrapper scripts are armed too, but the function starts once. */
        if (start.origin != ORIGIN_RUNNING && start.origin != ORIGIN_READY && sealed.stage == STAGE_RUNNING)
            report_armed(&objects, start.began);
        return;
    }
    if (start.nobody_asked)
        return;
    /* Whoever starts a child can see to it that arming fails there: it is never set free. */
    bool is_child = start.origin == ORIGIN_RUNNING || start.origin == ORIGIN_READY;
    bool runs = sealed.policy.on_failure == ON_FAILURE_RUN_UNSHIELDED && objects.patched == 0 && !is_child;
    report_failure(runs, start.is_quiet, &error);
    if (!runs)
        KERNEL(exit_group, REFUSED);
}
