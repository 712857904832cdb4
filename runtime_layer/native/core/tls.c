/* Reads the first bytes of a TLS connection; see tls.h. It does not join records, and does not see
 * the real name of an encrypted hello.
 * Tests: tests/lab/fuzz/tls.c, tests/lab/proofs/tls.c. */
#include "tls.h"

enum {
    RECORD_HEADER = 5,
    PLAIN_ALERTS = 16, /* an encrypted record, as on an inherited connection, is longer */
    RECORD_CHANGE = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    MAJOR_VERSION = 3,
    HANDSHAKE_CLIENT_HELLO = 1,
    VERSION_AND_RANDOM = 2 + 32,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_EARLY_DATA = 42,
    EXTENSION_ENCRYPTED_HELLO = 0xfe0d, /* RFC 9849 */
    NAME_HOST = 0
};

/* The first bytes of PostgreSQL's clients: SSLRequest and GSSENCRequest, which differ in their last byte. */
enum { PREAMBLE_LEN = 8 };
static const uint8_t PREAMBLE[PREAMBLE_LEN] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

/* The rest of some bytes. `short_of` is set once more bytes are taken than are left. */
struct reader {
    const uint8_t *at;
    uint32_t left;
    bool short_of;
};

/* Out of line, as the next one: inlined in all callers, they would make the library much larger. */
__attribute__((noinline)) static const uint8_t *take(struct reader *r, uint32_t count)
{
    const uint8_t *taken = r->at;
    if (r->short_of || count > r->left) {
        r->short_of = true;
        return NULL;
    }
    r->at += count;
    r->left -= count;
    return taken;
}

/* A big-endian number of 1 to 3 bytes; 0 when too few are left. */
__attribute__((noinline)) static uint32_t take_number(struct reader *r, uint32_t size)
{
    const uint8_t *bytes = take(r, size);
    uint32_t value = 0;
    for (uint32_t i = 0; bytes && i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void skip_vector(struct reader *r, uint32_t length_size)
{
    take(r, take_number(r, length_size));
}

/* Skips the parts of a ClientHello before its extensions. */
static void skip_to_extensions(struct reader *r)
{
    take(r, VERSION_AND_RANDOM);
    skip_vector(r, 1); /* session */
    skip_vector(r, 2); /* cipher suites */
    skip_vector(r, 1); /* compression */
}

/* The host name of the extension; empty when it is malformed or holds several. */
static struct text read_name(struct reader list)
{
    struct text none = {NULL, 0};
    uint32_t length = take_number(&list, 2);
    if (list.short_of || length != list.left)
        return none;
    uint32_t kind = take_number(&list, 1), name_length = take_number(&list, 2);
    const uint8_t *name = take(&list, name_length);
    bool is_name = !list.short_of && kind == NAME_HOST && !list.left;
    return is_name ? (struct text){(const char *)name, name_length} : none;
}

/* False when they are cut off. A hello with early data (0-RTT) counts as nameless, as a second ClientHello may hide in it. */
static bool read_extensions(struct reader r, struct client_hello *hello)
{
    uint32_t names = 0;
    bool is_early = false;
    struct text name = {NULL, 0};
    while (r.left) {
        uint32_t kind = take_number(&r, 2), length = take_number(&r, 2);
        const uint8_t *data = take(&r, length);
        if (r.short_of)
            return false;
        if (kind == EXTENSION_ENCRYPTED_HELLO)
            hello->encrypted = true;
        if (kind == EXTENSION_EARLY_DATA)
            is_early = true;
        if (kind == EXTENSION_SERVER_NAME && !names++)
            name = read_name((struct reader){data, length, false});
    }
    if (names == 1 && !is_early)
        hello->name = name;
    hello->is_nameless = !names && !is_early;
    return true;
}

/* The one record of `bytes`, from its first byte. */
static void read_hello(const uint8_t *bytes, uint32_t len, struct client_hello *hello)
{
    struct reader r = {bytes, len, false};
    take(&r, 3); /* type and version, which is ignored (RFC 8446, 5.1) */
    bool is_alone = take_number(&r, 2) == r.left;
    take(&r, 1);
    bool is_whole = take_number(&r, 3) == r.left;
    skip_to_extensions(&r);
    bool fits = take_number(&r, 2) == r.left;
    if (r.short_of || !is_alone || !is_whole || !fits || !read_extensions(r, hello))
        *hello = (struct client_hello){.end = len};
}

static bool is_preamble(const uint8_t *bytes, uint32_t len)
{
    uint8_t request = len < PREAMBLE_LEN ? PREAMBLE[PREAMBLE_LEN - 1] : bytes[PREAMBLE_LEN - 1];
    bool last = request == PREAMBLE[PREAMBLE_LEN - 1] || request == PREAMBLE[PREAMBLE_LEN - 1] + 1;
    uint32_t same = len < PREAMBLE_LEN ? len : PREAMBLE_LEN - 1;
    return len && last && same_bytes(bytes, PREAMBLE, same);
}

/* Whether the record is alerts, by the level of the first (RFC 8446, 6); one in 128 encrypted records begins so too. */
static bool is_plain_alert(const uint8_t *bytes, uint32_t len)
{
    return bytes[0] == RECORD_ALERT && len > RECORD_HEADER &&
           (bytes[RECORD_HEADER] == 1 || bytes[RECORD_HEADER] == 2);
}

/* Beginnings of TLS that servers accept and no client sends: an empty record, an alert, a change of ciphers, or a ClientHello
 * in SSL 2's form. */
static bool is_odd_start(const uint8_t *bytes, uint32_t len)
{
    if (bytes[0] == RECORD_HANDSHAKE)
        return len <= RECORD_HEADER || (!bytes[3] && !bytes[4]);
    if (bytes[0] == RECORD_CHANGE || bytes[0] == RECORD_ALERT)
        return len < RECORD_HEADER || (!bytes[3] && bytes[4] < PLAIN_ALERTS) || is_plain_alert(bytes, len);
    return bytes[0] & 0x80 && (len < 3 || bytes[2] == HANDSHAKE_CLIENT_HELLO) &&
           (len < 4 || bytes[3] == MAJOR_VERSION);
}

enum tls_start tls_read_start(const uint8_t *bytes, uint32_t len, struct client_hello *hello)
{
    *hello = (struct client_hello){.end = len};
    if (is_preamble(bytes, len)) /* a part of it, or more: the next bytes can complete it */
        return len == PREAMBLE_LEN ? TLS_PREAMBLE : TLS_HELLO;
    if (len && is_odd_start(bytes, len))
        return TLS_HELLO;
    if (!len || bytes[0] != RECORD_HANDSHAKE || bytes[RECORD_HEADER] != HANDSHAKE_CLIENT_HELLO) {
        hello->end = len < RECORD_HEADER + 1 ? len : RECORD_HEADER + 1;
        return TLS_NOT;
    }
    read_hello(bytes, len, hello);
    return TLS_HELLO;
}
