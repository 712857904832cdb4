#include "first_bytes.h"

#include <linux/poll.h>

#include "../core/tls.h"
#include "state.h"

enum {
    NO_WAIT = 0x40 /* MSG_DONTWAIT */,
    MORE = 0x8000 /* MSG_MORE */,
    ZERO_COPY = 0x4000000 /* MSG_ZEROCOPY */,
    SHUT_BOTH = 2,
    FIRST_MAX = 3 * PAGE, /* of what is copied: no ClientHello is as long */
    REST_VECTORS = 8
};

struct first {
    const struct call *call;
    struct endpoint peer;
    struct verdict verdict; /* on the peer */
    char name[NAME_KEPT];   /* that the peer was answered for */
    uint32_t name_len;
};

static bool keep_name(void *context, uint16_t rule, struct text name)
{
    struct first *first = context;
    (void)rule;
    first->name_len = name.len < NAME_KEPT ? name.len : NAME_KEPT;
    copy_bytes(first->name, name.at, first->name_len);
    return true;
}

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
    struct verdict verdict =
        verdict_host(&sealed.policy, asked, true, first->peer.port, PROTOCOL_TCP);
    if (verdict.action == ACTION_ALLOW || (well && was_reported(first, asked)))
        return false;
    /* The name that counts is hidden, and the one in front of it is nobody's: it passes, but not unseen. */
    if (hello->encrypted)
        verdict.action = ACTION_ALERT;
    verdict.reason = REASON_SERVER_NAME;
    put_outbound_entry(&allow, asked, &first->peer.ip, first->peer.port);
    struct facts facts = {.host = {first->name, first->name_len},
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
    if (by_address || v->reason == REASON_ALWAYS || v->reason == REASON_MODE_ALLOW)
        return false;
    bool has_name = names_find(learnt_names(), &first->peer.ip, keep_name, first);
    return has_name || v->action == ACTION_DENY; /* denied: its name was forgotten since it was connected to */
}

static bool blocks(void)
{
    return sealed.policy.modes[OUTBOUND_CONNECTIVITY] == MODE_BLOCK;
}

static bool waits(int32_t descriptor, uint64_t flags)
{
    return !(flags & NO_WAIT) && !(KERNEL(fcntl, descriptor, F_GETFL) & O_NONBLOCK);
}

static void await_room(int32_t descriptor)
{
    struct pollfd room = {.fd = descriptor, .events = POLLOUT};
    KERNEL(ppoll, &room, 1, 0, 0, 8);
}

/* What the first message holds beyond the bytes that were copied, from the caller's memory. */
static int64_t send_rest(int32_t descriptor, const struct message *m, uint64_t skip, uint64_t flags)
{
    struct vector rest[REST_VECTORS];
    int64_t sent = 0;
    for (uint64_t i = 0; i < m->vector_count;) {
        struct message part = {.vectors = (uint64_t)rest};
        uint64_t size = 0;
        for (; i < m->vector_count && part.vector_count < REST_VECTORS; i++) {
            struct vector v;
            if (!read_user(&v, m->vectors + i * sizeof v, sizeof v))
                return sent ? sent : -EFAULT;
            uint64_t gone = skip < v.len ? skip : v.len;
            skip -= gone;
            rest[part.vector_count] = (struct vector){v.base + gone, v.len - gone};
            part.vector_count += v.len > gone;
            size += v.len - gone;
        }
        int64_t n = size ? KERNEL(sendmsg, descriptor, &part, i < m->vector_count ? flags | MORE : flags) : 0;
        if (is_error(n))
            return sent ? sent : n;
        sent += n;
        if ((uint64_t)n < size)
            break;
    }
    return sent;
}

/* One attempt. -EAGAIN also when nothing was looked at yet. `held`: how much of the message was copied. */
static int64_t send_copy(struct first *first, int32_t descriptor, const struct message *m, uint64_t flags,
                         uint16_t mark, uint64_t *held, uint64_t total)
{
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return -ENOMEM;
    uint8_t *bytes = (uint8_t *)scratch;
    struct client_hello hello;
    int64_t len = gather_some(m, bytes, FIRST_MAX), result = len;
    enum tls_start start = TLS_NOT;
    if (len > 0) {
        start = tls_read_start(bytes, (uint32_t)len, &hello);
        if (start == TLS_HELLO && hello_refused(first, &hello)) {
            result = -EACCES;
        } else {
            struct vector v = {(uint64_t)bytes, (uint64_t)len};
            struct message copy = *m;
            copy.name = copy.name_len = 0;
            copy.vectors = (uint64_t)&v;
            copy.vector_count = 1;
            result =
                KERNEL(sendmsg, descriptor, &copy, flags | NO_WAIT | ((uint64_t)len < total ? MORE : 0));
        }
    }
    scratch_give(scratch);
    *held = (uint64_t)len;
    if (result <= 0 || start == TLS_PREAMBLE)
        return result;
    /* Too little has left to know which name will: nobody is to finish it with another. */
    if (start == TLS_HELLO && result < hello.name_end && blocks()) {
        KERNEL(shutdown, descriptor, SHUT_BOTH);
        return -ECONNRESET;
    }
    unwatch(descriptor, mark);
    return result;
}

static uint64_t size_of(const struct message *m)
{
    uint64_t size = 0;
    for (uint64_t i = 0; i < m->vector_count && i < VECTORS_MAX; i++) {
        struct vector v;
        if (!read_user(&v, m->vectors + i * sizeof v, sizeof v))
            break;
        size += v.len;
    }
    return size;
}

int64_t send_first_bytes(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags)
{
    struct first first = {.call = call};
    uint16_t mark = watch_mark(descriptor);
    int64_t peer = peer_of_stream(descriptor, &first.peer);
    if (peer == -ENOTCONN) {
        /* Nothing at all, sent as the program would have: waits for the connection, or says what is wrong with it. */
        struct message nothing = {0};
        int64_t error = KERNEL(sendmsg, descriptor, &nothing, flags);
        if (error)
            return error;
        peer = peer_of_stream(descriptor, &first.peer);
    }
    if (peer == -ENOTCONN)
        return peer;
    if (peer || !is_judged_by_name(&first)) { /* it stands for something else by now */
        unwatch(descriptor, mark);
        return KERNEL(sendmsg, descriptor, m, flags);
    }
    if (flags & ZERO_COPY && blocks())
        return -ENOBUFS; /* as where no memory may be pinned for it: the program copies then */
    uint64_t total = size_of(m), held = 0;
    int64_t sent;
    while ((sent = send_copy(&first, descriptor, m, flags & ~(uint64_t)ZERO_COPY, mark, &held, total)) ==
               -EAGAIN &&
           waits(descriptor, flags))
        await_room(descriptor);
    if (sent <= 0 || (uint64_t)sent < held || held == total)
        return sent;
    int64_t rest = send_rest(descriptor, m, held, flags & ~(uint64_t)ZERO_COPY);
    return rest > 0 ? sent + rest : sent;
}
