/* A library whose text takes a while to be searched. It makes no system call, and nobody calls it: its name keeps the linker
 * from leaving it out. */
#if defined(__x86_64__)
__asm__(".text\n.globl large\nlarge: .fill 0x200000, 1, 0x90\n");
#else
__asm__(".text\n.globl large\nlarge: .fill 0x80000, 4, 0xd503201f\n");
#endif
