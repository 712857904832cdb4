#include "client_hello.h"

#include <asm/ioctls.h>

#include "../../core/tls.h"
#include "../base/linux_abi.h"
#include "../state/sealed_state.h"
#include "dns_tcp.h"

struct first {
    const struct call *call;
    struct endpoint peer;
    struct verdict verdict; /* on the peer */
    struct kept_name name;  /* that the peer was answered for */
};

struct sought {
    struct text name;
};

static bool is_name(void *context, uint16_t rule, struct text name)
{
    const struct sought *sought = context;
    (void)rule;
    return name.len == NAME_KEPT ? text_ends(sought->name, name) : text_equal(sought->name, name);
}

/* In alert mode a connection to a host that is not listed was reported with its name: no second time for the same. */
static bool was_reported(const struct first *first, struct text name)
{
    struct sought sought = {name};
    return first->verdict.action == ACTION_ALERT &&
           names_find(learnt_names(), &first->peer.ip, is_name, &sought);
}

static bool hello_refused(struct first *first, const struct client_hello *hello)
{
    char canonical[256], entry[NAME_KEPT + 256];
    struct writer name = {canonical, 0, sizeof canonical, false}, allow = {entry, 0, sizeof entry, false};
    bool well = hello->name.len && hostname_canonical(hello->name, &name);
    struct text asked = {canonical, well ? name.used : 0};
    struct verdict verdict = verdict_host(&sealed.policy, asked, true, first->peer.port, PROTOCOL_TCP);
    if (verdict.action == ACTION_ALLOW || (well && was_reported(first, asked)))
        return false;
    /* The name that counts is hidden, and the one in front of it is nobody's: it passes, but not unseen. */
    if (hello->encrypted)
        verdict.action = ACTION_ALERT;
    verdict.reason = REASON_SERVER_NAME;
    put_outbound_entry(&allow, asked, &first->peer.ip, first->peer.port);
    struct facts facts = {.host = {first->name.at, first->name.len},
                          .to = first->peer,
                          .protocol = TEXT("tls"),
                          .sni = hello->name,
                          .allow = {entry, allow.used}};
    return refuses(first->call, verdict, &facts);
}

/* An address that is allowed as such may be called by any name. */
static bool is_judged_by_name(struct first *first)
{
    first->verdict =
        verdict_endpoint(&sealed.policy, &sealed.always, learnt_names(), &first->peer, PROTOCOL_TCP);
    const struct verdict *v = &first->verdict;
    bool by_address = v->action == ACTION_ALLOW && v->reason == REASON_LISTED &&
                      sealed.policy.outbound[v->rule].kind == OUTBOUND_NETWORK;
    if (by_address || v->reason == REASON_ALWAYS || v->reason == REASON_MODE_ALLOW ||
        sealed.policy.skip_server_name)
        return false;
    /* Its name may have been forgotten since it was connected to, or just now. */
    bool has_name = find_learnt_name(&first->peer.ip, &first->name);
    return has_name || v->action != ACTION_ALERT;
}

static bool blocks(void)
{
    return sealed.policy.modes[OUTBOUND_CONNECTIVITY] == MODE_BLOCK;
}

/* Maybe by a connection that was there before: what comes then is not taken for less than a beginning (tls.h). */
static bool is_greeted(uint64_t mark)
{
    return get_mark_kind(mark) == MARK_TCP_GREETED;
}

/* Not what was seen by another of its numbers: then these are not the first. That it may not be connected again does not
 * mean that: its first bytes may be yet to come. */
static bool is_to_be_judged(struct first *first, int32_t descriptor)
{
    bool was_seen =
        !are_marks_exact() && is_reconnection_forbidden(descriptor) && had_first_bytes(descriptor);
    return !was_seen && is_judged_by_name(first);
}

/* The first bytes are about to leave on the last connection that the socket has: nobody looks at it any more. Where the
 * kernel does not remember that it is the last, it stays looked at. */
static void settle(int32_t descriptor, uint64_t mark)
{
    if (!forbid_reconnection(descriptor))
        return;
    note_first_bytes(descriptor);
    clear_mark(descriptor, mark);
}

