/* What the fuzz targets share: an input that is taken piece by piece, and checks that stop the run. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../runtime_layer/native/core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define CHECK(fact)                                                                                          \
    do {                                                                                                     \
        if (!(fact)) {                                                                                       \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #fact);                               \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

struct input {
    const uint8_t *at;
    size_t left;
};

/* Little-endian; what is not there any more is zero. */
static inline uint64_t take_number(struct input *in, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes && in->left; i++, in->at++, in->left--)
        value |= (uint64_t)*in->at << (8 * i);
    return value;
}

static inline struct text take_text(struct input *in, size_t most)
{
    size_t n = most < in->left ? most : in->left;
    struct text t = {(const char *)in->at, (uint32_t)n};
    in->at += n;
    in->left -= n;
    return t;
}

/* Memory that ends where nothing may be touched: AddressSanitizer sees to that, or replay.c, at the end of a page. What
 * holds structures is aligned for them. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER
#endif
#endif
#ifdef HAS_ADDRESS_SANITIZER
static inline void *room_take(size_t n, size_t alignment)
{
    void *room = malloc(n ? n : 1);
    (void)alignment;
    CHECK(room);
    return room;
}

static inline void room_give(void *room)
{
    free(room);
}
#else
void *room_take(size_t n, size_t alignment);
void room_give(void *room);
#endif

static inline uint8_t *aligned_copy(const void *from, size_t n, size_t alignment)
{
    uint8_t *copy = room_take(n, alignment);
    if (n)
        memcpy(copy, from, n);
    return copy;
}

static inline uint8_t *exact_copy(const void *from, size_t n)
{
    return aligned_copy(from, n, 1);
}

#endif
