/* The first bytes of a connection: any bytes are read within bounds, and what is said of them lies in them. */
#include "proofs.h"

#include "../../../runtime_layer/native/core/tls.h"

int main(void)
{
    char room[LONGEST];
    struct text bytes = ANY_TEXT(room);
    struct client_hello hello;
    enum tls_start start = tls_read_start((const uint8_t *)bytes.at, bytes.len, &hello);
    const char *name = hello.name.at;
    PROVE(hello.end <= bytes.len, "the end lies in the bytes");
    if (hello.name.len)
        PROVE(name >= bytes.at && name + hello.name.len <= bytes.at + bytes.len, "so does the name");
    PROVE(start == TLS_HELLO || (!hello.name.len && !hello.is_nameless),
          "only a hello names or lacks a host");
    PROVE(!hello.is_nameless || !hello.name.len, "a nameless one has no name");
}
