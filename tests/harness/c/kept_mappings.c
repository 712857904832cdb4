/* Tries to change what must stay, beside changes that are anybody's right: kept_mappings LIBSHIELD. Prints a line for each
 * attempt that does not end as it should: alone first, then beside another thread, as the gate looks at fewer of these calls
 * then in a runtime that writes code of its own.
 */
#include "midst.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>

enum { PAGE = 4096, OWN = 1 << 24, FREELY = MAP_PRIVATE | MAP_ANONYMOUS };
static const uintptr_t TAG = (uintptr_t)5 << 57; /* an address's top bits that a kernel may ignore */

static void expect(const char *what, long result, int error)
{
    int found = result == -1 ? errno : 0;
    if (found != error)
        printf("%s: %d instead of %d\n", what, found, error);
}

static long protect(uintptr_t at, uintptr_t size, unsigned long rights)
{
    return syscall(SYS_mprotect, at, size, rights);
}

static long map(uintptr_t at, uintptr_t size, long rights, long flags)
{
    return syscall(SYS_mmap, at, size, rights, flags, -1L, 0L) == -1 ? -1 : 0;
}

static void attempt(const char *libshield)
{
    struct place engine = find_mapping(libshield, "r-xp", 0), text = find_mapping("/libc.so", "r-xp", 0);
    uintptr_t own = (uintptr_t)mmap(NULL, OWN, PROT_READ | PROT_WRITE, FREELY, -1, 0);
    if (!engine.low || !text.low)
        puts("the engine, or libc, is not there");
    expect("the engine, writable", protect(engine.low, PAGE, PROT_READ | PROT_WRITE), EACCES);
    expect("the engine, gone", protect(engine.low, PAGE, PROT_NONE), EACCES);
    expect("its last page", protect(engine.high - PAGE, PAGE, PROT_READ | PROT_WRITE), EACCES);
    expect("from below it", protect(engine.low - PAGE, 2 * PAGE, PROT_READ | PROT_WRITE), EACCES);
    expect("from own memory to it", protect(own, engine.low + 1 - own, PROT_READ | PROT_WRITE), EACCES);
    expect("by a tagged address", protect(engine.low | TAG, PAGE, PROT_READ | PROT_WRITE), EACCES);
    expect("text, writable", protect(text.low, text.high - text.low, PROT_READ | PROT_WRITE), EACCES);
    expect("around all addresses", protect(own, (uintptr_t)0 - own, PROT_READ), EACCES);
    expect("farther than that", protect(own, (uintptr_t)0 - PAGE, PROT_READ), EACCES);
    expect("mapped over the engine", map(engine.low, PAGE, PROT_READ, FREELY | MAP_FIXED), EACCES);
    expect("mapped where it is", map(engine.low, PAGE, PROT_READ, FREELY | MAP_FIXED_NOREPLACE), EACCES);
    expect("own memory", protect(own, PAGE, PROT_NONE) || protect(own, PAGE, PROT_READ | PROT_WRITE), 0);
    expect("memory that runs", protect(own, PAGE, PROT_READ | PROT_EXEC), 0);
    expect("new memory that runs", map(0, PAGE, PROT_READ | PROT_EXEC, FREELY), 0);
    munmap((void *)own, OWN);
}

static void *attempt_beside(void *libshield)
{
    attempt(libshield);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc != 2)
        return 2;
    attempt(argv[1]);
    pthread_create(&thread, NULL, attempt_beside, argv[1]);
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
