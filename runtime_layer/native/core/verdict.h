/* Decides, by a policy and facts, to deny, alert or allow. Pure; the engine and the Python API both use it.
 *
 * Zero means deny, so a verdict that was not filled denies.
 */
#ifndef SHIELD_VERDICT_H
#define SHIELD_VERDICT_H

#include "alert.h"
#include "aws.h"
#include "learned_addresses.h"
#include "policy.h"
#include "runtime_profile.h"

enum action { ACTION_DENY, ACTION_ALERT, ACTION_ALLOW };

enum reason {
    REASON_NOT_LISTED,
    REASON_MODE_ALLOW,  /* the policy's mode is allow */
    REASON_LISTED,      /* an allow list entry */
    REASON_AWS,         /* an AWS endpoint */
    REASON_ALWAYS,      /* loopback, Runtime API, X-Ray daemon, resolver; the runtime's own needs */
    REASON_SERVER_NAME, /* a TLS client that names another server */
    REASON_INTERNAL,    /* a name that resolves to a link-local, multicast or metadata address */
    REASON_FAMILY,      /* an address family that is never allowed */
    REASON_STATIC,      /* a program that the library cannot be loaded into */
    REASON_HANDLER,
    REASON_EXECUTABLE_MEMORY,
    REASON_SELF_PROTECTION,
    REASON_PACKAGE, /* it came through none of the packages that the entries name */
    REASON_DENIED,  /* a deny_outbound entry, in every mode */
    REASON_COUNT
};

struct verdict {
    uint8_t action; /* enum action */
    uint8_t policy; /* enum policy_id */
    uint8_t reason; /* enum reason */
    uint16_t rule;  /* the entry that allowed or (REASON_DENIED) refused it, or RULE_AWS, or RULE_NONE */
};

/* Endpoints that are allowed by any policy; filled by the engine at start. */
enum { ALWAYS_MAX = 8 };
struct always {
    uint32_t count;
    struct endpoint endpoints[ALWAYS_MAX]; /* port 0: any */
};

/* The verdict of a policy's mode on an act that no list admits. */
struct verdict verdict_unlisted(const struct policy *p, enum policy_id id, enum reason reason);

/* The verdict on outbound bytes that hide their server name: where names are denied in every mode, so are these. */
struct verdict verdict_unread(const struct policy *p);
/* Whether an entry of deny_outbound refuses everything that this entry of allow_outbound admits. */
bool verdict_covers_rule(const struct policy *p, const struct outbound_rule *rule, uint16_t *by);

/* The look-up of a canonical name. Single-label names ("localhost") and names under .local are judged like any other. The
 * empty name (root) is denied. */
struct verdict verdict_name(const struct policy *p, struct text name);
/* The AWS endpoints that the policy admits. */
struct aws_limits verdict_aws_limits(const struct policy *p);
/* Moves *rule to the next rule that admits the name too, perhaps at another port. False: none. */
bool verdict_further_rule(const struct policy *p, struct text name, uint16_t *rule);
/* The use of an address of this name at this port. False `whole`: only the end of the name is known. */
struct verdict verdict_host(const struct policy *p, struct text name, bool whole, uint16_t port,
                            enum protocol protocol);
/* The use of an address: connect(2), sendto(2). `learned` may be NULL. */
struct verdict verdict_endpoint(const struct policy *p, const struct always *always,
                                const struct names *learned, const struct endpoint *to,
                                enum protocol protocol);
/* The packages in the entry that allowed it; empty: none. */
struct text verdict_packages(const struct policy *p, struct verdict verdict);
/* Whether each entry that admits the address names packages, and the call came through none of them. */
bool verdict_is_by_others(const struct policy *p, const struct names *learned, const struct endpoint *to,
                          enum protocol protocol, const struct source_place *place);
/* Whether an answer's address is learned for this name. Internal addresses are not, unless one is listed. */
bool verdict_may_learn(const struct policy *p, const struct address *ip);
/* Whether allow_tmp lists the path, as verdict_tmp takes it. */
bool is_listed_tmp(const struct policy *p, struct text path);
/* Whether allow_tmp also lists every path below it; `*` of a pattern lists nothing deeper. */
bool is_all_listed_tmp(const struct policy *p, struct text path);
/* A path under /tmp (absolute, without symlinks, "." or ".."); /tmp itself included. */
struct verdict verdict_tmp(const struct policy *p, struct text path, enum language language,
                           enum tmp_use use);

/* The object in this file (its name without folders; empty: unknown) makes memory executable. */
struct verdict verdict_executable_memory(const struct policy *p, struct text file_name);
/* The load of a library with which a language can make any call; `name` is as allow_executable_memory lists it. Without a
 * setting for executable_memory, the strictest mode of the others decides, even where the runtime needs such memory.
 * block_foreign_functions denies it in every mode. */
struct verdict verdict_bridge(const struct policy *p, struct text name, bool memory_by_runtime);

enum program_kind { PROGRAM_DYNAMIC, PROGRAM_STATIC /* or set-uid, foreign, unreadable */ };
/* The start of a program. `listed` is the index of the child rule with the same device and inode, as a path has many
 * spellings; with -1, the path's text is compared. A static program would escape every policy: unless an `unshielded:`
 * entry admits it, the strictest mode of outbound_connectivity, read_write_tmp, create_child_process and read_handler
 * decides, and clear_tmp denies it. */
struct verdict verdict_program(const struct policy *p, struct text path, int listed, enum program_kind kind);

/* The allow_outbound entry for a host (or, when that is empty, an address) at a port; 0: any port. */
void put_outbound_entry(struct writer *w, struct text host, const struct address *ip, uint16_t port);

struct text reason_name(uint8_t reason);

#endif
