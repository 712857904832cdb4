/* A section that reads as code with a system call in it, and that no function's bounds hold. The test says of it that it is
 * data, as a linker's own sections would be that it lays into the executable segment. */
#if defined(__x86_64__)
__asm__(".section .table, \"ax\", @progbits\n .globl table\n"
        "table: .fill 320, 1, 0x90\n mov $2, %eax\n syscall\n .fill 64, 1, 0x90\n .previous");
#else
__asm__(".section .table, \"ax\", %progbits\n .globl table\n"
        "table: .fill 80, 4, 0xd503201f\n mov x8, #56\n svc #0\n .fill 16, 4, 0xd503201f\n .previous");
#endif
extern const unsigned char table[];

int entry(int index)
{
    return table[index];
}
