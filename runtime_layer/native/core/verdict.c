/* Decides about events; see verdict.h. The caller has resolved paths, symlinks and programs.
 * Tests: tests/unit/core/test_verdict.py, tests/unit/core/test_verdict_outbound.py. */
#include "verdict.h"

#include "glob.h"
#include "object_names.h"
#include "packages.h"

static struct verdict make_allowed(enum policy_id id, enum reason reason, uint16_t rule)
{
    return (struct verdict){
        .action = ACTION_ALLOW, .policy = (uint8_t)id, .reason = (uint8_t)reason, .rule = rule};
}

static uint8_t action_of_mode(uint8_t mode)
{
    switch (mode) {
    case MODE_ALERT: return ACTION_ALERT;
    case MODE_ALLOW: return ACTION_ALLOW;
    default: /* block, and an unresolved MODE_BY_RUNTIME */ return ACTION_DENY;
    }
}

struct verdict verdict_unlisted(const struct policy *p, enum policy_id id, enum reason reason)
{
    if (p->modes[id] == MODE_ALLOW)
        return make_allowed(id, REASON_MODE_ALLOW, RULE_NONE);
    return (struct verdict){.action = action_of_mode(p->modes[id]),
                            .policy = (uint8_t)id,
                            .reason = (uint8_t)reason,
                            .rule = RULE_NONE};
}

static bool rule_names(const struct policy *p, const struct outbound_rule *rule, struct text name, bool whole)
{
    struct text wanted = policy_text(p, rule->name);
    if (rule->kind == OUTBOUND_NAME)
        return whole && text_equal(name, wanted);
    return rule->kind == OUTBOUND_SUFFIX && name.len > wanted.len && text_ends(name, wanted);
}

/* Another protocol than TCP and UDP passes only where the entry names none. */
static bool rule_protocol(const struct outbound_rule *rule, enum protocol protocol)
{
    switch (rule->protocol) {
    case ANY_PROTOCOL: return true;
    case ONLY_TCP: return protocol == PROTOCOL_TCP;
    case ONLY_UDP: return protocol == PROTOCOL_UDP;
    default: return false;
    }
}

static bool network_holds(const struct outbound_rule *rule, const struct address *ip)
{
    struct address inner;
    return rule->kind == OUTBOUND_NETWORK &&
           (address_within(ip, &rule->network, rule->prefix) ||
            (address_from_nat64(ip, &inner) && address_within(&inner, &rule->network, rule->prefix)));
}

/* Finds an entry of deny_outbound for a name or an address (the other is empty) at a port. With PROTOCOL_OTHER and port 0, as
 * for a look-up, only an entry for all protocols and ports matches. */
static bool find_denied(const struct policy *p, struct text name, bool whole, const struct endpoint *to,
                        enum protocol protocol, uint16_t *rule)
{
    for (*rule = 0; *rule < p->denied_count; ++*rule) {
        const struct outbound_rule *r = &p->denied[*rule];
        if (rule_protocol(r, protocol) && (!r->port || r->port == to->port) &&
            (rule_names(p, r, name, whole) || network_holds(r, &to->ip)))
            return true;
    }
    return false;
}

static struct verdict make_denied(uint16_t rule)
{
    return (struct verdict){
        .action = ACTION_DENY, .policy = OUTBOUND_CONNECTIVITY, .reason = REASON_DENIED, .rule = rule};
}

struct verdict verdict_unread(const struct policy *p)
{
    return p->denies_names ? make_denied(RULE_NONE)
                           : verdict_unlisted(p, OUTBOUND_CONNECTIVITY, REASON_NOT_LISTED);
}

