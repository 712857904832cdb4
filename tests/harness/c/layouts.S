/* Libraries as assemblers and linkers rarely make them. Each opens /tmp/there by a system call of its own, and returns what
 * that says. */
.macro arguments /* of openat, but for its number */
    lea path(%rip), %rsi
    mov $-100, %rdi
    xor %edx, %edx
    xor %r10d, %r10d
.endm
.macro begin
.text
.globl entry
entry:
    arguments
.endm
.macro bounded_entry /* ends by .cfi_endproc */
.text
.globl entry
entry:
    .cfi_startproc
    arguments
.endm
.macro open_entry /* with the number; it ends so too */
    bounded_entry
    mov $257, %eax
.endm
.macro creat_entry number
    bounded_entry
    lea path(%rip), %rdi
    mov $0600, %esi
    mov $\number, %eax
.endm
.macro part name, section=.text /* elsewhere; it ends so too */
.section \section, "ax"
\name:
    .cfi_startproc
.endm
.macro jump_to_r9 /* as compilers do, or as they disguise it, for no processor to guess where it leads */
#if defined(THROUGH_MEMORY)
    mov %r9, -16(%rsp)
    jmp *-16(%rsp)
#elif defined(THROUGH_THUNK)
    jmp thunk
#elif defined(THROUGH_JUMP)
    jmp jump
#elif defined(IN_LINE)
    returns_to_r9
#elif defined(PUSHED)
    push %r9
    ret
#else
    jmp *%r9
#endif
.endm
.macro returns_to_r9
    call 1f
0:
    pause
    jmp 0b
1:
    mov %r9, (%rsp)
    ret
.endm
.macro jump_by_table /* to the case in %rcx */
#ifdef FAR
    lea _GLOBAL_OFFSET_TABLE_(%rip), %r8
    movabs $table@GOTOFF, %r10
    add %r10, %r8
    xor %r10d, %r10d
#else
    lea table(%rip), %r8
#endif
#ifdef ADDRESSES
    jmp *(%r8, %rcx, 8)
#elif defined(SHORT)
    movswq (%r8, %rcx, 2), %r9
    add %r8, %r9
    jmp *%r9
#else
    movslq (%r8, %rcx, 4), %r9
    add %r8, %r9
    jump_to_r9
#endif
.endm
.macro the_call
    syscall
#ifdef ROOM
    mov %rax, %rdx
#endif
.endm
.macro call_and_end
    the_call
    ret
    .cfi_endproc
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
    begin
    mov $257, %ecx
    lea call_it(%rip), %rax
    jmp *%rax
.nops 17
call_it:
#ifdef NARROW
    mov %ecx, %eax
#else
    mov %rcx, %rax
#endif
    syscall
    ret
#elif defined(LEFT)
/* The call, which something jumps to, and what follows are the last bytes of the last page. */
.text
.balign 4096
    begin
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
    call_and_end
    part rare, .text.unlikely
#ifdef LONG
    .fill LONG, 1, 0x90
#endif
    mov $257, %eax
#if defined(RARER) /* it goes on in a part of its own */
    test %edx, %edx
    jz rarer
    ret
    .cfi_endproc
    part rarer, .text.rarer
    xor %r10d, %r10d /* or the branch to here would be made one to there */
    jmp again
#elif defined(SWITCHES) /* there is a switch in it, one of whose cases is the call */
    mov $1, %ecx
    jump_by_table
back:
    ret
#else
    jmp again
#endif
    .cfi_endproc
#ifdef SWITCHES
.section .rodata
table:
    .long back - table, again - table
#endif
#elif defined(BRANCHES)
/* One of two numbers, by a branch to the call, behind which there is no room. */
    open_entry
    test %edx, %edx
    jz call_it
    mov $39, %eax
call_it:
    call_and_end
#elif defined(RARELY_AND_FAR)
/* The same, far away, where no unwind table says that it belongs to the function. */
.text
rare:
    mov $257, %eax
    jmp again
    .fill 25000, 2, 0xc0ff /* inc %eax */
    begin
    test %edx, %edx
    jz rare
    mov $39, %eax
again:
    syscall
    ret
#elif defined(CALLS_RARELY)
/* The call itself lies in such a part, which never comes back. */
    open_entry
    test %edx, %edx
    jz again
    ret
    .cfi_endproc
    part rare, .text.unlikely
    mov $39, %eax
again:
    call_and_end
#elif defined(BY_TABLE)
/* A switch whose last case falls through to the call. The table holds distances, or, for a computed goto, addresses. */
#ifndef FIRST
#define FIRST first
#endif
#ifndef HOLE /* stands for a case that there is not */
#define HOLE behind
#endif
    bounded_entry
