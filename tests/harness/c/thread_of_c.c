/* A thread that no interpreter knows of: it connects. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static void *dial(void *nothing)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xcb007142)};
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    connect(connection, (const struct sockaddr *)&to, sizeof to);
    close(connection);
    return nothing;
}

void dial_in_a_thread(void)
{
    pthread_t thread;
    if (!pthread_create(&thread, 0, dial, 0))
        pthread_join(thread, 0);
}
