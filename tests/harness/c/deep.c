/* Recursion of a given depth in bytes, in frames of at least 4 KB, on the stack of the caller's thread. */
long deep(long bytes);
static long (*volatile again)(long) = deep; /* so that it is no loop */

long deep(long bytes)
{
    volatile char frame[4096];
    frame[bytes & 4095] = 1; /* an index that the compiler does not know, so that it keeps the whole frame */
    return bytes <= 4096 ? 1 : again(bytes - 4096) + frame[bytes & 4095] - 1;
}