static bool covers(const struct policy *p, const struct outbound_rule *denied,
                   const struct outbound_rule *rule)
{
    if ((denied->port && denied->port != rule->port) ||
        (denied->protocol != ANY_PROTOCOL && denied->protocol != rule->protocol))
        return false;
    if (rule->kind == OUTBOUND_NETWORK)
        return denied->kind == OUTBOUND_NETWORK && denied->prefix <= rule->prefix &&
               address_within(&rule->network, &denied->network, denied->prefix);
    struct text name = policy_text(p, rule->name);
    return rule_names(p, denied, name, rule->kind == OUTBOUND_NAME) ||
           (rule->kind == OUTBOUND_SUFFIX && denied->kind == OUTBOUND_SUFFIX &&
            text_equal(name, policy_text(p, denied->name)));
}

bool verdict_covers_rule(const struct policy *p, const struct outbound_rule *rule, uint16_t *by)
{
    for (*by = 0; *by < p->denied_count; ++*by)
        if (covers(p, &p->denied[*by], rule))
            return true;
    return false;
}

struct aws_limits verdict_aws_limits(const struct policy *p)
{
    return (struct aws_limits){
        .region = policy_text(p, p->region),
        .account = policy_text(p, p->account),
        .buckets = policy_text(p, p->buckets),
        .services = p->aws_services,
        .service_count = p->aws_count,
        .every_service = p->aws == AWS_ALL,
    };
}

static bool is_aws(const struct policy *p, struct text name)
{
    struct aws_limits limits = verdict_aws_limits(p);
    bool none = !limits.every_service && !limits.service_count && !limits.buckets.len;
    return !none && aws_is_endpoint(name, &limits);
}

bool verdict_further_rule(const struct policy *p, struct text name, uint16_t *rule)
{
    if (*rule >= p->outbound_count)
        return false;
    while (++*rule < p->outbound_count)
        if (rule_names(p, &p->outbound[*rule], name, true))
            return true;
    *rule = RULE_AWS;
    return is_aws(p, name);
}

/* To sort addresses by RFC 6724, getaddrinfo connects a UDP socket to each of them at port 0 and reads its source address.
 * That sends nothing, and the engine prevents later sends. */
static bool only_sorts(uint16_t port, enum protocol protocol)
{
    return port == 0 && protocol == PROTOCOL_UDP;
}

static bool rule_admits(const struct outbound_rule *rule, uint16_t port, enum protocol protocol)
{
    return only_sorts(port, protocol) ||
           (rule_protocol(rule, protocol) && (!rule->port || rule->port == port));
}

/* `to` has the port; NULL: a look-up, for which an entry at any port is enough. */
static struct verdict judge_name(const struct policy *p, struct text name, bool whole,
                                 const struct endpoint *to, enum protocol protocol)
{
    uint16_t rule;
    if (find_denied(p, name, whole, to ? to : &(struct endpoint){0}, protocol, &rule))
        return make_denied(rule);
    if (p->modes[OUTBOUND_CONNECTIVITY] == MODE_ALLOW)
        return make_allowed(OUTBOUND_CONNECTIVITY, REASON_MODE_ALLOW, RULE_NONE);
    for (uint16_t i = 0; i < p->outbound_count && name.len; i++)
        if (rule_names(p, &p->outbound[i], name, whole) &&
            (!to || rule_admits(&p->outbound[i], to->port, protocol)))
            return make_allowed(OUTBOUND_CONNECTIVITY, REASON_LISTED, i);
    /* Any port: AWS owns all ports of the address of an AWS endpoint, and some services use others than 443 (IoT 8883 and
     * 8443, mail 465 and 587). */
    if (name.len && is_aws(p, name))
        return make_allowed(OUTBOUND_CONNECTIVITY, REASON_AWS, RULE_AWS);
    return verdict_unlisted(p, OUTBOUND_CONNECTIVITY, REASON_NOT_LISTED);
}

struct verdict verdict_name(const struct policy *p, struct text name)
{
    return judge_name(p, name, true, NULL, PROTOCOL_OTHER);
}

struct verdict verdict_host(const struct policy *p, struct text name, bool whole, uint16_t port,
                            enum protocol protocol)
{
    return judge_name(p, name, whole, &(struct endpoint){.port = port}, protocol);
}

