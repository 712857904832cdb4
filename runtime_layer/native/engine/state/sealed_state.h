/* What the engine knows: one block that is filled at start and then sealed read-only, and the little that
 * changes afterwards.
 *
 * Sealing is by page protection; the pages' addresses are among those that memory_syscalls.c refuses to change.
 */
#ifndef SHIELD_SEALED_STATE_H
#define SHIELD_SEALED_STATE_H

#include "../../core/alert.h"
#include "../../core/verdict.h"
#include "../base/gate_layout.h"
#include "../base/raw_syscall.h"

enum {
    MAX_HANDLERS = 32,
    READ_ONLY_MOUNTS = BEHIND_LOG - 1,
    MAX_RESOLVERS = 3,
    ENVIRONMENT_POOL = 61440,
    MAX_SETTINGS = 40
};

struct inode {
    uint64_t dev;
    uint64_t ino;
};

/* A mount, by its number (statx(2)), 0: none, and a reference to its first folder. */
struct kept_mount {
    uint64_t id;
    int32_t directory;
};

/* Where this process is in the life of a function. */
enum stage {
    STAGE_STARTING, /* a program of the wrappers', which may start whatever can be shielded */
    STAGE_RUNNING   /* the runtime itself, or a child of it */
};

struct sealed {
    /* process_state.h: what is this process's own. On the page of the policy's modes, as every judged call looks at both. */
    struct process *process;
    uint64_t gate; /* the address that patched sites call */
    struct policy policy;
    struct always always;
    struct endpoint resolvers[MAX_RESOLVERS];
    uint32_t resolver_count;
    uint16_t search_domains; /* offset of their text in the pool; an empty one: none */

    uint32_t stage;
    uint32_t language;     /* enum language: of the program that runs in this process */
    int32_t log;           /* the function's own stderr, on a high descriptor; -1: none */
    struct inode log_pipe; /* when it is a pipe: whoever reads it takes alerts away */

    struct inode tmp;   /* the directory /tmp */
    bool tmp_is_mount;  /* everything with its device number is in /tmp */
    bool root_is_clear; /* nothing on the mount of / is ever refused: no /tmp, handler or log is there */
    struct kept_mount read_only_mounts[READ_ONLY_MOUNTS]; /* files/read_only_mounts.h */
    int32_t tmp_directory; /* a reference to it (files/open_in_tmp.h); 0: none */
    uint64_t proc_dev; /* of /proc, a mount point, so that nobody can rename or replace it; 0: it is none */

    struct inode handlers[MAX_HANDLERS];
    uint16_t
        handler_names[MAX_HANDLERS]; /* offsets in the pool: the last component of each, links followed */
    uint32_t handler_count;
    bool handlers_have_one_name;      /* in one folder each; also where there are none */
    bool handler_on_root;             /* one of them may have a path on the mount of / */
    struct inode programs[MAX_CHILD]; /* the object of each allow_child_process entry; ino 0: none at start */
    struct inode spawn_helper; /* of this runtime: execs what it is told to (exec.c); ino 0: there is none */

    /* What an allowed child gets back, whatever environment it was given. */
    char environment[ENVIRONMENT_POOL];
    uint16_t settings[MAX_SETTINGS]; /* offsets of `NAME=value` strings in the pool */
    uint32_t setting_count;
    uint16_t preload; /* offset of our library's path */
    struct inode library;
    uint16_t loader;    /* offset of the path of the loader that started this program; an empty text: none */
    uint16_t runtime;   /* offset of the runtime's path; the text is empty when unknown */
    uint16_t task_root; /* offset of the path of the function's own folder; the text is empty when unknown */
    int32_t process_number; /* of the process that was armed */
    uint32_t environment_used;
    uint16_t loader_preload, loader_path; /* LD_PRELOAD and LD_LIBRARY_PATH as they were at the start */
    uint16_t known_sites;                 /* offset of what a parent found out; 0: nothing */
    uint64_t seed;                        /* of the hashes in repeats.h */
    uint32_t origin_used;
    char origin[ORIGIN_MAX]; /* which function this is: how each line begins (alert.h) */

    bool is_late;           /* armed by code (configure.h) */
    bool armed;             /* from here on nothing gets looser */
    bool has_jit;           /* the runtime writes code of its own */
    bool memory_by_runtime; /* nothing was said of executable_memory */
    uint8_t bridge_mode;    /* for foreign-function bridges */
    bool forks_workers;     /* the runtime forks its workers before it is ready (Lambda Managed Instances) */
} __attribute__((aligned(4096)));

extern struct sealed sealed __attribute__((visibility("hidden")));

/* One page that the gate reads first (gate_layout.h). Sealed as well. */
extern uint8_t gate_table[PAGE] __attribute__((visibility("hidden")));

/* The runtime has asked for its first invocation: the handler's source may be locked. */
static inline bool is_ready(void)
{
    return __atomic_load_n(&gate_table[GATE_READY], __ATOMIC_ACQUIRE);
}

/* Does a wrapper's program run in this process, and not yet the runtime? What asks for work is the runtime. */
static inline bool is_starting(void)
{
    return sealed.stage == STAGE_STARTING && !is_ready();
}

struct names *learnt_names(void);
/* Is it one of the function's own name servers? */
bool is_resolver_address(const struct endpoint *to);

#endif
