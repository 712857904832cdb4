/* A library whose constructor is there before anything else: it opens /tmp and says so. */
#include <fcntl.h>
#include <unistd.h>

__attribute__((constructor)) static void early(void)
{
    if (open("/tmp/there", O_RDONLY) >= 0)
        (void)!write(1, "early\n", 6);
}

unsigned la_version(unsigned version)
{
    return version;
}
