/* memcpy, memset, memmove and memcmp for freestanding builds.
 *
 * The compiler emits calls to these four even under -ffreestanding, and there is no libc. They are hidden, so that the
 * program into which the library is loaded never binds to them. They copy by words, as the gate uses general registers only.
 * Tests: tests/lab/fuzz/memory.c. */
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define HIDDEN
#else
#define HIDDEN __attribute__((visibility("hidden")))
#endif

/* Without this, the compiler would turn the loops below into calls to the functions that they implement. */
#if defined(__clang__)
#define PLAIN_LOOP __attribute__((no_builtin))
#else
#define PLAIN_LOOP __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

typedef uint64_t __attribute__((may_alias, aligned(1))) word;
typedef uint32_t __attribute__((may_alias, aligned(1))) half;

HIDDEN void *memcpy(void *restrict to, const void *restrict from, size_t n);
HIDDEN void *memmove(void *to, const void *from, size_t n);
HIDDEN void *memset(void *to, int byte, size_t n);
HIDDEN int memcmp(const void *a, const void *b, size_t n);

PLAIN_LOOP void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    size_t whole = n & ~(sizeof(word) - 1);
    if (whole && whole < n) /* the rest, as the last word: some of it is copied twice */
        *(word *)(t + n - sizeof(word)) = *(const word *)(f + n - sizeof(word));
    for (size_t i = 0; i < whole; i += sizeof(word))
        *(word *)(t + i) = *(const word *)(f + i);
    for (size_t i = whole; !whole && i < n; i++)
        t[i] = f[i];
    return to;
}

PLAIN_LOOP void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t - (uintptr_t)f >= n) {
        for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word), f += sizeof(word))
            *(word *)t = *(const word *)f;
        while (n--)
            *t++ = *f++;
        return to;
    }
    t += n;
    f += n;
    for (; n >= sizeof(word); n -= sizeof(word)) {
        t -= sizeof(word);
        f -= sizeof(word);
        *(word *)t = *(const word *)f;
    }
    while (n--)
        *--t = *--f;
    return to;
}

PLAIN_LOOP void *memset(void *to, int byte, size_t n)
{
    uint8_t *t = to;
    uint64_t pattern = (uint8_t)byte * UINT64_C(0x0101010101010101);
    for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word))
        *(word *)t = pattern;
    while (n--)
        *t++ = (uint8_t)byte;
    return to;
}

PLAIN_LOOP int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (; n >= sizeof(word) && *(const word *)x == *(const word *)y; n -= sizeof(word))
        x += sizeof(word), y += sizeof(word);
    if (n >= 4 && *(const half *)x == *(const half *)y)
        n -= sizeof(half), x += sizeof(half), y += sizeof(half);
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

#if defined(__APPLE__)
/* On aarch64, clang calls it to clear a structure of more than 256 bytes. */
HIDDEN void bzero(void *to, size_t n);

PLAIN_LOOP void bzero(void *to, size_t n)
{
    uint8_t *t = to;
    for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word))
        *(word *)t = 0;
    while (n--)
        *t++ = 0;
}
#endif
