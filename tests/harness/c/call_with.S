/* void call_with(const struct registers *before, struct registers *after), for registers.c: a system call with these
 * values in the registers, and the values that they have afterwards. */
    .text
    .globl call_with
#if defined(__x86_64__)
    .type call_with, @function
call_with:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rsi
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups 104+16*\n(%rdi), %xmm\n
    .endr
    mov (%rdi), %rax
    mov 8(%rdi), %rdx
    mov 16(%rdi), %rsi
    mov 32(%rdi), %r8
    mov 40(%rdi), %r9
    mov 48(%rdi), %r10
    mov 56(%rdi), %rbx
    mov 64(%rdi), %rbp
    mov 72(%rdi), %r12
    mov 80(%rdi), %r13
    mov 88(%rdi), %r14
    mov 96(%rdi), %r15
    mov 24(%rdi), %rdi
    syscall
    push %rdi
    mov 8(%rsp), %rdi
    mov %rax, (%rdi)
    mov %rdx, 8(%rdi)
    mov %rsi, 16(%rdi)
    pop %rax
    mov %rax, 24(%rdi)
    mov %r8, 32(%rdi)
    mov %r9, 40(%rdi)
    mov %r10, 48(%rdi)
    mov %rbx, 56(%rdi)
    mov %rbp, 64(%rdi)
    mov %r12, 72(%rdi)
    mov %r13, 80(%rdi)
    mov %r14, 88(%rdi)
    mov %r15, 96(%rdi)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\n, 104+16*\n(%rdi)
    .endr
    pop %rsi
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
#else
    .type call_with, %function
call_with:
    stp x29, x30, [sp, #-192]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
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
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    ldp x29, x30, [sp], #192
    ret
#endif
    .size call_with, . - call_with

    .section .note.GNU-stack, "", %progbits
