/* Says that it ran, and uses the library so that it is loaded at the start. */
#include <stdio.h>

extern long hard_call(const long *number);

int main(void)
{
    const long getpid_number = 39;
    printf("ran %d\n", hard_call(&getpid_number) > 0);
    return 0;
}
