/* The first bytes of TLS connections: nothing is read beyond them, and the name that the parser gives is the one that
 * a server sees, or none. Input: whether it is bytes, or what a ClientHello is made of; how much of it is there. */
#include "hello.h"

#include "../../../runtime_layer/native/core/tls.h"

static const char *const hosts[] = {"ok.example", "a.good.example", "evil.example", "", "OK.example."};

static bool is_preamble(const uint8_t *bytes, size_t n)
{
    return n == 8 &&
           (!memcmp(bytes, "\0\0\0\10\4\322\26\57", 8) || !memcmp(bytes, "\0\0\0\10\4\322\26\60", 8));
}

static void lies_within(const struct client_hello *hello, const uint8_t *bytes, size_t n)
{
    const uint8_t *name = (const uint8_t *)hello->name.at;
    CHECK(hello->end <= n && (!n || hello->end));
    if (hello->name.len)
        CHECK(name > bytes && name + hello->name.len <= bytes + hello->end);
}

static void look(const uint8_t *data, size_t n)
{
    static struct seen_hello server;
    struct client_hello hello;
    uint8_t *bytes = exact_copy(data, n);
    enum tls_start start = tls_read_start(bytes, (uint32_t)n, &hello);
    lies_within(&hello, bytes, n);
    hello_seen(bytes, n, &server);
    CHECK((start == TLS_PREAMBLE) == is_preamble(bytes, n));
    if (n && server.seen != SEEN_OTHER)
        CHECK(start == TLS_HELLO);
    if (start == TLS_HELLO && server.seen == SEEN_WHOLE)
        CHECK(!hello.encrypted || server.encrypted);
    if (hello.name.len && server.seen != SEEN_OTHER) /* else of a version that nobody speaks */
        CHECK(server.seen == SEEN_WHOLE && text_equal(hello.name, server.name));
    /* What has been sent by then cannot be made into a ClientHello any more. */
    if (n && start == TLS_NOT) {
        hello_seen(bytes, hello.end, &server);
        CHECK(server.seen == SEEN_OTHER);
    }
    room_give(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t made[HELLO_MAX];
    struct input in = {data, size};
    bool is_raw = take_number(&in, 1) % 4 == 0;
    size_t part = take_number(&in, 2), n;
    const uint8_t *bytes = made;
    if (is_raw) {
        bytes = in.at;
        n = in.left;
    } else {
        n = make_hello(&in, made, sizeof made, hosts, sizeof hosts / sizeof *hosts);
    }
    look(bytes, n);
    if (part < n)
        look(bytes, part);
    return 0;
}
