/* A static program, which nothing can be preloaded into: it leaves a file in /tmp. */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    int file = open("/tmp/mark", O_CREAT | O_WRONLY, 0644);
    return write(file, "mark", 4) == 4 ? 77 : 1;
}
