/* Loads a library (argv[1]) over and over, while threads open and close: the numbers are everybody's. Prints "ok" when each
 * time worked. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { THREADS = 4, TIMES = 2000 };
static atomic_int stop;

static void *open_and_close(void *unused)
{
    while (!stop)
        close(open("/dev/null", O_RDONLY));
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    const char *wrong = NULL;
    if (argc != 2)
        return 2;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, open_and_close, NULL);
    for (int i = 0; i < TIMES && !wrong; i++) {
        void *library = dlopen(argv[1], RTLD_NOW);
        if (!library)
            wrong = dlerror();
        else
            dlclose(library);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    puts(wrong ? wrong : "ok");
    return 0;
}
