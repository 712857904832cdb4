/* The policy, as fixed structs; setting_table.h reads it from text.
 *
 * Zero is the strict value of each field, so a struct that was never filled denies.
 */
#ifndef SHIELD_POLICY_H
#define SHIELD_POLICY_H

#include "endpoint.h"
#include "text.h"

enum policy_id {
    OUTBOUND_CONNECTIVITY,
    READ_WRITE_TMP,
    CREATE_CHILD_PROCESS,
    READ_HANDLER,
    EXECUTABLE_MEMORY,
    SELF_PROTECTION, /* not a setting: as strict as the strictest */
    POLICY_COUNT
};

enum mode { MODE_BLOCK, MODE_ALERT, MODE_ALLOW };

/* executable_memory may depend on the runtime: block without a JIT, allow with one. */
enum { MODE_BY_RUNTIME = 3 };

enum on_failure { ON_FAILURE_REFUSE, ON_FAILURE_RUN_UNSHIELDED };

enum aws_scope { AWS_NONE, AWS_ALL, AWS_LISTED };

enum {
    MAX_OUTBOUND = 512,
    MAX_DENIED = 256,
    MAX_TMP = 128,
    MAX_CHILD = 128,
    MAX_MEMORY = 32,
    MAX_AWS_SERVICES = 64,
    POLICY_POOL = 32768
};

/* A piece of text in the policy's own pool: without pointers, a policy can be copied and sealed as it is. */
struct pooled {
    uint16_t at;
    uint16_t len;
};

enum outbound_kind {
    OUTBOUND_NAME,
    OUTBOUND_SUFFIX, /* *.domain */
    OUTBOUND_NETWORK
};

/* Zero: both, and other protocols (SCTP, MPTCP's own number, ...). */
enum outbound_protocol { ANY_PROTOCOL, ONLY_TCP, ONLY_UDP };

struct outbound_rule {
    struct pooled entry;    /* the whole entry in canonical form, as shown in errors and in `allow` */
    struct pooled name;     /* NAME: the host; SUFFIX: ".domain" with the dot */
    struct pooled packages; /* the packages that calls should come through (packages.h); empty: any */
    struct address network; /* NETWORK */
    uint8_t prefix;         /* NETWORK: significant bits, 0-32 or 0-128 */
    uint8_t kind;
    uint8_t protocol; /* enum outbound_protocol */
    uint16_t port;    /* 0: any port */
};

struct child_rule {
    struct pooled path;
    bool unshielded; /* `unshielded:/path`: may run without our library (static programs) */
};

enum node_callers { CALLERS_BY_RUNTIME, CALLERS_OFF, CALLERS_ON };

struct policy {
    uint8_t modes[POLICY_COUNT];
    uint8_t on_failure;
    uint8_t aws;
    bool skip_server_name; /* SHIELD_CHECK_TLS_NAME=off */
    bool hide_arguments;   /* SHIELD_LOG_ARGUMENTS=off, the default */
    bool denies_names;     /* SHIELD_DENY_OUTBOUND lists a host, not only networks */
    uint8_t node_callers;  /* SHIELD_NODE_CALLERS: enum node_callers */
    uint8_t keeps_tmp;     /* SHIELD_CLEAR_TMP=off: zero is the strict value of a mode as well */
    uint8_t loads_bridges; /* SHIELD_BLOCK_FOREIGN_FUNCTIONS=off, likewise */
    uint8_t skips_limits;  /* SHIELD_KERNEL_LIMITS=off, likewise */
    uint16_t outbound_count, denied_count, tmp_count, child_count, memory_count, aws_count;
    uint16_t pool_used;
    uint16_t settings_seen; /* how many SHIELD_* settings were given: 0 means there is no policy at all */
    uint32_t seen;          /* which ones, one bit each */
    uint32_t seen_here;     /* the ones of the current source (policy_next_source) */
    struct pooled region;   /* AWS_REGION, the function's own; empty when unknown: no AWS name is admitted */
    struct pooled
        account; /* SHIELD_ACCOUNT_ID, the function's own; empty: names of any account are admitted */
    struct pooled buckets; /* the only buckets of S3, with commas between them; empty: any bucket */
    struct pooled next_wrapper;
    struct pooled policy_file;
    struct outbound_rule outbound[MAX_OUTBOUND];
    struct outbound_rule denied[MAX_DENIED]; /* refused in every mode */
    struct pooled tmp[MAX_TMP];              /* globs, each begins with /tmp */
    struct child_rule child[MAX_CHILD];
    struct pooled
        memory[MAX_MEMORY]; /* names of objects (object_names.h) that may ask for executable memory */
    uint16_t aws_services[MAX_AWS_SERVICES]; /* indexes into the AWS service table (aws.h) */
    char pool[POLICY_POOL];
};

/* Whether connections, datagrams and look-ups are judged. Also in mode allow, where a list refuses some. */
bool policy_judges_outbound(const struct policy *p);

/* Whether deny_outbound, clear_tmp or block_foreign_functions refuses something in every mode. */
bool policy_always_refuses(const struct policy *p);

/* The resource limits of the kernel that may hold beside the gate, as bits: where the policy lists nothing that one forbids. */
enum kernel_limit { NO_GROWTH = 1, NO_PROGRAMS = 2 };
uint8_t policy_kernel_limits(const struct policy *p);

struct text policy_text(const struct policy *p, struct pooled at);
struct text policy_name(enum policy_id id); /* "outbound_connectivity" */
struct text mode_name(uint8_t mode);        /* "block", ..., "by_runtime" */
/* The severity of a violation, as `severity_of` in shielded_function_monitoring/filters.py. `blocks`: policy_blocks. `path`: of
 * a program. `reason`: as a line has it. */
enum severity { CRITICAL, WARNING, NOTICE };
enum severity severity_of(uint32_t policy, uint32_t mode, bool blocks, struct text path, struct text reason);
struct text severity_name(enum severity severity);
/* The log level, as `level_of` there: alarms separate critical violations by it. */
struct text severity_level(enum severity severity, struct text reason);
bool mode_from(struct text t, uint8_t *mode);     /* exactly block, alert or allow */
enum mode strictest_mode(const struct policy *p); /* of those that can be set */
bool policy_blocks(const struct policy *p);       /* whether it sets a control to block */

#endif