/* The next entry, from this one on, whose network holds the address; outbound_count: none. */
static uint16_t next_network(const struct policy *p, const struct address *ip, uint16_t i)
{
    while (i < p->outbound_count && !(p->outbound[i].kind == OUTBOUND_NETWORK &&
                                      address_within(ip, &p->outbound[i].network, p->outbound[i].prefix)))
        i++;
    return i;
}

static bool always_allowed(const struct always *always, const struct endpoint *to)
{
    if (address_is_loopback(&to->ip))
        return true;
    for (uint32_t i = 0; always && i < always->count && i < ALWAYS_MAX; i++) {
        const struct endpoint *e = &always->endpoints[i];
        if (to->ip.family != FAMILY_NONE && address_equal(&e->ip, &to->ip) &&
            (!e->port || e->port == to->port))
            return true;
    }
    return false;
}

struct endpoint_question {
    const struct policy *policy;
    const struct endpoint *to;
    enum protocol protocol;
    struct verdict verdict;
};

/* Judges one name that resolved to this address. Returns whether it is allowed. */
static bool judge_learned_name(void *context, uint16_t rule, struct text name)
{
    struct endpoint_question *q = context;
    const struct policy *p = q->policy;
    if (rule == RULE_AWS) {
        q->verdict =
            make_allowed(OUTBOUND_CONNECTIVITY, REASON_AWS, RULE_AWS); /* any port: see verdict_host */
        return true;
    }
    if (rule < p->outbound_count && rule_admits(&p->outbound[rule], q->to->port, q->protocol)) {
        q->verdict = make_allowed(OUTBOUND_CONNECTIVITY, REASON_LISTED, rule);
        return true;
    }
    /* Another rule may admit the name at this port and protocol. */
    q->verdict = verdict_host(p, name, name.len < NAME_KEPT, q->to->port, q->protocol);
    return q->verdict.action == ACTION_ALLOW;
}

/* Whether this name is not denied at the port. */
static bool is_other_name(void *context, uint16_t admitted_by, struct text name)
{
    struct endpoint_question *q = context;
    uint16_t rule;
    (void)admitted_by;
    struct endpoint at_port = {.port = q->to->port};
    if (!find_denied(q->policy, name, name.len < NAME_KEPT, &at_port, q->protocol, &rule))
        return true;
    q->verdict = make_denied(rule);
    return false;
}

/* Whether the address is denied, or every name that resolved to it is denied at this port. Where some are not, the server
 * name of TLS decides later. */
static bool is_denied_endpoint(struct endpoint_question *q, const struct names *learned)
{
    uint16_t rule;
    bool by_address = find_denied(q->policy, TEXT(""), true, q->to, q->protocol, &rule);
    if (by_address)
        q->verdict = make_denied(rule);
    return by_address || (learned && !names_find(learned, &q->to->ip, is_other_name, q) &&
                          q->verdict.reason == REASON_DENIED);
}

struct verdict verdict_endpoint(const struct policy *p, const struct always *always,
                                const struct names *learned, const struct endpoint *to,
                                enum protocol protocol)
{
    struct endpoint_question question = {.policy = p, .to = to, .protocol = protocol};
    if (!policy_judges_outbound(p))
        return make_allowed(OUTBOUND_CONNECTIVITY, REASON_MODE_ALLOW, RULE_NONE);
    if (always_allowed(always, to))
        return make_allowed(OUTBOUND_CONNECTIVITY, REASON_ALWAYS, RULE_NONE);
    if (p->denied_count && is_denied_endpoint(&question, learned))
        return question.verdict;
    if (p->modes[OUTBOUND_CONNECTIVITY] == MODE_ALLOW)
        return make_allowed(OUTBOUND_CONNECTIVITY, REASON_MODE_ALLOW, RULE_NONE);
    for (uint16_t i = 0; (i = next_network(p, &to->ip, i)) < p->outbound_count; i++)
        if (rule_admits(&p->outbound[i], to->port, protocol))
            return make_allowed(OUTBOUND_CONNECTIVITY, REASON_LISTED, i);
    /* Internal addresses are never learned (verdict_may_learn); this second check is cheap. */
    if (address_is_internal(&to->ip))
        return verdict_unlisted(p, OUTBOUND_CONNECTIVITY, REASON_INTERNAL);
    if (learned && names_find(learned, &to->ip, judge_learned_name, &question))
        return question.verdict;
    return verdict_unlisted(p, OUTBOUND_CONNECTIVITY, REASON_NOT_LISTED);
}

