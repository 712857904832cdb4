/* Judges the first bytes of a connection.
 *
 * Many names may share an address that was allowed by name, and the client chooses one in its TLS ClientHello. That name is
 * judged like the resolved one. Only the first write of a connection is read; later ones and other protocols pass. A
 * ClientHello that is not whole in that write is refused. The caller can change the bytes after the look.
 * Tests: tests/integration/engine/test_server_names.py. */
#include "../../core/tls.h"
#include "../base/linux_abi.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"
#include "network.h"

enum { FIRST_MAX = sizeof(struct scratch) }; /* bytes that are read; a ClientHello is shorter */

struct first_write {
    const struct call *call;
    struct endpoint peer;
    struct verdict verdict; /* on the peer */
    bool is_judged_by_name; /* false: only names that are denied in every mode count */
    struct kept_name name;  /* the name that resolved to the peer's address */
};

static bool is_name(void *context, uint16_t rule, struct text name)
{
    const struct text *wanted = context;
    (void)rule;
    return name.len == NAME_KEPT ? text_ends(*wanted, name) : text_equal(*wanted, name);
}

/* In alert mode connect(2) has reported an unlisted host by its name; the same name is not reported twice. */
static bool was_reported(const struct first_write *first, struct text name)
{
    return first->verdict.action == ACTION_ALERT &&
           names_find(learned_names(), &first->peer.ip, is_name, &name);
}

static bool hello_refused(struct first_write *first, const struct client_hello *hello)
{
    char canonical[256], entry[NAME_KEPT + 256];
    struct writer name = {canonical, 0, sizeof canonical, false}, allow = {entry, 0, sizeof entry, false};
    bool is_host = hello->name.len && hostname_canonical(hello->name, &name);
    struct text asked = {canonical, is_host ? name.used : 0};
    struct verdict verdict = verdict_host(&sealed->policy, asked, true, first->peer.port, PROTOCOL_TCP);
    struct address literal;
    bool is_read = is_host || hello->is_nameless || address_parse(hello->name, &literal);
    if (sealed->policy.denies_names && !is_read && !hello->encrypted)
        verdict = verdict_unread(&sealed->policy);
    if (verdict.reason != REASON_DENIED) {
        if (!first->is_judged_by_name || verdict.action == ACTION_ALLOW ||
            (is_host && was_reported(first, asked)))
            return false;
        /* With ECH the real name is encrypted, and the outer one is a stand-in: it passes with an alert. */
        if (hello->encrypted)
            verdict.action = ACTION_ALERT;
        verdict.reason = REASON_SERVER_NAME;
    }
    put_outbound_entry(&allow, asked, &first->peer.ip, first->peer.port);
    struct facts facts = {.host = {first->name.at, first->name.len},
                          .to = first->peer,
                          .protocol = TEXT("tls"),
                          .sni = hello->name,
                          .allow = {entry, allow.used}};
    return refuses(first->call, verdict, &facts);
}

/* Whether the ClientHello must be read. An address that is listed itself admits any name that is not denied. */
static bool must_read_hello(struct first_write *first)
{
    first->verdict = verdict_endpoint(&sealed->policy, &sealed->process.always, learned_names(), &first->peer,
                                      PROTOCOL_TCP);
    const struct verdict *v = &first->verdict;
    bool by_address = v->action == ACTION_ALLOW && v->reason == REASON_LISTED &&
                      sealed->policy.outbound[v->rule].kind == OUTBOUND_NETWORK;
    bool may_be_denied = sealed->policy.denies_names && v->reason != REASON_ALWAYS;
    bool by_name = !by_address && v->reason != REASON_ALWAYS && v->reason != REASON_MODE_ALLOW &&
                   !sealed->policy.skip_server_name;
    /* Its name may have been forgotten since it connected. */
    bool has_name = (by_name || may_be_denied) && find_learned_name(&first->peer.ip, &first->name);
    first->is_judged_by_name = by_name && (has_name || v->action != ACTION_ALERT);
    return first->is_judged_by_name || may_be_denied;
}

