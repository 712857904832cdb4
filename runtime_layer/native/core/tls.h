/* Reads the server name from the first bytes of a TLS connection (RFC 8446, RFC 6066).
 *
 * A ClientHello is read only when one write holds one record with the whole of it and nothing behind it. All TLS libraries
 * send it so, and another form counts as hiding the name. Bytes that only some servers accept as the beginning of TLS count
 * as a ClientHello without a name.
 */
#ifndef SHIELD_TLS_H
#define SHIELD_TLS_H

#include "text.h"

enum tls_start {
    TLS_NOT,      /* not a ClientHello: another protocol */
    TLS_PREAMBLE, /* a question whether TLS is spoken at all (PostgreSQL): the ClientHello comes next */
    TLS_HELLO     /* a ClientHello, or the beginning of one for some server */
};

struct client_hello {
    struct text name; /* as sent; empty: none, several, or unreadable */
    uint32_t end;     /* bytes behind this offset cannot change the kind */
    bool is_nameless; /* whole and without a name, so it does not hide one */
    bool encrypted;   /* Encrypted ClientHello: the real server name cannot be read */
};

enum tls_start tls_read_start(const uint8_t *bytes, uint32_t len, struct client_hello *hello);

#endif
