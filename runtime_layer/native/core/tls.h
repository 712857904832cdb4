/* The first bytes of a TLS connection (RFC 8446, RFC 6066): which server name the client asks for.
 *
 * The name is read from the first write of a connection. A client that spreads it over several records, or over several
 * writes, is one that hides it: no TLS library does so.
 */
#ifndef SHIELD_TLS_H
#define SHIELD_TLS_H

#include "text.h"

enum tls_start {
    TLS_NOT,      /* not a ClientHello: another protocol */
    TLS_PREAMBLE, /* a question whether TLS is spoken at all (PostgreSQL): the ClientHello comes next */
    TLS_HELLO     /* a ClientHello, or the beginning of one */
};

struct client_hello {
    struct text name;  /* as sent; empty: none, or more than one, or not within these bytes */
    uint32_t name_end; /* so many bytes have been sent when the name has */
    bool encrypted;    /* Encrypted ClientHello: the name that counts is another, and cannot be read */
};

enum tls_start tls_read_start(const uint8_t *bytes, uint32_t len, struct client_hello *hello);

#endif
