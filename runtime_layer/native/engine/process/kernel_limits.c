/* Tests: tests/integration/engine/test_kernel_limits.py. */
#include "kernel_limits.h"

#include "../base/linux_abi.h"
#include "../base/procfs.h"
#include "../base/read_file.h"
#include "../base/user_memory.h"
#include "../fds/fd_list.h"
#include "../state/process_state.h"

enum { STACK_MAX = 64 << 20, FILE_MAX = 1 << 20 };

#define REFUSED_BY_KERNEL "the kernel refuses it"

static const uint32_t resources[KERNEL_LIMITS] = {[GROWTH] = RLIMIT_FSIZE, [PROGRAMS] = RLIMIT_STACK};
/* A forked copy inherits the kernel's limits, and these. The thread that has `is_busy` writes `former`, and then the limit's
 * bit in `held` (release). `reported` is only compared, by the threads that report, so relaxed. */
static struct resource_limit former[KERNEL_LIMITS];
static uint8_t held, reported;

static uint8_t held_limits(void)
{
    return __atomic_load_n(&held, __ATOMIC_ACQUIRE);
}

const struct resource_limit *former_limit(uint32_t resource)
{
    for (uint32_t i = 0; i < KERNEL_LIMITS; i++)
        if (resources[i] == resource && held_limits() & 1u << i)
            return &former[i];
    return NULL;
}

static void leave_out_limit(struct kernel_limits *limits, uint32_t i, const char *why, struct text what)
{
    struct writer w = {limits->why_not[i], 0, LIMIT_REASON - 1, false};
    limits->held &= (uint8_t)~(1u << i);
    put_words(&w, why);
    put(&w, what);
    w.at[w.used] = 0;
}

static bool may_raise_limits(void)
{
    struct text status = read_whole_file("/proc/self/status", FILE_MAX), rest = status, line;
    const struct text name = TEXT("CapEff:\t");
    uint32_t digit = 0;
    while (rest.len && text_next(&rest, '\n', &line))
        if (text_starts(line, name) && line.len == name.len + 16)
            digit = (uint8_t)line.at[line.len - 1 - CAP_SYS_RESOURCE / 4];
    drop_whole_file(status, FILE_MAX);
    uint32_t value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    return !digit || value & 1u << CAP_SYS_RESOURCE % 4;
}

/* Sets the limit that there is. */
static bool may_set(uint32_t i)
{
    struct resource_limit now;
    return !is_error(KERNEL(prlimit64, 0, resources[i], 0, &now)) &&
           !is_error(KERNEL(prlimit64, 0, resources[i], &now, 0));
}

/* Whether a folder or file there can be written. On file systems of other machines a folder below may be writable where its
 * root is not; on / as well. The kernel's own file systems keep no file. */
static bool is_writable(const char *at, struct text type)
{
    static const char remote[][9] = {"nfs", "fuse", "9p", "virtiofs", "cifs", "smb", "ceph", "lustre"};
    static const char own[][7] = {"proc", "sysfs", "devpts", "cgroup", "mqueue"};
    struct stat st = {0};
    if (STARTS_ANY(type, own))
        return false;
    if (!at[1] || STARTS_ANY(type, remote))
        return true;
    if (is_error(KERNEL(newfstatat, AT_FDCWD, at, &st, 0)))
        return false;
    bool is_device = (st.st_mode & S_IFMT) != S_IFDIR && (st.st_mode & S_IFMT) != S_IFREG;
    return !is_device && !is_error(KERNEL(faccessat, AT_FDCWD, at, W_OK));
}

/* Finds a writable mount besides /tmp: "device place type rw,options 0 0" (proc(5)). */
static bool has_writable_mount(char *place)
{
    struct text mounts = read_whole_file("/proc/self/mounts", FILE_MAX), rest = mounts, line, field, type;
    struct writer w = {place, 0, LIMIT_REASON - 1, false};
    bool found = !mounts.at;
    while (!found && rest.len && text_next(&rest, '\n', &line)) {
        text_next(&line, ' ', &field);
        text_next(&line, ' ', &field);
        text_next(&line, ' ', &type);
        w.used = 0;
        put(&w, field);
        place[w.used] = 0;
        found = text_starts(line, TEXT("rw")) && !text_equal(field, TEXT("/tmp")) && is_writable(place, type);
    }
    drop_whole_file(mounts, FILE_MAX);
    return found;
}

/* Whether it may make a file longer. A JVM keeps its counters in /tmp open, and .NET the memory of its code, which has its
 * full size at the start. */
