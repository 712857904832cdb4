/* `begin DESCRIPTOR PROGRAM [ARGUMENT ...]`: writes the time to the descriptor, closes it, and becomes the program. So a
 * start is timed from the moment at which Lambda's bootstrap would exec the wrapper, or the runtime. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec t;
    if (argc < 3 || clock_gettime(CLOCK_MONOTONIC, &t))
        return 2;
    uint64_t nanoseconds = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    int to = atoi(argv[1]);
    if (write(to, &nanoseconds, sizeof nanoseconds) != sizeof nanoseconds || close(to))
        return 2;
    execv(argv[2], argv + 2);
    return 127;
}
