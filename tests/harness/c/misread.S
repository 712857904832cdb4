/* Libraries by which a search that reads instructions and ways carelessly is misled. Each opens /tmp/there by a system call of
 * its own, with a number that looks like another's, and returns what the kernel says. */
.text
.globl entry
entry:
    .cfi_startproc
    lea path(%rip), %rsi
    mov $-100, %rdi
    xor %edx, %edx
    xor %r10d, %r10d
    mov $257, %eax
#if defined(PREFIX) /* in front of the instruction, which does not need any */
    .byte PREFIX
    syscall
    ret
#elif defined(BRANCH_OF_TWO_LENGTHS) /* 66 0f 85, not taken: with 16 bits on AMD's processors, with 32 on Intel's */
    test %edx, %edx
    .byte 0x66, 0x0f, 0x85, 0, 0
    syscall
    ret
#elif defined(DIVIDES) /* %ax by a byte in memory; then creat is called */
    lea path(%rip), %rdi
    mov $0600, %esi
    mov $170, %eax
    divb two(%rip)
    syscall
    ret
#elif defined(MULTIPLIES)
    lea path(%rip), %rdi
    mov $0600, %esi
    mov $17, %eax
    mulb five(%rip)
    syscall
    ret
#elif defined(WIDE_CONSTANT) /* 66 48 81: by REX.W it has 32 bits, which 66 would halve */
    .byte 0x66, 0x48, 0x81, 0xc1
    .long 0xb8900000
    syscall
    nop
    nop
    ret
#elif defined(LOOP) /* for as long as the call is interrupted; it is entered at its check, with another number */
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
#elif defined(RETURNS) /* what looks like a return from a signal is jumped into */
    test %rdi, %rdi
    jnz return
    mov $15, %rax
return:
    syscall
    ret
#elif defined(SIGNAL_FRAME) /* of a signal handler's return, but it begins with the code */
    jmp frame
    .cfi_endproc
frame:
    .cfi_startproc
    .cfi_signal_frame
    push $-72 /* 6a b8: from the second byte on, mov $..., %eax would hold the call */
    syscall
    nop
    nop
    pop %rcx
    ret
#endif
    .cfi_endproc
.section .rodata
path:
    .asciz "/tmp/there"
two:
    .byte 2
five:
    .byte 5
.section .note.GNU-stack, "", @progbits
