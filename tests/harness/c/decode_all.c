/* Prints the length that the engine's decoder gives each instruction of a file range, whose starts come from a
 * reference on standard input: "offset" lines in hex. Output: "offset length" (0: cannot decode). */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../runtime_layer/native/engine/sites/x86_64/decode.h"

int main(int argc, char **argv)
{
    int file = argc > 1 ? open(argv[1], O_RDONLY) : -1;
    off_t size = file < 0 ? 0 : lseek(file, 0, SEEK_END);
    const uint8_t *view = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    unsigned long offset;
    if (view == MAP_FAILED)
        return 2;
    while (scanf("%lx", &offset) == 1) {
        bool inside = offset < (unsigned long)size;
        printf("%lx %d\n", offset, inside ? decode(view + offset, (uint64_t)size - offset).len : 0);
    }
    return 0;
}
