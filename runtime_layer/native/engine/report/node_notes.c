/* Tests: tests/runtimes/node/test_callers.py. */
#include "node_notes.h"

#include "../base/raw_syscall.h"
#include "../base/user_memory.h"
#include "../state/sealed_state.h"

enum { NOTES = 32, HOST_MAX = 256, TURNS = 100 };

/* A ring of notes, in which the newest replaces the oldest. The thread that sets `is_busy` (acquire) has the
 * other fields, until it clears it (release). */
struct note {
    bool is_busy;
    uint64_t thread;
    uint32_t number, id;                 /* number: 0 where there is none */
    char kind;                           /* 's': a socket, 'x': a program, 'f': V8's flags */
    uint16_t host_len, places_len, port; /* port 0: there is no address */
    struct address ip;
    char host[HOST_MAX], places[NOTE_MAX];
};
static struct note notes[NOTES];
static uint32_t last_number; /* each writer adds one; the order of nothing else depends on it, so relaxed */

/* Waits for a moment only, as a signal may have interrupted the owner in this thread: then this note is skipped. */
static bool claim(struct note *note)
{
    uint32_t turn = 0;
    while (turn < TURNS && __atomic_exchange_n(&note->is_busy, true, __ATOMIC_ACQUIRE))
        turn++;
    return turn < TURNS;
}

static void release(struct note *note)
{
    if (note)
        __atomic_store_n(&note->is_busy, false, __ATOMIC_RELEASE);
}

/* Claims the newest note that `fits`. NULL: there is none. */
static struct note *claim_newest(bool (*fits)(const struct note *, const void *), const void *wanted)
{
    struct note *best = NULL;
    for (uint32_t i = 0; i < NOTES; i++) {
        struct note *other = &notes[i];
        if (!claim(other))
            continue;
        if (other->number && fits(other, wanted) && (!best || other->number > best->number)) {
            other = best;
            best = &notes[i];
        }
        release(other);
    }
    return best;
}

static uint16_t keep(char *to, uint32_t cap, struct text from)
{
    uint16_t len = (uint16_t)(from.len < cap ? from.len : 0);
    copy_bytes(to, from.at, len);
    return len;
}

static bool is_own(const struct note *n, const void *id)
{
    return n->thread == thread_pointer() && n->id == *(const uint32_t *)id;
}

/* "<host>", or "<ip> <port>" */
static void keep_key(struct note *note, struct text rest)
{
    struct text key;
    uint32_t port;
    text_next(&rest, ' ', &key);
    if (text_number(rest, 65535, &port) && address_parse(key, &note->ip))
        note->port = (uint16_t)port;
    else
        note->host_len = keep(note->host, sizeof note->host, key);
}

/* `host`: of V8's flags, the flags. */
static void keep_places(char kind, uint32_t id, struct text host, struct text places)
{
    uint32_t number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    struct note *note = &notes[number % NOTES];
    if (!claim(note))
        return;
    note->number = number;
    note->thread = thread_pointer();
    note->id = id;
    note->kind = kind;
    note->port = 0;
    note->host_len = keep(note->host, sizeof note->host, host);
    note->places_len = keep(note->places, sizeof note->places, places);
    release(note);
}

int64_t keep_node_note(const struct call *call, char bytes[NOTE_MAX], struct text *flags)
{
    struct text rest = {bytes, (uint32_t)(call->arg[2] < NOTE_MAX ? call->arg[2] : NOTE_MAX)}, head;
    uint32_t id;
    if (rest.len < 2 || !read_user(bytes, call->arg[1], rest.len))
        return -EBADF;
    if (bytes[0] == 'f') {
        text_next(&rest, '\n', &head);
        *flags = (struct text){head.at + 1, head.len - 1};
        keep_places('f', 0, *flags, rest);
        return (int64_t)call->arg[2];
    }
    if (sealed->policy.node_callers != CALLERS_ON)
        return -EBADF;
    char kind = bytes[0];
    text_next(&rest, kind == 'k' ? ' ' : '\n', &head);
    if (!head.len || !text_number((struct text){head.at + 1, head.len - 1}, UINT16_MAX, &id))
        return -EBADF;
    struct note *own = kind == 'k' || kind == 'd' ? claim_newest(is_own, &id) : NULL;
    if (own && kind == 'k')
        keep_key(own, rest);
    else if (own)
        own->places_len = 0;
    else if (kind == 's' || kind == 'x')
        keep_places(kind, id, TEXT(""), rest);
    release(own);
    return (int64_t)call->arg[2];
}

/* For a socket with an address: this thread's connection to it, else a look-up of its host, or a connection to the host. A note
 * without a key may be the one whose name is being looked up. */
static bool has_key(const struct note *n, const struct alert *a)
{
    struct text host = {n->host, n->host_len};
    if (n->port)
        return n->port == a->port && address_equal(&n->ip, &a->ip) && n->thread == thread_pointer();
    if (!host.len)
        return text_equal(a->protocol, TEXT("dns"));
    return text_equal_nocase(host, a->host) || text_equal_nocase(host, a->sni);
}

static bool may_be_about(const struct note *n, const void *alert)
{
    const struct alert *a = alert;
    if (!n->places_len)
        return false;
    if (a->policy == CREATE_CHILD_PROCESS)
        return n->kind == 'x' && n->thread == thread_pointer();
    if (a->policy == EXECUTABLE_MEMORY)
        return n->kind == 'f' && n->thread == thread_pointer() &&
               text_equal((struct text){n->host, n->host_len}, a->path);
    return a->policy == OUTBOUND_CONNECTIVITY && n->kind == 's' && has_key(n, a);
}

static void add_places(struct source_place *place, struct place_texts *texts, struct text rest)
{
    struct text line, file, number;
    while (!is_place_full(place) && rest.len && text_next(&rest, '\n', &line)) {
        text_next(&line, '\t', &file);
        text_next(&line, '\t', &number);
        if (!place_add_frame(place, texts, file))
            continue;
        text_number(number, INT32_MAX, &place->line);
        place->function = (struct text){texts->function, keep(texts->function, sizeof texts->function, line)};
    }
}

struct source_place find_node_place(const struct alert *alert, struct place_texts *texts)
{
    struct source_place place = {.package_count = 0};
    struct note *best =
        __atomic_load_n(&last_number, __ATOMIC_RELAXED) ? claim_newest(may_be_about, alert) : NULL;
    if (!best)
        return place;
    struct text places = {texts->file_at_hand, keep(texts->file_at_hand, sizeof texts->file_at_hand,
                                                    (struct text){best->places, best->places_len})};
    release(best);
    add_places(&place, texts, places);
    return place;
}
