/* Libraries as assemblers and linkers rarely make them. Each opens /tmp/there by a system call of its own, and returns what
 * that says. */
.macro arguments /* of openat, but for its number */
    lea path(%rip), %rsi
    mov $-100, %rdi
    xor %edx, %edx
    xor %r10d, %r10d
.endm
.macro bounded_entry /* ends by .cfi_endproc */
.text
.globl entry
entry:
    .cfi_startproc
    arguments
.endm
.macro jump_by_table index
    lea table(%rip), %r8
#ifdef ADDRESSES
    jmp *(8 * \index)(%r8)
#else
    movslq (4 * \index)(%r8), %r9
    add %r8, %r9
    jmp *%r9
#endif
.endm
.macro the_call
    syscall
#ifdef ROOM
    mov %rax, %rdx
#endif
.endm
#if defined(TABLE_IN_FRONT)
/* Constants in front of a function, whose number comes from a register: nothing tells where code begins. */
.text
.balign 16
.long 1, 2, 3, 4, 5, 6, 7, 8
call_it:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    syscall
    ret
#ifdef TABLE_BEHIND
.fill 64, 1, 0x06
#endif
.globl entry
entry:
    mov $257, %edi
    mov $-100, %rsi
    lea path(%rip), %rdx
    xor %ecx, %ecx
    xor %r8d, %r8d
    jmp call_it
#elif defined(PADDED)
/* A short function, without .cfi_startproc, behind what fills up in front of it; it is called by its address. */
.text
.globl entry
entry:
    arguments
    mov $257, %ecx
    lea call_it(%rip), %rax
    jmp *%rax
.nops 17
call_it:
    mov %rcx, %rax
    syscall
    ret
#elif defined(LEFT)
/* The call, which something jumps to, and what follows are the last bytes of the last page. */
.text
.balign 4096
.globl entry
entry:
    arguments
    mov $257, %eax
    test %edx, %edx
    jz again
    .fill 4096 - LEFT - (. - entry), 1, 0x90
    ret
again:
    syscall
    nopl (%rax)
    ret
#elif defined(RARELY)
/* What rarely runs lies in a part elsewhere, as gcc's .cold does, and comes back to the call, with another number. */
    bounded_entry
    test %edx, %edx
    jz rare
    mov $39, %eax
again:
    the_call
    ret
    .cfi_endproc
.section .text.unlikely, "ax"
rare:
    .cfi_startproc
    mov $257, %eax
    jmp again
    .cfi_endproc
#elif defined(BY_TABLE)
/* A switch whose last case falls through to the call. The table holds distances, or, for a computed goto, addresses. */
    bounded_entry
    mov $257, %eax
    jump_by_table 2
first:
    mov $39, %eax
second:
    the_call
    ret
    .cfi_endproc
behind:
#ifdef ADDRESSES
.section .data.rel.ro, "aw"
table:
    .quad first, behind, second
#else
.section .rodata
table:
    .long first - table, behind - table, second - table /* the one in the middle stands for a case that there is not */
#endif
#elif defined(TABLE_ENDS)
/* Behind the table of a switch lies the next function's, which would lead to the call if it were this one's. */
    bounded_entry
    mov $1, %ecx
    cmp $1, %ecx
    ja over
    jump_by_table 1
first:
    mov $39, %ecx
second:
    mov $257, %eax
call_it:
    syscall
over:
    ret
    .cfi_endproc
.section .rodata
table:
    .long first - table, second - table, call_it - table
#elif defined(TWO_ENTRIES)
/* A function that is called by two names, one of which leaves the number to who calls it. */
    bounded_entry
    mov $257, %eax
    call by_any_number
    ret
    .cfi_endproc
by_one_number:
    .cfi_startproc
    mov $39, %eax
by_any_number:
    the_call
    ret
    .cfi_endproc
#else
/* An address in the code, which the loader has to write there. */
.text
.globl entry
entry:
    arguments
    movabs $path, %rsi
    mov $257, %eax
    syscall
    ret
#endif
.section .rodata
path:
    .asciz "/tmp/there"
.section .note.GNU-stack, "", @progbits
