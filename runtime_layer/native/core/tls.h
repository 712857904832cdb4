/* The first bytes of a TLS connection (RFC 8446, RFC 6066): the server name that the client asks for.
 *
 * A ClientHello is read when it is whole: within one write, in one record, and with nothing behind it. No TLS library sends it
 * otherwise, so another form counts as hiding the name. Bytes that only some servers accept as the beginning of TLS count as a
 * ClientHello without a name.
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
    struct text name; /* as sent; empty: none, or more than one, or not to be read */
    uint32_t end;     /* after so many bytes, later ones cannot change the kind */
    bool is_nameless; /* whole, and asks for no name: not one that hides it */
    bool encrypted;   /* Encrypted ClientHello: the name that counts is another, and cannot be read */
};

enum tls_start tls_read_start(const uint8_t *bytes, uint32_t len, struct client_hello *hello);

#endif
