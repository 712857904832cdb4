/* A program of 24 MB that reads a file of /tmp. */
#include <stdio.h>

static char room[24 << 20];

int main(void)
{
    FILE *file = fopen("/tmp/there", "r");
    puts(file ? fgets(room, sizeof room, file) : "denied");
    return !file;
}
