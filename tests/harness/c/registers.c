/* Makes calls that the engine judges with a value of its own in every register, and tells which had another afterwards.
 * The kernel keeps them all except the result (and rcx and r11 on x86-64): compilers keep values there. */
#include <asm/unistd.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#if defined(__x86_64__)
enum { GENERAL = 13, VECTORS = 16, NR = 0, RESULT = 0 };
static const uint8_t argument_at[6] = {12, 2, 1, 5, 3, 4}; /* rdi rsi rdx r10 r8 r9 */
#else
enum { GENERAL = 29, VECTORS = 32, NR = 8, RESULT = 0 };
static const uint8_t argument_at[6] = {0, 1, 2, 3, 4, 5};
#endif

/* As call_with.S knows them. */
struct registers {
    uint64_t general[GENERAL + (VECTORS == 32)]; /* x29 is call_with's own */
    uint8_t vector[VECTORS][16];
};
void call_with(const struct registers *before, struct registers *after);

struct call {
    const char *name;
    int64_t nr;
    uint64_t argument[6];
};

static const struct sockaddr_in elsewhere = {
    .sin_family = AF_INET, .sin_port = 0xbb01, .sin_addr = {0x057100cb}};

/* Writes "name result register register...;" for each call. */
void registers_lost(int64_t tcp, int64_t udp, int64_t library, char *text, uint64_t room)
{
    const uint64_t here = (uint64_t)-100, to = (uint64_t)&elsewhere;
    char buffer[256];
    struct stat about;
    const struct call calls[] = {
        {"openat", __NR_openat, {here, (uint64_t)"/tmp/there", 0, 0, 0, 0}},
        {"openat elsewhere", __NR_openat, {here, (uint64_t)"/etc/passwd", 0, 0, 0, 0}},
        {"newfstatat", __NR_newfstatat, {here, (uint64_t)"/etc/passwd", (uint64_t)&about, 0, 0, 0}},
        {"readlinkat",
         __NR_readlinkat,
         {here, (uint64_t)"/proc/self/exe", (uint64_t)buffer, sizeof buffer, 0, 0}},
        {"connect", __NR_connect, {(uint64_t)tcp, to, sizeof elsewhere, 0, 0, 0}},
        {"sendto", __NR_sendto, {(uint64_t)udp, (uint64_t)buffer, 12, 0, to, sizeof elsewhere}},
        {"socket", __NR_socket, {AF_INET, SOCK_STREAM, 0, 0, 0, 0}},
        {"mmap", __NR_mmap, {0, 4096, 3, 0x22, (uint64_t)-1, 0}},
        {"mmap text", __NR_mmap, {0, 16384, 5, 2, (uint64_t)library, 0}},
        {"getppid", __NR_getppid, {1, 2, 3, 4, 5, 6}},
    };
    uint64_t used = 0;
    for (uint32_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        struct registers before, after;
        for (uint32_t i = 0; i < sizeof before; i++)
            ((uint8_t *)&before)[i] = (uint8_t)(i * 37 + 11);
        before.general[NR] = (uint64_t)calls[c].nr;
        for (uint32_t i = 0; i < 6; i++)
            before.general[argument_at[i]] = calls[c].argument[i];
        call_with(&before, &after);
        used += (uint64_t)snprintf(text + used, room - used, "%s %lld", calls[c].name,
                                   (long long)after.general[RESULT]);
        for (uint32_t i = 0; i < GENERAL; i++)
            if (i != RESULT && before.general[i] != after.general[i])
                used += (uint64_t)snprintf(text + used, room - used, " general%u", i);
        for (uint32_t i = 0; i < VECTORS; i++)
            if (memcmp(before.vector[i], after.vector[i], 16) != 0)
                used += (uint64_t)snprintf(text + used, room - used, " vector%u", i);
        used += (uint64_t)snprintf(text + used, room - used, ";");
    }
}
