/* Opens a file through a second libc, loaded into a link-map namespace of its own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>

int open_in_second_libc(const char *path)
{
    void *libc = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW | RTLD_LOCAL);
    if (!libc)
        return -ENOENT;
    int (*second_open)(const char *, int) = (int (*)(const char *, int))dlsym(libc, "open");
    int *(*second_errno)(void) = (int *(*)(void))dlsym(libc, "__errno_location");
    int result = second_open(path, 0);
    return result < 0 ? -*second_errno() : result;
}
