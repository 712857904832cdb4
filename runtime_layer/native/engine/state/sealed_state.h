/* The engine's state: one block that is filled at the start and then made read-only.
 *
 * memory_syscalls.c refuses changes of these pages. While the shield arms, one file of boot/ writes each part, or passes a
 * struct in it to the folder that fills it.
 */
#ifndef SHIELD_SEALED_STATE_H
#define SHIELD_SEALED_STATE_H

#include "../../core/alert.h"
#include "../../core/verdict.h"
#include "../base/filesystem.h"
#include "../base/gate_layout.h"

enum {
    MAX_HANDLERS = 32,
    READ_ONLY_MOUNTS = BEHIND_LOG - 1,
    MAX_RESOLVERS = 3,
    TEXT_POOL = 61440, /* offsets in it have 16 bits */
    MAX_SETTINGS = 40,
    HANDLER_NAME = 256, /* NAME_MAX, and its end */
    HANDLER_SETTINGS = 4
};

/* A mount: its id (statx(2)), 0: none, and a reference to its root. */
struct kept_mount {
    uint64_t id;
    int32_t directory;
};

/* The stage of a function's life in this process. */
enum stage {
    STAGE_STARTING, /* a wrapper's program, which may start any program that can be shielded */
    STAGE_RUNNING   /* the runtime itself, or a child of it */
};

/* Texts of this process, and settings for allowed children (child_settings.h), as offsets in the pool; 0: an empty text. */
struct kept_texts {
    char pool[TEXT_POOL];
    uint32_t used;
    uint16_t settings[MAX_SETTINGS]; /* of `NAME=value` */
    uint32_t setting_count;
};

struct own_library {
    uint16_t path; /* a kept text */
    struct inode inode;
};

/* The program that runs here, and its environment: boot/process_facts.c. */
struct process_facts {
    struct kept_texts texts;
    uint16_t loader;                      /* path of the loader that started this program; empty: none */
    uint16_t runtime;                     /* path of the runtime; empty when unknown */
    uint16_t task_root;                   /* path of the function's own folder; empty when unknown */
    uint16_t handlers[HANDLER_SETTINGS];  /* `app.handler`, by each variable that names one */
    uint16_t loader_preload, loader_path; /* LD_PRELOAD and LD_LIBRARY_PATH as they were at the start */
    uint16_t known_sites;                 /* from the parent (site_cache.h); empty: none */
    uint16_t search_domains;              /* of resolv.conf(5) */
    struct own_library library;
    uint32_t origin_used;
    char origin[ORIGIN_MAX]; /* identifies the function: the beginning of each line (alert.h) */
    int32_t number;          /* the pid of the armed process */
    uint64_t seed;           /* of the hashes in left_out.h */
    uint64_t gate;           /* the address that patched sites call */
    bool is_late;            /* armed by code (configure.c) */
    bool armed;              /* from here on, modes only get stricter */
    bool memory_by_runtime;  /* executable_memory was not set */
    bool forks_workers;      /* the runtime forks its workers before it is ready (Lambda Managed Instances) */
    struct always always;
    struct endpoint resolvers[MAX_RESOLVERS];
    uint32_t resolver_count;
    struct inode log_pipe; /* when the log is a pipe, which the function must not read */
    int32_t log;           /* the function's own stderr, on a high descriptor; -1: none */
    uint32_t language;     /* enum language */
    uint32_t stage;
    struct process *own; /* process_state.h; the last, so that it is on the page of the policy's modes */
};

/* The files that hold the handler's source: files/handler_files.c. */
struct handlers {
    struct inode inodes[MAX_HANDLERS];
    char names[MAX_HANDLERS][HANDLER_NAME]; /* the last component of each, links followed */
    uint32_t count;
    bool have_one_name; /* each has one name, in one folder; true without handlers */
    bool are_on_root;   /* one of them may have a path on the mount of / */
};

/* The objects that verdicts compare with: boot/file_facts.c. */
struct file_facts {
    struct inode tmp;   /* the directory /tmp */
    bool tmp_is_mount;  /* everything with its device number is in /tmp */
    bool root_is_clear; /* nothing on the mount of / is refused: no /tmp, handler or log lies there */
    struct kept_mount read_only_mounts[READ_ONLY_MOUNTS]; /* files/open_fastpath.h */
    int32_t tmp_directory; /* a reference to it (files/open_fastpath.h); 0: none */
    struct handlers handlers;
    struct inode programs[MAX_CHILD]; /* the object of each allow_child_process entry; ino 0: none */
    struct inode spawn_helper;        /* the JDK's, which execs programs (exec.c); ino 0: there is none */
};

struct sealed {
    struct process_facts process;
    struct policy policy; /* boot/environment_policy.c */
    struct file_facts files;
} __attribute__((aligned(4096)));
_Static_assert(offsetof(struct sealed, process.own) / PAGE ==
                   (offsetof(struct sealed, policy.modes) + POLICY_COUNT - 1) / PAGE,
               "every judged call reads both");

/* Only boot/ writes it. */
extern struct sealed sealed_block __attribute__((visibility("hidden")));
static const struct sealed *const sealed = &sealed_block;

static inline struct text kept_text(uint16_t at)
{
    return text_of(sealed->process.texts.pool + at);
}

/* The page that the gate reads first (gate_layout.h), sealed too. */
extern uint8_t gate_table[PAGE] __attribute__((visibility("hidden")));

/* Whether the runtime has asked for its first invocation, so that the handler's source is locked. */
static inline bool is_ready(void)
{
    return __atomic_load_n(&gate_table[GATE_READY], __ATOMIC_ACQUIRE);
}

/* Whether a wrapper's program runs in this process, before the runtime. Only the runtime asks for events. */
static inline bool is_starting(void)
{
    return sealed->process.stage == STAGE_STARTING && !is_ready();
}

struct names *learned_names(void);
/* Whether it is one of the function's own name servers. */
bool is_resolver_address(const struct endpoint *to);

#endif
