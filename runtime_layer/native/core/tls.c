/* The first bytes of a TLS connection; see tls.h. */
#include "tls.h"

enum {
    RECORD_HEADER = 5,
    RECORD_HANDSHAKE = 22,
    MAJOR_VERSION = 3,
    HANDSHAKE_CLIENT_HELLO = 1,
    VERSION_AND_RANDOM = 2 + 32,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ENCRYPTED_HELLO = 0xfe0d, /* RFC 9849 */
    NAME_HOST = 0
};

/* What PostgreSQL's clients send first: SSLRequest and GSSENCRequest. */
static const uint8_t PREAMBLES[][8] = {
    {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f},
    {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30},
};

/* Bytes of which some have been taken. `short_of` once more was asked for than there is. */
struct reader {
    const uint8_t *at;
    uint32_t left;
    bool short_of;
};

static const uint8_t *take(struct reader *r, uint32_t count)
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

/* A big-endian number of 1 to 3 bytes; 0 when there are not so many. */
static uint32_t take_number(struct reader *r, uint32_t size)
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

/* The one host name of the extension; empty when it is malformed or holds several. */
static struct text read_name(struct reader list)
{
    struct text none = {NULL, 0};
    uint32_t length = take_number(&list, 2);
    if (list.short_of || length != list.left)
        return none;
    uint32_t kind = take_number(&list, 1), name_length = take_number(&list, 2);
    const uint8_t *name = take(&list, name_length);
    bool well = !list.short_of && kind == NAME_HOST && !list.left;
    return well ? (struct text){(const char *)name, name_length} : none;
}

static void read_extensions(struct reader r, const uint8_t *start, struct client_hello *hello)
{
    uint32_t names = 0;
    while (r.left) {
        uint32_t kind = take_number(&r, 2), length = take_number(&r, 2);
        const uint8_t *data = take(&r, length);
        if (r.short_of)
            return;
        if (kind == EXTENSION_ENCRYPTED_HELLO)
            hello->encrypted = true;
        if (kind != EXTENSION_SERVER_NAME)
            continue;
        hello->name = read_name((struct reader){data, length, false});
        hello->name_end = (uint32_t)(r.at - start);
        if (++names > 1)
            hello->name = (struct text){NULL, 0};
    }
}

enum tls_start tls_read_start(const uint8_t *bytes, uint32_t len, struct client_hello *hello)
{
    *hello = (struct client_hello){.name_end = len};
    for (uint32_t i = 0; i < sizeof PREAMBLES / sizeof *PREAMBLES; i++)
        if (len == sizeof *PREAMBLES && same_bytes(bytes, PREAMBLES[i], sizeof *PREAMBLES))
            return TLS_PREAMBLE;
    if (!len || bytes[0] != RECORD_HANDSHAKE || (len > 1 && bytes[1] != MAJOR_VERSION) ||
        (len > RECORD_HEADER && bytes[RECORD_HEADER] != HANDSHAKE_CLIENT_HELLO))
        return TLS_NOT;
    struct reader r = {bytes, len, false};
    take(&r, 3);
    uint32_t record = take_number(&r, 2);
    if (r.left > record)
        r.left = record;
    take(&r, 1);
    uint32_t message = take_number(&r, 3);
    if (r.left > message)
        r.left = message;
    take(&r, VERSION_AND_RANDOM);
    skip_vector(&r, 1); /* session */
    skip_vector(&r, 2); /* cipher suites */
    skip_vector(&r, 1); /* compression */
    uint32_t extensions = take_number(&r, 2);
    if (r.short_of)
        return TLS_HELLO;
    if (r.left > extensions)
        r.left = extensions;
    read_extensions(r, bytes, hello);
    return TLS_HELLO;
}