struct text verdict_packages(const struct policy *p, struct verdict verdict)
{
    bool is_listed = verdict.policy == OUTBOUND_CONNECTIVITY && verdict.rule < p->outbound_count;
    return is_listed ? policy_text(p, p->outbound[verdict.rule].packages) : TEXT("");
}

struct packages_question {
    const struct policy *policy;
    const struct endpoint *to;
    enum protocol protocol;
    const struct source_place *place;
};

/* Whether the entry is for this port, and names no packages or one of the call's. */
static bool rule_takes(const struct packages_question *q, const struct outbound_rule *rule)
{
    return rule_admits(rule, q->to->port, q->protocol) &&
           (!rule->packages.len || packages_name(policy_text(q->policy, rule->packages), q->place));
}

/* The same for all entries that admit one name of the address. */
static bool name_takes(void *context, uint16_t learned_by, struct text name)
{
    const struct packages_question *q = context;
    const struct policy *p = q->policy;
    for (uint16_t i = 0; i < p->outbound_count; i++)
        if ((i == learned_by || rule_names(p, &p->outbound[i], name, name.len < NAME_KEPT)) &&
            rule_takes(q, &p->outbound[i]))
            return true;
    return learned_by == RULE_AWS || is_aws(p, name);
}

bool verdict_is_by_others(const struct policy *p, const struct names *learned, const struct endpoint *to,
                          enum protocol protocol, const struct source_place *place)
{
    struct packages_question q = {p, to, protocol, place};
    for (uint16_t i = 0; (i = next_network(p, &to->ip, i)) < p->outbound_count; i++)
        if (rule_takes(&q, &p->outbound[i]))
            return false;
    return !names_find(learned, &to->ip, name_takes, &q);
}

bool verdict_may_learn(const struct policy *p, const struct address *ip)
{
    if (ip->family == FAMILY_NONE || address_is_loopback(ip))
        return false; /* loopback is always allowed, without an entry */
    return !address_is_internal(ip) || next_network(p, ip, 0) < p->outbound_count;
}

static uint16_t find_tmp_rule(const struct policy *p, struct text path)
{
    uint16_t i = 0;
    while (i < p->tmp_count && !glob_match(policy_text(p, p->tmp[i]), path))
        i++;
    return i;
}

bool is_listed_tmp(const struct policy *p, struct text path)
{
    return find_tmp_rule(p, path) < p->tmp_count;
}

bool is_all_listed_tmp(const struct policy *p, struct text path)
{
    bool is_all = false;
    for (uint16_t i = 0; i < p->tmp_count && !is_all; i++) {
        struct text pattern = policy_text(p, p->tmp[i]);
        is_all = text_ends(pattern, TEXT("**")) && glob_match(pattern, path);
    }
    return is_all;
}

struct verdict verdict_tmp(const struct policy *p, struct text path, enum language language, enum tmp_use use)
{
    if (p->modes[READ_WRITE_TMP] == MODE_ALLOW)
        return make_allowed(READ_WRITE_TMP, REASON_MODE_ALLOW, RULE_NONE);
    uint16_t rule = find_tmp_rule(p, path);
    if (rule < p->tmp_count)
        return make_allowed(READ_WRITE_TMP, REASON_LISTED, rule);
    if (language_needs_tmp(language, path, use))
        return make_allowed(READ_WRITE_TMP, REASON_ALWAYS, RULE_NONE);
    return verdict_unlisted(p, READ_WRITE_TMP, REASON_NOT_LISTED);
}