static bool makes_file_longer(int32_t descriptor)
{
    char path[64];
    struct stat st = {0};
    int64_t flags = KERNEL(fcntl, descriptor, F_GETFL, 0);
    bool is_written = !is_error(flags) && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
    if (!is_written || is_error(KERNEL(fstat, descriptor, &st)) || (st.st_mode & S_IFMT) != S_IFREG)
        return false;
    bool is_in_tmp = sealed->files.tmp_is_mount && st.st_dev == sealed->files.tmp.dev;
    return !(is_in_tmp && descriptor > 2) &&
           !text_starts(path_of(descriptor, path, sizeof path), TEXT("/memfd:doublemapper"));
}

/* Those that hold already stay. */
static void choose_limits(struct kernel_limits *limits)
{
    char place[LIMIT_REASON];
    struct resource_limit stack = {0, 0};
    fill_bytes(limits, 0, sizeof *limits);
    limits->held = policy_kernel_limits(&sealed->policy) & (uint8_t)~held_limits();
    bool may_raise = limits->held && may_raise_limits();
    for (uint32_t i = 0; i < KERNEL_LIMITS; i++)
        if (limits->held & 1u << i && (may_raise || !may_set(i)))
            leave_out_limit(limits, i, may_raise ? "this process has CAP_SYS_RESOURCE" : REFUSED_BY_KERNEL,
                            TEXT(""));
    if (limits->held & NO_GROWTH && has_writable_mount(place))
        leave_out_limit(limits, GROWTH, "a mount besides /tmp can be written: ", text_of(place));
    else if (limits->held & NO_GROWTH && for_each_descriptor(makes_file_longer) != NONE_OF_THEM)
        leave_out_limit(limits, GROWTH, "a file or memory file is open for writing", TEXT(""));
    if (limits->held & NO_PROGRAMS && sealed->files.spawn_helper.ino)
        leave_out_limit(limits, PROGRAMS, "alerts need the JDK's jspawnhelper, which is a program", TEXT(""));
    else if (limits->held & NO_PROGRAMS &&
             (is_error(KERNEL(prlimit64, 0, RLIMIT_STACK, 0, &stack)) || stack.soft > STACK_MAX))
        leave_out_limit(limits, PROGRAMS, "the main stack may grow beyond 64 MB", TEXT(""));
}

const struct kernel_limits *plan_kernel_limits(struct kernel_limits *limits)
{
    choose_limits(limits);
    limits->held |= held_limits();
    __atomic_store_n(&reported, limits->held, __ATOMIC_RELAXED);
    return limits;
}

static bool find_main_stack(void *context, const struct mapping *m)
{
    if (text_equal(m->path, TEXT("[stack]")))
        *(uint64_t *)context = m->high;
    return *(uint64_t *)context;
}

/* Lets the main stack have its full size now, as the kernel then grows it no further: a read makes it grow (setrlimit(2)). */
static bool grow_main_stack(void)
{
    struct resource_limit stack;
    uint64_t end = 0, word;
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return false;
    each_mapping(scratch->line, sizeof scratch->line, find_main_stack, &end);
    scratch_give(scratch);
    return end && !is_error(KERNEL(prlimit64, 0, RLIMIT_STACK, 0, &stack)) &&
           read_user(&word, end - page_down(stack.soft), sizeof word);
}

/* A write beyond the limit would end the process (getrlimit(2)), where nothing handles its signal. */
static bool ignore_excess(void)
{
    uint64_t action[4] = {1 /* SIG_IGN */}, now[4];
    return !is_error(KERNEL(rt_sigaction, SIGXFSZ, 0, now, 8)) &&
           (now[0] || !is_error(KERNEL(rt_sigaction, SIGXFSZ, action, 0, 8)));
}

/* Where the process can raise the limit again, that puts the former one back. */
static bool lower(uint32_t i)
{
    static const struct resource_limit none;
    return (i == GROWTH ? ignore_excess() : grow_main_stack()) &&
           !is_error(KERNEL(prlimit64, 0, resources[i], &none, &former[i])) &&
           is_error(KERNEL(prlimit64, 0, resources[i], &former[i], 0));
}

void hold_kernel_limits(void)
{
    static bool is_busy;
    struct kernel_limits limits;
    if (__atomic_exchange_n(&is_busy, true, __ATOMIC_ACQ_REL))
        return;
    choose_limits(&limits);
    for (uint32_t i = 0; i < KERNEL_LIMITS; i++) {
        if (!(limits.held & 1u << i))
            continue;
        if (lower(i))
            __atomic_fetch_or(&held, (uint8_t)(1u << i), __ATOMIC_RELEASE);
        else
            leave_out_limit(&limits, i, REFUSED_BY_KERNEL, TEXT(""));
    }
    limits.held = held_limits();
    if (__atomic_exchange_n(&reported, limits.held, __ATOMIC_RELAXED) != limits.held)
        report_kernel_limits(&limits);
    __atomic_store_n(&is_busy, false, __ATOMIC_RELEASE);
}
