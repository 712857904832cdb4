/* A function whose address is decided while it is linked (STT_GNU_IFUNC): what decides that runs before every constructor,
 * in a library as in a program, and leaves a file in /tmp. */
#include "mark.h"

static int nothing(void)
{
    return 0;
}

static void *decide(void)
{
    leave_mark();
    return (void *)nothing;
}

int chosen(void) __attribute__((ifunc("decide")));

int main(void)
{
    return chosen();
}
