/* The network judges under a hostile caller: pointers to anywhere, headers that lie, and another thread that rewrites
 * everything while it is judged. The kernel is played by played_network.h, which looks at all that reaches it. Input:
 * whether there is a second thread, and the mode, then one step after another: lay something into memory, hand a message
 * to a socket, make a call, copy a descriptor, say a ClientHello piece by piece, ... */
#include "played_network.h"

#include "../../../runtime_layer/native/engine/lifecycle/events.h"

/* The rest of the engine that these judges are linked with. */
bool had_threads;

bool is_memory_owner(void)
{
    return true;
}

bool is_self_lookup(struct text name)
{
    (void)name;
    return false;
}

void report_native_code(void)
{
}

bool is_own_fd(uint32_t descriptor)
{
    (void)descriptor;
    return false;
}

bool may_be_replaced(uint32_t descriptor)
{
    (void)descriptor;
    return true;
}

uint32_t own_fd_next(uint32_t from)
{
    (void)from;
    return UINT32_MAX;
}

static uint32_t make_query(struct input *in, uint8_t out[300])
{
    struct text name = text_of(hosts[take_number(in, 1) % HOSTS]), label;
    uint8_t type = (uint8_t)take_number(in, 1), edns = (uint8_t)take_number(in, 1) & 1;
    uint8_t head[12] = {0, (uint8_t)take_number(in, 1), 1, 0, 0, 1, 0, 0, 0, 0, 0, edns};
    uint32_t at = sizeof head;
    memcpy(out, head, sizeof head);
    while (text_next(&name, '.', &label)) {
        out[at++] = (uint8_t)label.len;
        memcpy(out + at, label.at, label.len);
        at += label.len;
    }
    const uint8_t tail[] = {0, 0, type, 0, 1};
    memcpy(out + at, tail, sizeof tail);
    return at + sizeof tail;
}

/* With one address in it, in front of whatever the query says of others. */
static uint32_t make_answer(struct input *in, uint8_t out[316])
{
    const uint8_t record[] = {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 198, 51, 100, 1};
    uint32_t len = make_query(in, out);
    out[2] |= 0x80;
    out[7] = 1;
    memcpy(out + len, record, sizeof record);
    return len + sizeof record;
}

static uint32_t with_length(uint8_t *message, uint32_t len)
{
    memmove(message + 2, message, len);
    message[0] = (uint8_t)(len >> 8);
    message[1] = (uint8_t)len;
    return len + 2;
}

static void lay(struct input *in)
{
    uint64_t kind = take_number(in, 1), at = take_pointer(in);
    uint8_t query[302];
    switch (kind % 7) {
    case 0: {
        struct text t = take_text(in, take_number(in, 1));
        arena_put(at, t.at, t.len);
        break;
    }
    case 1: {
        struct sockaddr_bytes s = sockaddr_of(&places[take_number(in, 1) % PLACES]);
        arena_put(at, s.bytes, s.len);
        break;
    }
    case 2: {
        struct sized_message m = {
            .message = {.name = take_pointer(in), .name_len = (uint32_t)take_length(in)}};
        m.message.vectors = take_pointer(in);
        m.message.vector_count = take_length(in);
        m.message.control = take_pointer(in);
        arena_put(at, &m, take_number(in, 1) % 2 ? sizeof m : sizeof m.message);
        break;
    }
    case 3: {
        struct vector v = {take_pointer(in), take_length(in)};
        arena_put(at, &v, sizeof v);
        break;
    }
    case 4: arena_put(at, query, make_query(in, query)); break;
    case 5: arena_put(at, "GET /2018-06-01/runtime/invocation/next HTTP/1.1", 48); break;
    default: arena_put(at, query, with_length(query, make_query(in, query)));
    }
}

/* An answer to a query that may have been sent, or any bytes. */
static void hand_over(struct input *in)
{
    queue.told = false;
    queue.from = sockaddr_of(&places[take_number(in, 1) % PLACES]);
    uint64_t kind = take_number(in, 1) % 4;
    if (kind % 2) {
        struct text t = take_text(in, take_number(in, 2) % sizeof queue.bytes);
        memcpy(queue.bytes, t.at, t.len);
        queue.len = t.len;
        return;
    }
    queue.len = make_answer(in, queue.bytes);
    if (kind)
        queue.len = with_length(queue.bytes, queue.len);
}

static uint64_t take_flags(struct input *in)
{
    static const uint64_t odd[] = {0x100 /* MSG_WAITALL */, 0x8000 /* MSG_MORE */,
                                   0x4000000 /* MSG_ZEROCOPY */, 0x20000000 /* MSG_FASTOPEN */};
    uint64_t flags = take_number(in, 1);
    return flags >= 0xf0 ? odd[flags % (sizeof odd / sizeof *odd)] : flags;
}

