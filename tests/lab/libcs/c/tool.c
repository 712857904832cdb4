/* A program that is started: it says "hello", or nothing when it is told so, and ends with 5. */
#include <unistd.h>

int main(int argc, char **argv)
{
    (void)argv;
    return argc > 1 || write(1, "hello\n", 6) == 6 ? 5 : 1;
}