#ifdef MANY /* other switches */
.set at, 0
.rept MANY
    lea others + at(%rip), %r9
.set at, at + 4
.endr
#endif
    mov $257, %eax
#ifdef COMES_BACK
    mov $1, %ecx
#else
    mov $2, %ecx
#endif
    jump_by_table
first:
    mov $39, %eax
second:
    the_call
over:
    ret
    .cfi_endproc
behind:
.section .text.unlikely, "ax"
    ud2 /* a linker may put this right behind the function */
rare:
    .cfi_startproc
#ifdef COMES_BACK
    mov $257, %eax
    jmp second
#else
    ud2
#endif
    .cfi_endproc
#ifdef ADDRESSES
.section .data.rel.ro, "aw"
table:
    .quad first, behind, second
#else
.section .rodata
table:
#ifdef SHORT
    .short FIRST - table, HOLE - table, second - table
#endif
    .long FIRST - table, HOLE - table
#ifndef COMES_BACK
    .long second - table
#endif
#ifdef MANY
others:
.rept MANY
    .long first - .
.endr
#endif
#endif
#elif defined(TABLE_ENDS)
/* Behind the table of a switch lies the next function's, which leads to the call as if it were this one's. */
    bounded_entry
    mov $1, %ecx
    cmp $1, %ecx
    ja over
    jump_by_table
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
#elif defined(CALLS_MIDST)
/* It calls a part of itself, with another number. */
    open_entry
    call midst
    ret
    mov $39, %eax
midst:
    call_and_end
#elif defined(TWO_ENTRIES)
/* A function that is called by two names, one of which leaves the number to who calls it. */
    open_entry
    call by_any_number
    ret
    .cfi_endproc
    part by_one_number
    mov $39, %eax
by_any_number:
    call_and_end
/* By these a search that reads instructions and ways carelessly is misled: the number looks like another's. */
#elif defined(PREFIX) /* in front of the instruction, which does not need any */
    open_entry
    .byte PREFIX
    call_and_end
#elif defined(BRANCH_OF_TWO_LENGTHS) /* 66 0f 85, not taken: with 16 bits on AMD's processors, with 32 on Intel's */
    open_entry
    test %edx, %edx
    .byte 0x66, 0x0f, 0x85, 0, 0
    call_and_end
#elif defined(DIVIDES) /* %ax by a byte in memory; then creat is called */
    creat_entry 170
    divb two(%rip)
    call_and_end
#elif defined(MULTIPLIES)
    creat_entry 17
    mulb five(%rip)
    call_and_end
#elif defined(WIDE_CONSTANT) /* 66 48 81: by REX.W it has 32 bits, which 66 would halve */
    open_entry
    .byte 0x66, 0x48, 0x81, 0xc1
    .long 0xb8900000
    syscall
    nop
    nop
    ret
    .cfi_endproc
#elif defined(LOOP) /* for as long as the call is interrupted; it is entered at its check, with another number */
    open_entry
    mov %eax, %r8d
    cmp $0, %r8d
    jne other_number
    mov $39, %r9d
again:
    mov %r9d, %eax
    syscall
    cmp $-4, %rax
check:
    je again
    jmp over
other_number:
    mov %r8d, %r9d
    cmp %eax, %eax
    jmp check
over:
    ret
    .cfi_endproc
#elif defined(RETURNS) /* what looks like a return from a signal is jumped into */
    open_entry
    test %rdi, %rdi
    jnz return
    mov $15, %rax
return:
    call_and_end
#elif defined(SIGNAL_FRAME) /* of a signal handler's return, but it begins with the code */
    open_entry
    jmp frame
    .cfi_endproc
    part frame
    .cfi_signal_frame
    push $-72 /* 6a b8: from the second byte on, mov $..., %eax would hold the call */
    syscall
    nop
    nop
    pop %rcx
    ret
    .cfi_endproc
#else
/* An address in the code, which the loader has to write there. */
    bounded_entry
#ifdef RESOLVES /* its own code runs while it is relocated */
    movabs $resolved, %rsi
#endif
    movabs $path, %rsi
    mov $257, %eax
#ifdef WRITTEN /* and the call itself, as a symbol's value */
    .quad call
#else
    syscall
    ret
#endif
    .cfi_endproc
.globl resolved
.type resolved, @gnu_indirect_function
resolved:
    lea path(%rip), %rax
    ret
#endif
.section .rodata
path:
    .asciz "/tmp/there"
two:
    .byte 2
five:
    .byte 5
#if defined(THROUGH_THUNK) || defined(THROUGH_JUMP)
    part thunk
    returns_to_r9
    .cfi_endproc
    part jump
    lfence
    jmp *%r9
    .cfi_endproc
#endif
.section .note.GNU-stack, "", @progbits