static void judge_one_call(struct call call, enum outcome (*judge)(struct call *))
{
    struct call before = call;
    if (judge == judge_send || judge == judge_write)
        watch_for_request(&call);
    enum outcome outcome = judge(&call);
    CHECK(!held);
    for (uint32_t i = GATES; i < TABLE; i++)
        CHECK(!open_files[i]);
    if (outcome == ANSWERED)
        return;
    CHECK(!memcmp(&before, &call, sizeof call));
    CHECK(call.nr != __NR_connect && call.nr != __NR_sendmsg && call.nr != __NR_sendmmsg);
    CHECK(call.nr != __NR_sendto || !call.arg[4]);
    in_place(&call);
}

static void call_one(struct input *in)
{
    static const struct {
        int16_t nr;
        enum outcome (*judge)(struct call *);
    } calls[] = {{__NR_connect, judge_connect},
                 {__NR_sendto, judge_send},
                 {__NR_sendmsg, judge_send},
                 {__NR_sendmmsg, judge_send},
                 {__NR_recvfrom, judge_receive},
                 {__NR_recvmsg, judge_receive},
                 {__NR_recvmmsg, judge_receive},
                 {__NR_getpeername, judge_peer_name},
                 {__NR_bind, judge_bind},
                 {__NR_socket, judge_socket},
                 {__NR_setsockopt, judge_socket_option},
                 {__NR_write, judge_write},
                 {__NR_writev, judge_write},
                 {__NR_read, judge_receive},
                 {__NR_readv, judge_receive},
                 {__NR_pwritev2, judge_unread},
                 {__NR_sendfile, judge_unread},
                 {__NR_splice, judge_unread},
                 {__NR_listen, judge_listen}};
    uint64_t which = take_number(in, 1) % (sizeof calls / sizeof *calls);
    struct call call = {.nr = calls[which].nr, .site = (uint64_t)arena, .stack = take_pointer(in)};
    call.arg[0] = FIRST + take_number(in, 1) % (DESCRIPTORS + 1);
    call.arg[1] = take_pointer(in);
    call.arg[2] = take_length(in);
    call.arg[3] = take_flags(in);
    call.arg[4] = take_pointer(in);
    /* recvfrom's last argument is a pointer, sendto's a length. */
    call.arg[5] = call.nr == __NR_recvfrom ? take_pointer(in) : take_length(in);
    if (call.nr == __NR_sendmsg || call.nr == __NR_recvmsg)
        call.arg[2] = call.arg[3];
    if (call.nr == __NR_splice)
        call.arg[2] = call.arg[0];
    judge_one_call(call, calls[which].judge);
}

static void make_socket(int32_t domain, int32_t type)
{
    struct call call = {
        .nr = __NR_socket, .arg = {(uint64_t)domain, (uint64_t)type}, .site = (uint64_t)arena};
    judge_one_call(call, judge_socket);
}

/* Descriptors that are copied, laid over others, closed, made. */
static void shuffle(struct input *in)
{
    static const int16_t calls[] = {__NR_dup, __NR_fcntl, __NR_fcntl, __NR_dup3, __NR_close};
    uint64_t which = take_number(in, 1) % 8;
    uint64_t from = FIRST + take_number(in, 1) % (DESCRIPTORS + 1),
             to = FIRST + take_number(in, 1) % DESCRIPTORS;
    if (which >= sizeof calls / sizeof *calls) {
        make_socket(from % 2 ? INET : INET6, which % 2 ? DGRAM : STREAM);
        return;
    }
    struct call call = {.nr = calls[which], .arg = {from, to}, .site = (uint64_t)arena};
    if (call.nr == __NR_dup3) {
        call.arg[2] = take_number(in, 1) % 4;
    } else if (call.nr == __NR_fcntl) {
        call.arg[1] = which % 2 ? F_DUPFD : F_DUPFD_CLOEXEC;
        call.arg[2] = to;
    }
    judge_one_call(call, call.nr == __NR_dup ? judge_copy : judge_descriptor);
}

/* The shortest way to a connection: its address is answered for a name, and it is made. */
static void connect_by_name(struct input *in)
{
    uint64_t where = take_number(in, 1), at = (uint64_t)arena + 5 * PAGE;
    struct text name = text_of(hosts[where / PLACES % 2]);
    struct sockaddr_bytes s = sockaddr_of(&places[where % PLACES]);
    struct endpoint to;
    if (where / PLACES % 4 > 1 && endpoint_from_sockaddr(s.bytes, s.len, &to) == SOCKADDR_INET &&
        verdict_may_learn(&sealed->policy, &to.ip)) {
        bool https_only = text_equal(name, TEXT("ok.example"));
        struct verdict verdict = verdict_name(&sealed->policy, name);
        names_learn(learned_names(), &to.ip, verdict.rule, name);
        keep_told(&https_only, &to.ip);
    }
    arena_put(at, s.bytes, s.len);
    struct call call = {.nr = __NR_connect, .arg = {FIRST + take_number(in, 1) % DESCRIPTORS, at, s.len}};
    call.site = (uint64_t)arena;
    judge_one_call(call, judge_connect);
}