/* With the control messages of `m`, if it has any. */
static int64_t send_bytes(int32_t descriptor, const struct message *m, uint64_t flags, const uint8_t *bytes,
                          uint64_t len)
{
    struct vector v = {(uint64_t)bytes, len};
    struct message copy = *m;
    copy.vectors = (uint64_t)&v;
    copy.vector_count = 1;
    return m->control_len ? KERNEL(sendmsg, descriptor, &copy, flags)
                          : KERNEL(sendto, descriptor, bytes, len, flags, 0, 0);
}

static int64_t send_copy(struct first *first, int32_t descriptor, uint64_t mark, const struct message *m,
                         uint64_t flags, uint8_t *bytes)
{
    struct client_hello hello;
    int64_t len = gather_some(m, bytes, FIRST_MAX);
    if (len <= 0)
        return len;
    enum tls_start start = is_greeted(mark) ? tls_read_next(bytes, (uint32_t)len, &hello)
                                            : tls_read_start(bytes, (uint32_t)len, &hello);
    /* What goes on after a hello, as nearly all do, needs no second look at where to. */
    if (is_greeted(mark) && start != TLS_NOT && !is_to_be_judged(first, descriptor)) {
        settle(descriptor, mark);
        return KERNEL(sendmsg, descriptor, m, flags);
    }
    if (start == TLS_HELLO && hello_refused(first, &hello)) {
        /* Node.js takes no notice of an error here and waits for an answer: this ends the wait. */
        KERNEL(shutdown, descriptor, SHUT_RDWR);
        return -EACCES;
    }
    int64_t sent = send_bytes(descriptor, m, flags, bytes, (uint64_t)len);
    if (sent <= 0)
        return sent;
    /* Too little has left to know what it is: nobody is to finish it with something else. */
    if (sent < hello.end && blocks()) {
        KERNEL(shutdown, descriptor, SHUT_RDWR);
        return -ECONNRESET;
    }
    /* A server that asks for another hello (RFC 8446, 4.1.4: HelloRetryRequest) gets a second one, with a name that some
     * take instead. So the connection is watched until it goes on with something else. */
    if (start == TLS_HELLO)
        replace_mark(descriptor, mark, MARK_TCP_GREETED);
    else if (start == TLS_NOT)
        settle(descriptor, mark);
    return sent;
}

/* Without the option the kernel takes no notice of the flag. */
static bool copies_nothing(int32_t descriptor, uint64_t flags)
{
    int32_t is_on = 0;
    uint32_t size = sizeof is_on;
    if (flags & MSG_ZEROCOPY)
        KERNEL(getsockopt, descriptor, SOL_SOCKET, SO_ZEROCOPY, &is_on, &size);
    return is_on;
}

int64_t send_first_bytes(const struct call *call, int32_t descriptor, uint64_t mark,
                         const struct endpoint *peer, const struct message *m, uint64_t flags)
{
    struct first first = {.call = call, .peer = *peer};
    if (!is_greeted(mark) && !is_to_be_judged(&first, descriptor)) {
        settle(descriptor, mark);
        return KERNEL(sendmsg, descriptor, m, flags);
    }
    if (copies_nothing(descriptor, flags))
        return -ENOBUFS; /* as where no memory may be pinned for it: the program copies then */
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return -ENOMEM;
    int64_t sent =
        send_copy(&first, descriptor, mark, m, flags & ~(uint64_t)MSG_ZEROCOPY, (uint8_t *)scratch);
    scratch_give(scratch);
    return sent;
}

/* On the last connection that the socket has; and these are the first bytes, of which nobody has taken any, or had some
 * left out (socket(7), SO_PEEK_OFF). */
static bool is_answered(int32_t descriptor, uint8_t *bytes)
{
    int32_t waiting = 0;
    bool is_last = forbid_reconnection(descriptor);
    int64_t n = KERNEL(recvfrom, descriptor, bytes, FIRST_MAX, MSG_PEEK | MSG_DONTWAIT, 0, 0);
    KERNEL(ioctl, descriptor, FIONREAD, &waiting);
    return is_last && n > 0 && n == waiting && !count_bytes_read(descriptor) &&
           tls_is_answered(bytes, (uint32_t)n);
}

void inspect_answer(int32_t descriptor)
{
    uint64_t mark = get_mark(descriptor);
    struct scratch *scratch = is_greeted(mark) ? scratch_take() : NULL;
    if (!scratch)
        return;
    if (is_answered(descriptor, (uint8_t *)scratch))
        settle(descriptor, mark);
    scratch_give(scratch);
}
