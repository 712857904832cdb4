/* A static program: nothing can be preloaded into it. Exit status: the errno of opening its argument. */
#include <errno.h>
#include <fcntl.h>

int main(int argc, char **argv)
{
    return argc > 1 && open(argv[1], O_RDONLY) >= 0 ? 0 : errno;
}