/* What is being said, piece by piece. */
static struct {
    uint8_t bytes[HELLO_MAX];
    uint32_t len, at;
} speech;

static void think(struct input *in)
{
    speech.at = 0;
    switch (take_number(in, 1) % 4) {
    case 0:
    case 1: speech.len = make_hello(in, speech.bytes, sizeof speech.bytes, hosts, HOSTS); break;
    case 2: speech.len = with_length(speech.bytes, make_query(in, speech.bytes)); break;
    default: memcpy(speech.bytes, "\0\0\0\10\4\322\26\57", 8); speech.len = 8;
    }
}

/* Says the next piece of it, by one of the calls. */
static void say(struct input *in)
{
    uint64_t at = (uint64_t)arena + PAGE, header = (uint64_t)arena + 5 * PAGE, vectors = header + 256;
    uint32_t piece = (uint32_t)take_number(in, 1), left = speech.len - speech.at;
    uint64_t how = take_number(in, 1) % 4, descriptor = FIRST + take_number(in, 1) % DESCRIPTORS;
    uint32_t n = piece && piece < left ? piece : left;
    arena_put(at, speech.bytes + speech.at, n);
    speech.at += n;
    struct vector v[2] = {{at, n / 2}, {at + n / 2, n - n / 2}};
    struct message m = {.vectors = vectors, .vector_count = 2};
    arena_put(vectors, v, sizeof v);
    arena_put(header, &m, sizeof m);
    struct call call = {.nr = __NR_write, .arg = {descriptor, at, n}, .site = (uint64_t)arena};
    switch (how) {
    case 0: break;
    case 1: call = (struct call){.nr = __NR_writev, .arg = {descriptor, vectors, 2}}; break;
    case 2: call = (struct call){.nr = __NR_sendmsg, .arg = {descriptor, header, take_flags(in)}}; break;
    default: call = (struct call){.nr = __NR_sendto, .arg = {descriptor, at, n, take_flags(in)}};
    }
    call.site = (uint64_t)arena;
    judge_one_call(call, how > 1 ? judge_send : judge_write);
}

static void change_mood(struct input *in)
{
    /* From here on: somebody else takes some of what came, in a way that is not judged. */
    enum { UNSEEN = 240 };
    uint64_t what = take_number(in, 1);
    struct file *f = file_of(FIRST + what / 4 % DESCRIPTORS);
    if (what >= UNSEEN && f && f->type == STREAM) {
        uint32_t n = (uint32_t)take_number(in, 1);
        leave_queue(f, n < queue.len ? n : queue.len);
        return;
    }
    switch (what % 4) {
    case 0: mood.takes = (uint32_t)take_number(in, 1); break;
    case 1: mood.again = true; break;
    case 2: mood.slow = true; break;
    default:
        if (f)
            f->non_blocking = !f->non_blocking;
    }
}

static void begin(void)
{
    memset(learned_names(), 0, sizeof *learned_names());
    memset(open_files, 0, sizeof open_files);
    for (uint32_t i = 0; i < FILES; i++)
        files[i].users = 0;
    cookies = seconds = 0;
    queue.len = told_count = speech.len = speech.at = 0;
    memset(&mood, 0, sizeof mood);
    engine_begin(blocks ? SETTINGS("block") : SETTINGS("alert"));
    struct file *log = &files[FILES - 1];
    *log = (struct file){.users = 1};
    open_files[LOG] = log;
    sealed_block.process.log = LOG;
    sealed_block.process.resolver_count = 1;
    sealed_block.process.resolvers[0] = (struct endpoint){{FAMILY_V4, {203, 0, 113, 53}}, DNS_PORT};
    forget(TABLE);
    memset(asked, 0, sizeof asked);
    memset(denied, 0, sizeof denied);
    memset(connected, 0, sizeof connected);
    memset(servers, 0, sizeof servers);
    last_serial = denied_next = 0;
    for (uint32_t i = 0; i < SOCKETS; i++)
        if (sockets[i].type == RAW) /* no program can make one, but it may have one */
            open_socket(sockets[i].domain, RAW);
        else
            make_socket(sockets[i].domain, sockets[i].type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    uint32_t kind = (uint32_t)take_number(&in, 1);
    blocks = kind < 0x80;
    had_threads = !(kind & 0x40);
    begin();
    rival = had_threads ? kind % 0x40 : 0;
    for (uint32_t steps = 0; in.left && steps < STEPS; steps++)
        switch (take_number(&in, 1) % 10) {
        case 0: lay(&in); break;
        case 1: hand_over(&in); break;
        case 4: shuffle(&in); break;
        case 5: connect_by_name(&in); break;
        case 6: think(&in); break;
        case 7: say(&in); break;
        case 8: change_mood(&in); break;
        default: call_one(&in);
        }
    return 0;
}