/* The first bytes of the connection have left: later ones pass, and the socket cannot connect to another peer whose bytes must
 * be read. */
static void stop_judging(int32_t descriptor, uint64_t mark)
{
    if (forbid_reconnection(descriptor))
        clear_mark(descriptor, mark);
    else
        replace_mark(descriptor, mark, MARK_TCP_SEEN);
}

/* Whether stop_judging was called for the socket, under this or another number. */
static bool is_not_judged(int32_t descriptor, uint64_t mark)
{
    return get_mark_kind(mark) == MARK_TCP_SEEN ||
           (!are_marks_exact() && is_reconnection_forbidden(descriptor));
}

/* Whether the flag counts: without the socket option the kernel ignores it. */
static bool is_zerocopy(int32_t descriptor, uint64_t flags)
{
    return flags & MSG_ZEROCOPY && read_socket_option(descriptor, SOL_SOCKET, SO_ZEROCOPY) > 0;
}

/* Returns the number of bytes read of the message, or an errno. */
static int64_t judge_hello(struct first_write *first, const struct message *m, struct client_hello *hello,
                           enum tls_start *start)
{
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return -ENOMEM;
    int64_t len = gather_some(m, (uint8_t *)scratch, FIRST_MAX);
    if (len > 0)
        *start = tls_read_start((const uint8_t *)scratch, (uint32_t)len, hello);
    if (*start == TLS_HELLO && hello_refused(first, hello))
        len = -EACCES;
    scratch_give(scratch);
    return len;
}

static int64_t send_first_bytes(const struct call *call, int32_t descriptor, const struct endpoint *peer,
                                const struct message *m, uint64_t flags)
{
    struct first_write first = {.call = call, .peer = *peer};
    struct client_hello hello = {.end = 0};
    enum tls_start start = TLS_NOT;
    uint64_t mark = get_mark(descriptor);
    if (!is_not_judged(descriptor, mark) && must_read_hello(&first)) {
        if (is_zerocopy(descriptor, flags))
            return -ENOBUFS; /* as from a kernel without memory to pin: the program then copies */
        int64_t len = judge_hello(&first, m, &hello, &start);
        if (len == -EACCES) /* ends the wait of Node.js, which ignores the error and waits for an answer */
            KERNEL(shutdown, descriptor, SHUT_RDWR);
        if (len <= 0)
            return len;
    }
    int64_t sent = KERNEL(sendmsg, descriptor, m, flags);
    /* Only a part of the hello has left: a different rest must not follow it. */
    if (sent > 0 && sent < hello.end &&
        (sealed->policy.modes[OUTBOUND_CONNECTIVITY] == MODE_BLOCK || sealed->policy.denies_names)) {
        KERNEL(shutdown, descriptor, SHUT_RDWR);
        return -ECONNRESET;
    }
    if (sent > 0 && start != TLS_PREAMBLE)
        stop_judging(descriptor, mark);
    return sent;
}

/* Waits for a pending connection as the program would: sends an empty message, which the kernel refuses with the connection's
 * error, if there is one. */
static int64_t find_peer(int32_t descriptor, uint64_t flags, struct endpoint *peer)
{
    struct message nothing = {0};
    int64_t error = peer_of_connection(descriptor, peer);
    if (error != -ENOTCONN)
        return error;
    error = KERNEL(sendmsg, descriptor, &nothing, flags);
    return error ? error : peer_of_connection(descriptor, peer);
}

int64_t send_on_tcp(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags)
{
    struct message unnamed = *m;
    struct endpoint peer;
    unnamed.name = unnamed.name_len = 0;
    if (flags & MSG_OOB) /* a byte outside the stream (tcp(7)) */
        return -EOPNOTSUPP;
    int64_t error = find_peer(descriptor, flags, &peer);
    if (error)
        return error;
    return peer.port == DNS_PORT ? send_queries(call, descriptor, &unnamed, flags)
                                 : send_first_bytes(call, descriptor, &peer, &unnamed, flags);
}
