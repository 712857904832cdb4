/* Reads `objdump -d -w` and compares the length of each instruction with the engine's decoder. Output, one a line:
 *   difference <length of ours, 0: none> <address> <bytes and text as objdump gives them>
 *   syscall <address>
 *   counts <functions> <instructions> <what objdump itself calls bad> */
#include "fuzz.h"

#include <ctype.h>

#include "../../../runtime_layer/native/engine/sites/x86_64/decode.h"

enum { LONGEST = 15, LINE = 4096 };

/* "  401000:\tf3 0f 1e fa          \tendbr64": the bytes, or 0 when the line is none of these. */
static uint32_t read_line(const char *line, unsigned long *address, uint8_t bytes[LONGEST], const char **text)
{
    char *at;
    uint32_t n = 0;
    *address = strtoul(line, &at, 16);
    if (at == line || at[0] != ':' || at[1] != '\t')
        return 0;
    for (at += 2; isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]) && at[2] == ' '; at += 3) {
        if (n == LONGEST)
            return 0;
        bytes[n++] = (uint8_t)strtoul((char[]){at[0], at[1], 0}, NULL, 16);
    }
    while (*at == ' ')
        at++;
    *text = *at == '\t' ? at + 1 : at;
    return n;
}

int main(void)
{
    static char line[LINE];
    uint64_t functions = 0, instructions = 0, bad = 0;
    while (fgets(line, sizeof line, stdin)) {
        uint8_t bytes[LONGEST];
        unsigned long address;
        const char *text;
        line[strcspn(line, "\n")] = 0;
        functions += line[0] && line[strlen(line) - 1] == ':' && strchr(line, '<');
        uint32_t n = read_line(line, &address, bytes, &text);
        if (!n || !*text)
            continue;
        if (strstr(text, "(bad)")) {
            bad++;
            continue;
        }
        instructions++;
        if (!strncmp(text, "syscall", 7))
            printf("syscall %lx\n", address);
        uint32_t ours = decode(bytes, n).len;
        if (ours != n)
            printf("difference %u %lx %s\n", ours, address, strchr(line, '\t') + 1);
    }
    printf("counts %lu %lu %lu\n", (unsigned long)functions, (unsigned long)instructions, (unsigned long)bad);
    return 0;
}
