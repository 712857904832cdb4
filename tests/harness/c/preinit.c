/* A program that runs code of its own before the constructors of its libraries: it leaves a file in /tmp. */
#include "mark.h"

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = leave_mark;

int main(void)
{
    return 0;
}
