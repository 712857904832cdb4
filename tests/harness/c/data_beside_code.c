/* A section that reads as code with a system call in it, and that no function's bounds hold. It lies in the executable
 * segment, and the test says of it that it is data, as a linker's own sections would be; or else it can be written, and lies
 * pages behind. */
#ifdef WRITABLE
#define SECTION(mark) ".section .table, \"aw\", " mark "progbits\n .globl table\n"
#define FILL "8192"
#else
#define SECTION(mark) ".section .table, \"ax\", " mark "progbits\n .globl table\n"
#define FILL "320"
#endif
#if defined(__x86_64__)
__asm__(SECTION("@") "table: .fill " FILL
                     ", 1, 0x90\n mov $2, %eax\n syscall\n .fill 64, 1, 0x90\n .previous");
#else
__asm__(SECTION("%") "table: .fill " FILL
                     " / 4, 4, 0xd503201f\n mov x8, #56\n svc #0\n .fill 16, 4, 0xd503201f\n .previous");
#endif
extern const unsigned char table[];

int entry(int index)
{
    return table[index];
}