struct verdict verdict_executable_memory(const struct policy *p, struct text file_name)
{
    struct text name = object_name(file_name);
    for (uint16_t i = 0; name.len && i < p->memory_count; i++)
        if (text_equal(policy_text(p, p->memory[i]), name))
            return make_allowed(EXECUTABLE_MEMORY, REASON_LISTED, i);
    return verdict_unlisted(p, EXECUTABLE_MEMORY, REASON_EXECUTABLE_MEMORY);
}

struct verdict verdict_bridge(const struct policy *p, struct text name, bool memory_by_runtime)
{
    struct verdict v = verdict_executable_memory(p, name);
    if (v.reason == REASON_LISTED)
        return v;
    uint8_t mode = !p->loads_bridges   ? (uint8_t)MODE_BLOCK
                   : memory_by_runtime ? (uint8_t)strictest_mode(p)
                                       : p->modes[EXECUTABLE_MEMORY];
    return (struct verdict){.action = action_of_mode(mode),
                            .policy = EXECUTABLE_MEMORY,
                            .reason = REASON_EXECUTABLE_MEMORY,
                            .rule = RULE_NONE};
}

/* A program that the library cannot be loaded into escapes every policy, so the strictest mode of all decides. Only
 * `unshielded:` admits it. */
static struct verdict static_program(const struct policy *p)
{
    static const uint8_t escaped[] = {OUTBOUND_CONNECTIVITY, READ_WRITE_TMP, CREATE_CHILD_PROCESS,
                                      READ_HANDLER};
    struct verdict v = make_allowed(CREATE_CHILD_PROCESS, REASON_MODE_ALLOW, RULE_NONE);
    for (size_t i = 0; i < sizeof escaped; i++) {
        uint8_t action = action_of_mode(p->modes[escaped[i]]);
        if (action < v.action) {
            v.action = action;
            v.reason = REASON_STATIC;
        }
    }
    if (!p->keeps_tmp) { /* it could change the process that clears /tmp */
        v.action = ACTION_DENY;
        v.reason = REASON_STATIC;
    }
    return v;
}

struct verdict verdict_program(const struct policy *p, struct text path, int listed, enum program_kind kind)
{
    for (uint16_t i = 0; i < p->child_count; i++) {
        const struct child_rule *rule = &p->child[i];
        if (listed >= 0 ? i != listed : !text_equal(policy_text(p, rule->path), path))
            continue;
        if (kind == PROGRAM_DYNAMIC || rule->unshielded)
            return make_allowed(CREATE_CHILD_PROCESS, REASON_LISTED, i);
    }
    if (kind != PROGRAM_DYNAMIC)
        return static_program(p);
    return verdict_unlisted(p, CREATE_CHILD_PROCESS, REASON_NOT_LISTED);
}

void put_outbound_entry(struct writer *w, struct text host, const struct address *ip, uint16_t port)
{
    if (host.len)
        put(w, host);
    else
        address_write_entry(ip, port, w);
    if (port) {
        put_char(w, ':');
        put_number(w, port);
    }
}

struct text reason_name(uint8_t reason)
{
    static const char *const names[REASON_COUNT] = {
        [REASON_NOT_LISTED] = "not_listed",
        [REASON_MODE_ALLOW] = "mode_allow",
        [REASON_LISTED] = "listed",
        [REASON_AWS] = "aws",
        [REASON_ALWAYS] = "always",
        [REASON_SERVER_NAME] = "server_name",
        [REASON_INTERNAL] = "internal",
        [REASON_FAMILY] = "family",
        [REASON_STATIC] = "static",
        [REASON_HANDLER] = "handler",
        [REASON_EXECUTABLE_MEMORY] = "executable_memory",
        [REASON_SELF_PROTECTION] = "self_protection",
        [REASON_PACKAGE] = "package",
        [REASON_DENIED] = "deny_outbound",
    };
    return reason < REASON_COUNT ? text_of(names[reason]) : TEXT("");
}
