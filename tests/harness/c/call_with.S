/* void call_with(const struct registers *before, struct registers *after), for registers.c: a system call with these
 * values in the registers, and the values that they have afterwards. */
    .text
    .globl call_with
#if defined(__x86_64__)
    .type call_with, @function
call_with:
    .irp r, rbx, rbp, r12, r13, r14, r15, rsi
    push %\r
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups 104+16*\n(%rdi), %xmm\n
    .endr
    .set at, 0
    .irp r, rax, rdx, rsi, r8, r9, r10, rbx, rbp, r12, r13, r14, r15, rdi
    mov at(%rdi), %\r
    .set at, at + 8
    .endr
    syscall
    push %rdi
    mov 8(%rsp), %rdi
    .set at, 0
    .irp r, rax, rdx, rsi, r8, r9, r10, rbx, rbp, r12, r13, r14, r15
    mov %\r, at(%rdi)
    .set at, at + 8
    .endr
    pop %rax
    mov %rax, 96(%rdi)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\n, 104+16*\n(%rdi)
    .endr
    .irp r, rsi, r15, r14, r13, r12, rbp, rbx
    pop %\r
    .endr
    ret
#else
    .type call_with, %function
call_with:
    stp x29, x30, [sp, #-192]!
    .irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
    str x\n, [sp, #8*\n-136]
    .endr
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    str d\n, [sp, #8*\n+32]
    .endr
    str x1, [sp, #160]
    mov x29, x0
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ldr q\n, [x29, #240+16*\n]
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
    ldr x\n, [x29, #8*\n]
    .endr
    svc #0
    ldr x29, [sp, #160]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
    str x\n, [x29, #8*\n]
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    str q\n, [x29, #240+16*\n]
    .endr
    .irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
    ldr x\n, [sp, #8*\n-136]
    .endr
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    ldr d\n, [sp, #8*\n+32]
    .endr
    ldp x29, x30, [sp], #192
    ret
#endif
    .size call_with, . - call_with
    .section .note.GNU-stack, "", %progbits
