/* A small library, loaded from odd places. */
int forty_two(void)
{
    return 42;
}
