/* The table of probes, and the probes that make system calls which a sandbox may refuse.
 *
 * Each probe runs in its own child (probe_runner.h), and may change that child in any way.
 * Tests: tests/integration/launcher/test_doctor.py. */
#define _GNU_SOURCE
#include "probes.h"

#include "host_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, STATX_MNT_ID_BIT = 0x1000, IO_URING_PARAMS_BYTES = 120 };

static void probe_prctl_get(struct finding *f)
{
    char name[16];
    record_result(f, prctl(PR_GET_NAME, name, 0, 0, 0));
}

static void probe_prctl_set(struct finding *f)
{
    record_result(f, prctl(PR_SET_NAME, "shield", 0, 0, 0));
}

static void probe_set_no_new_privs(struct finding *f)
{
    record_result(f, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* Makes a harmless call of seccomp(2): EPERM means that the call itself is filtered. */
static void probe_seccomp(struct finding *f)
{
    uint32_t action = SECCOMP_RET_USER_NOTIF;
    record_result(f, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
}

static long install_filter(unsigned flags)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* seccomp(2) gives EACCES when only no_new_privs (or CAP_SYS_ADMIN) is lacking. */
static void try_filter(struct finding *f, unsigned flags)
{
    uint32_t action = SECCOMP_RET_ALLOW;
    record_result(f, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
    if (f->outcome != OUTCOME_WORKS) {
        if (f->outcome == OUTCOME_REFUSED)
            snprintf(f->text, sizeof f->text, "filtered");
        return;
    }
    record_result(f, install_filter(flags));
    if (f->error != EACCES)
        return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        snprintf(f->text, sizeof f->text, "only lacks no_new_privs, which prctl refuses");
        return;
    }
    record_result(f, install_filter(flags));
    if (f->outcome == OUTCOME_WORKS)
        snprintf(f->text, sizeof f->text, "works after no_new_privs");
}

static void probe_seccomp_filter(struct finding *f)
{
    try_filter(f, 0);
}

static void probe_seccomp_notify(struct finding *f)
{
    try_filter(f, SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static void probe_ptrace(struct finding *f)
{
    record_result(f, ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static void probe_landlock(struct finding *f)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    record_result(f, abi);
    if (abi >= 0)
        record_text(f, "ABI %ld", abi);
}

static void probe_user_namespace(struct finding *f)
{
    record_result(f, unshare(CLONE_NEWUSER));
}

static void probe_memfd(struct finding *f)
{
    record_result(f, syscall(SYS_memfd_create, "shield", MFD_CLOEXEC));
}

static void probe_pidfd_open(struct finding *f)
{
    record_result(f, syscall(SYS_pidfd_open, getpid(), 0));
}

/* Starts a child, which the probe inspects as a supervisor would inspect the function. It ends by itself. */
static pid_t start_subject(void)
{
    pid_t subject = fork();
    if (subject == 0) {
        sigset_t none;
        sigemptyset(&none);
        alarm(TRIAL_SECONDS);
        sigsuspend(&none);
        _exit(0);
    }
    return subject;
}

static void end_subject(pid_t subject)
{
    kill(subject, SIGKILL);
    waitpid(subject, NULL, 0);
}

static void probe_pidfd_getfd(struct finding *f)
{
    int pair[2];
    if (pipe(pair) != 0) {
        record_result(f, -1);
        return;
    }
    pid_t subject = start_subject();
    if (subject < 0) {
        record_result(f, -1);
        return;
    }
    long pidfd = syscall(SYS_pidfd_open, subject, 0);
    record_result(f, pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, pair[0], 0));
    end_subject(subject);
}

static void probe_process_vm_readv(struct finding *f)
{
    static volatile uint32_t here = 0x5348;
    uint32_t there = 0;
    pid_t subject = start_subject();
    if (subject < 0) {
        record_result(f, -1);
        return;
    }
    struct iovec to = {&there, sizeof there}, from = {(void *)&here, sizeof here};
    record_result(f, process_vm_readv(subject, &to, 1, &from, 1, 0));
    if (f->outcome == OUTCOME_WORKS && there != here)
        record_no(f, "read other bytes than were written");
    end_subject(subject);
}

/* Starts a copy of this program that its user may run and not read. It waits in its first message, for a full pipe. */
static pid_t start_unreadable(int program, int full, int started)
{
    pid_t subject = fork();
    if (subject == 0) {
        static char *const argv[] = {"unreadable", "-", NULL}, *const envp[] = {"MARK=1", NULL};
        alarm(TRIAL_SECONDS);
        dup2(full, STDERR_FILENO);
        syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
        _exit(write(started, "", 1) == 1); /* otherwise the exec has closed it */
    }
    return subject;
}

/* The kernel hides the process of a program that the user cannot read (proc(5): /proc/pid/environ; prctl(2):
 * PR_SET_DUMPABLE). A memory file of mode 0111 stands for a layer's program of mode 0711 and another owner. */
static void probe_unreadable_program(struct finding *f)
{
    char path[64], byte;
    int full[2], started[2], own = open("/proc/self/exe", O_RDONLY),
                             file = (int)syscall(SYS_memfd_create, "program", MFD_CLOEXEC);
    struct stat facts;
    if (own < 0 || file < 0 || fstat(own, &facts) != 0 || pipe(full) != 0 || pipe2(started, O_CLOEXEC) != 0 ||
        sendfile(file, own, NULL, (size_t)facts.st_size) != facts.st_size || fchmod(file, 0111) != 0) {
        record_result(f, -1);
        return;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int program = open(path, O_PATH | O_CLOEXEC);
    close(file); /* a file that is open for writing does not start */
    fcntl(full[1], F_SETFL, O_NONBLOCK);
    static const char page[PAGE_BYTES];
    while (write(full[1], page, sizeof page) > 0)
        ;
    fcntl(full[1], F_SETFL, 0);
    pid_t subject = start_unreadable(program, full[1], started[1]);
    close(started[1]);
    snprintf(path, sizeof path, "/proc/%d/environ", subject);
    if (subject < 0 || read(started[0], &byte, 1) != 0)
        record_no(f, "it does not start");
    else if (open(path, O_RDONLY) >= 0)
        record_no(f, "its environment can be read");
    else
        record_result(f, errno == EACCES ? 0 : -1);
    end_subject(subject);
}

static void probe_io_uring(struct finding *f)
{
    _Alignas(8) char params[IO_URING_PARAMS_BYTES] = {0};
    record_result(f, syscall(SYS_io_uring_setup, 1, params));
}

static void probe_clone3(struct finding *f)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &arguments, CLONE_ARGS_SIZE_VER0);
    if (child == 0)
        _exit(0);
    record_result(f, child);
    if (child > 0)
        waitpid((pid_t)child, NULL, 0);
}

static void probe_statx_mount_id(struct finding *f)
{
    struct statx st;
    record_result(f, statx(AT_FDCWD, "/", 0, STATX_MNT_ID_BIT, &st));
    if (f->outcome == OUTCOME_WORKS && !(st.stx_mask & STATX_MNT_ID_BIT))
        record_no(f, "gives no mount number");
}

/* A function that returns, in machine code. */
#if defined(__x86_64__)
static const unsigned char return_code[] = {0xc3};
#elif defined(__aarch64__)
static const unsigned char return_code[] = {0xc0, 0x03, 0x5f, 0xd6};
#endif

static void probe_executable_memory(struct finding *f)
{
    void *at = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        record_result(f, -1);
        return;
    }
    memcpy(at, return_code, sizeof return_code);
    record_result(f, mprotect(at, PAGE_BYTES, PROT_READ | PROT_EXEC));
    if (f->outcome != OUTCOME_WORKS)
        return;
    __builtin___clear_cache(at, (char *)at + sizeof return_code);
    ((void (*)(void))at)();
}

/* As the process engine patches libc: makes a page of a file's code writable, writes to it, and runs it. */
static void probe_patch_code(struct finding *f)
{
    uintptr_t page = (uintptr_t)probe_executable_memory & ~(uintptr_t)(PAGE_BYTES - 1);
    record_result(f, mprotect((void *)page, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC));
    if (f->outcome != OUTCOME_WORKS)
        return;
    volatile unsigned char *code = (volatile unsigned char *)page;
    *code = *code;
    __builtin___clear_cache((char *)page, (char *)page + PAGE_BYTES);
    record_result(f, mprotect((void *)page, PAGE_BYTES, PROT_READ | PROT_EXEC));
    if (f->outcome == OUTCOME_WORKS)
        probe_executable_memory(f);
}

/* A hard limit that was lowered must stay, or native code would raise it again (setrlimit(2)). */
static void probe_hard_limits(struct finding *f)
{
    static const struct rlimit none;
    struct rlimit former;
    getrlimit(RLIMIT_FSIZE, &former);
    record_result(f, setrlimit(RLIMIT_FSIZE, &none));
    if (f->outcome == OUTCOME_WORKS && setrlimit(RLIMIT_FSIZE, &former) == 0)
        record_no(f, "can be raised again");
}

static void probe_protection_keys(struct finding *f)
{
    record_result(f, syscall(SYS_pkey_alloc, 0, 0));
}

#define NEEDED_TO_ARM "the process engine cannot arm: the function would be refused"
#define FOR_KERNEL_ENGINE "an engine in the kernel could use it"
#define NO_KERNEL_ENGINE "an engine in the kernel cannot use it; the process engine does not need it"

const struct probe probes[] = {
    {"kernel", fact_kernel, "the kernel's release", "unknown"},
    {"architecture", fact_architecture, "the machine", "unknown"},
    {"user", fact_user, "the user of the function", "unknown"},
    {"no_new_privs", fact_no_new_privs, "1: set-uid programs gain nothing, and a filter may be installed",
     "unknown"},
    {"seccomp_mode", fact_seccomp_mode, "filter: the host already filters system calls", "unknown"},
    {"prctl_get_name", probe_prctl_get, "prctl reads",
     "prctl is filtered, even for reading; the shield does not need it"},
    {"prctl_set_name", probe_prctl_set, "prctl writes", "prctl is filtered; the shield does not need it"},
    {"prctl_no_new_privs", probe_set_no_new_privs, "an unprivileged process may prepare for a filter",
     "an unprivileged process cannot prepare for a filter"},
    {"seccomp", probe_seccomp, "seccomp is not filtered", "seccomp itself is filtered or missing"},
    {"seccomp_filter", probe_seccomp_filter, "a filter can be installed", "no filter can be installed"},
    {"seccomp_notify", probe_seccomp_notify, "a supervisor can be asked: the kernel engine's base",
     "no supervisor can be asked: only the process engine can run here"},
    {"ptrace", probe_ptrace, "debuggers work; the shield does not need them",
     "debuggers do not work; the shield does not need them"},
    {"landlock", probe_landlock, FOR_KERNEL_ENGINE, NO_KERNEL_ENGINE},
    {"user_namespaces", probe_user_namespace, "sandboxes that need a namespace work",
     "sandboxes that need a namespace fail"},
    {"memfd_create", probe_memfd, "programs may come from memory: the shield judges that",
     "programs cannot come from memory"},
    {"pidfd_open", probe_pidfd_open, FOR_KERNEL_ENGINE, NO_KERNEL_ENGINE},
    {"pidfd_getfd", probe_pidfd_getfd, FOR_KERNEL_ENGINE, NO_KERNEL_ENGINE},
    {"process_vm_readv", probe_process_vm_readv, FOR_KERNEL_ENGINE, NO_KERNEL_ENGINE},
    {"io_uring", probe_io_uring, "calls could go round the gate: the shield denies it",
     "no way round the gate here"},
    {"clone3", probe_clone3, "new threads and processes by clone3", "libc falls back on clone"},
    {"statx_mount_id", probe_statx_mount_id, "mounts have their own numbers",
     "mounts are compared by device; the shield does not need more"},
    {"executable_memory", probe_executable_memory, "trampolines and JIT compilers work", NEEDED_TO_ARM},
    {"patch_code", probe_patch_code, "the process engine can put its gate in front of libc", NEEDED_TO_ARM},
    {"hard_limits", probe_hard_limits, "the kernel can hold files and programs against native code",
     "no limit of the kernel stands behind the shield"},
    {"protection_keys", probe_protection_keys, FOR_KERNEL_ENGINE, NO_KERNEL_ENGINE},
    {"unreadable_program", probe_unreadable_program, "a process of the shield could hide from the function",
     "no process of the function's user hides from it"},
    {"opt", fact_opt, "the owner and mode of the layers' folder", "there are no layers"},
    {"tmp", fact_tmp, "files in /tmp are known by their device: opens stay fast",
     "opens cost a path lookup each while read_write_tmp is not allow"},
    {"dev_shm", fact_dev_shm, "POSIX shared memory and semaphores work",
     "no POSIX shared memory or semaphores"},
    {"proc_self_fd", fact_proc_fd, "opened files can be named", NEEDED_TO_ARM},
    {"descriptors", fact_descriptors, "how many files may be open; the shield keeps one", "unknown"},
};
const size_t probe_count = sizeof probes / sizeof *probes;
