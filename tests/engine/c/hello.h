/* A ClientHello with nothing in it but a server name that no test allows. */
#ifndef HELLO_H
#define HELLO_H

#include <stdint.h>
#include <string.h>

static uint8_t hello[128];
static size_t hello_len;

static inline uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static inline void make_hello(void)
{
    static const char foreign[] = "evil.example";
    enum {
        NAME = sizeof foreign - 1,
        LIST = NAME + 3,
        EXTENSION = LIST + 2,
        ALL = EXTENSION + 4,
        BODY = 41 + ALL + 2
    };
    uint8_t head[] = {22, 3, 1, 0, BODY + 4, 1, 0, 0, BODY, 3, 3}, suites[] = {0, 0, 2, 0x13, 1, 1, 0};
    uint8_t extension[] = {0, ALL, 0, 0, 0, EXTENSION, 0, LIST, 0, 0, NAME};
    uint8_t random[32] = {7};
    uint8_t *end = put(hello, head, sizeof head);
    end = put(end, random, sizeof random);
    end = put(end, suites, sizeof suites);
    end = put(end, extension, sizeof extension);
    hello_len = (size_t)(put(end, foreign, NAME) - hello);
}

#endif
