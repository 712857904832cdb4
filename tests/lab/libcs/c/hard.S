/* A system call that nothing can be put in front of or over: it is jumped to, and what follows it is a return. */
    .text
    .globl hard_call
    .type hard_call, @function
hard_call:
    .cfi_startproc
    mov (%rdi), %rax
    jmp 1f
2:  ret
1:  syscall
    jmp 2b
    .cfi_endproc
    .size hard_call, . - hard_call

    .section .note.GNU-stack, "", @progbits
