/* The gate's entry: every trampoline calls it (x86_64).
 *
 * On entry rax holds the number, rdi rsi rdx r10 r8 r9 the arguments, and rcx the site's address; the trampoline has moved the
 * stack down by 128 bytes, past the caller's red zone. rcx and r11 are free, as the kernel clobbers them. On return, rcx = 0
 * means "make the call in place"; otherwise rax is the result. All other registers are kept, except the flags, which no caller
 * keeps across a system call.
 *
 * The call frame information names the site as the caller, not the trampoline: the frame's return address is the saved rcx, and
 * its stack pointer the one above the red zone. So backtraces, C++ exceptions and pthread_cancel pass through a call of the
 * gate as if libc made it.
 */
#include "../../base/gate_layout.h"

    .text
    .p2align 4
    .hidden gate_entry
    .globl gate_entry
    .type gate_entry, @function
gate_entry:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa %rsp, RED_ZONE + 8
    .cfi_register %rip, %rcx
    cmp $GATE_TABLE, %rax
    jae 1f
    lea gate_table(%rip), %r11
    movzbl (%r11,%rax), %r11d
    cmp $GUARD_ALWAYS, %r11d
    jb 3f
    je 1f
    cmp $GUARD_READY_LINE, %r11d
    jb 2f
    je 4f
    cmp $GUARD_RECEIVE, %r11d
    jb 5f
    je 6f
    cmp $GUARD_MMAP, %r11d
    je 9f
    ja 10f
    test %r8, %r8                /* GUARD_ADDRESSED */
    jne 1f
    jmp 5f
9:                               /* GUARD_MMAP */
    test $(1 << PROT_EXEC_BIT), %dl
    jnz 1f
    test $(1 << MAP_FIXED_BIT | 1 << MAP_FIXED_NOREPLACE_BIT), %r10d
    jnz 1f
    jmp 3f
10:                              /* GUARD_MPROTECT; a tagged address is high */
    cmp $GUARD_MPROTECT, %r11d
    jne 11f
    test $(1 << PROT_EXEC_BIT), %dl
    jnz 1f
    cmpb $0, had_threads(%rip)
    je 1f
    mov %rdi, %r11
    add %rsi, %r11
    jc 1f
    cmp lowest_range(%rip), %r11
    ja 1f
    jmp 3f
11:                              /* GUARD_NEXT_EVENT */
    cmpb $0, next_event_watched(%rip)
    jne 1f
    jmp 3f
6:                               /* GUARD_RECEIVE */
    cmp $(1 << DESCRIPTOR_BITS), %rdi
    jae 1f
    lea fd_marks(%rip), %r11
    cmpb $MARK_READ, (%r11,%rdi,1 << MARK_SHIFT)
    jae 1f
    jmp 3f
2:                               /* GUARD_LOG */
    mov %edi, %r11d
    sub gate_table+GATE_LOG(%rip), %r11d
    cmp $BEHIND_LOG, %r11d
    jbe 1f
    jmp 3f
4:                               /* GUARD_READY_LINE */
    cmp $READY_LINE, %rdx
    jae 1f
5:                               /* GUARD_MARKED: gate_judge takes numbers that are not in the table */
    cmp $(1 << DESCRIPTOR_BITS), %rdi
    jae 1f
    cmpb $0, next_event_watched(%rip)
    jne 1f
    lea fd_marks(%rip), %r11
    cmpb $0, (%r11,%rdi,1 << MARK_SHIFT)
    jne 1f
3:
    mov %rcx, %r11
    .cfi_remember_state
    .cfi_register %rip, %r11
    xor %ecx, %ecx
    ret
    .cfi_restore_state
1:
    push %rbp
    .cfi_def_cfa_offset RED_ZONE + 16
    .cfi_offset %rbp, -(RED_ZONE + 16)
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    lea RED_ZONE+16(%rbp), %r11
    push %r11                    /* struct call, from its end: stack */
    push %rcx                    /* site */
    .cfi_offset %rip, -(RED_ZONE + 32)
    push %r9
    push %r8
    push %r10
    push %rdx
    push %rsi
    push %rdi
    push %rax
    mov %rsp, %rdi
    and $-16, %rsp
    cld
    call gate_judge
    mov %rax, %rcx
    lea -CALL_SIZE(%rbp), %rsp
    pop %rax
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r10
    pop %r8
    pop %r9
    mov %rbp, %rsp
    pop %rbp
    .cfi_def_cfa %rsp, RED_ZONE + 8
    .cfi_restore %rbp
    ret
    .cfi_endproc
    .size gate_entry, . - gate_entry

    .section .note.GNU-stack, "", @progbits
