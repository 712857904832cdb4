/* The names in a DNS message, with their compression pointers: the walk stays in the message, and ends. */
#include "proofs.h"

#include "../../../runtime_layer/native/core/dns.c"

int main(void)
{
    char room[LONGEST];
    struct text bytes = ANY_TEXT(room);
    struct message m = {(const uint8_t *)bytes.at, bytes.len};
    uint32_t at = nondet_number(), end = skip_name(m, at);
    PROVE(!end || (at < end && end <= m.len), "a name ends in the message, behind its first byte");
}
