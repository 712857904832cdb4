/* A library whose code holds an address, which the loader writes there (-z notext): it says whether that is still so. */
static int value = 42;

__attribute__((constructor)) static void look(void)
{
    static char text[] = "well\n";
    extern long write(int, const void *, unsigned long);
    int *address;
    __asm__("movabs $%c1, %0" : "=r"(address) : "i"(&value));
    value++;
    if (address == &value && *address == 43)
        write(1, text, sizeof text - 1);
}
