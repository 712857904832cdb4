/* The gate's entry: every trampoline calls it (aarch64).
 *
 * On entry x8 holds the number and x0-x5 the arguments. The trampoline has pushed x16, x30 and the site's address (see
 * patch.c): [sp] site, [sp,16] caller's x16, [sp,24] caller's x30. The kernel clobbers only x0, so all other registers and the
 * condition flags are kept. On return, x16 = 0 means "make the call in place"; otherwise x0 is the result.
 *
 * The call frame information names the site as the caller (column 96, as in signal frames), so that unwinding passes through a
 * call of the gate as if libc made it.
 */
#include "../../base/gate_layout.h"

/* The frame: struct call, then the other saved registers. */
#define SAVED_X6 80
#define SAVED_NUMBER 176
#define FRAME 224
#define SAVED_X17 16 /* x17 and x18, above it */

    .text
    .p2align 4
    .hidden gate_entry
    .globl gate_entry
    .type gate_entry, %function
gate_entry:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_return_column 96
    .cfi_def_cfa sp, TRAMPOLINE_FRAME
    .cfi_offset 96, -TRAMPOLINE_FRAME
    .cfi_offset 30, -8
    stp x17, x18, [sp, #-SAVED_X17]!
    .cfi_def_cfa_offset TRAMPOLINE_FRAME + SAVED_X17
    mrs x16, nzcv
    cmp x8, #GATE_TABLE
    b.hs 1f
    adrp x17, gate_table
    add x17, x17, :lo12:gate_table
    ldrb w18, [x17, x8]
    cbz w18, 5f                  /* GUARD_NONE */
    cmp w18, #GUARD_LOG
    b.lo 1f
    b.hi 3f
    ldr w18, [x17, #GATE_LOG]    /* GUARD_LOG */
    sub w18, w0, w18
    cmp w18, #BEHIND_LOG
    b.ls 1f
    b 5f
3:  cmp w18, #GUARD_MARKED
    b.lo 4f
    b.eq 6f
    cmp w18, #GUARD_RECEIVE
    b.eq 7f
    cmp w18, #GUARD_MMAP
    b.eq 10f
    cmp w18, #GUARD_MPROTECT
    b.eq 11f
    b.hi 12f
    cbnz x4, 1f                  /* GUARD_ADDRESSED */
    b 6f
10: tbnz x2, #PROT_EXEC_BIT, 1f  /* GUARD_MMAP */
    tbnz x3, #MAP_FIXED_BIT, 1f
    tbnz x3, #MAP_FIXED_NOREPLACE_BIT, 1f
    b 5f
11: tbnz x2, #PROT_EXEC_BIT, 1f  /* GUARD_MPROTECT; a tagged address is high */
    adrp x17, had_threads
    ldrb w18, [x17, :lo12:had_threads]
    cbz w18, 1f
    adds x18, x0, x1
    b.cs 1f
    adrp x17, lowest_range
    ldr x17, [x17, :lo12:lowest_range]
    cmp x18, x17
    b.hi 1f
    b 5f
12: adrp x17, next_event_watched    /* GUARD_NEXT_EVENT */
    ldrb w18, [x17, :lo12:next_event_watched]
    cbnz w18, 1f
    b 5f
7:  lsr x18, x0, #DESCRIPTOR_BITS /* GUARD_RECEIVE */
    cbnz x18, 1f
    adrp x17, fd_marks
    add x17, x17, :lo12:fd_marks
    ldr x18, [x17, x0, lsl #MARK_SHIFT]
    and w18, w18, #255
    cmp w18, #MARK_READ
    b.hs 1f
    b 5f
4:  cmp x2, #READY_LINE          /* GUARD_READY_LINE */
    b.hs 1f
6:  lsr x18, x0, #DESCRIPTOR_BITS /* GUARD_MARKED: gate_judge takes numbers that are not in the table */
    cbnz x18, 1f
    adrp x17, next_event_watched
    ldrb w18, [x17, :lo12:next_event_watched]
    cbnz w18, 1f
    adrp x17, fd_marks
    add x17, x17, :lo12:fd_marks
    ldr x18, [x17, x0, lsl #MARK_SHIFT]
    tst w18, #0xff
    b.ne 1f
5:  msr nzcv, x16
    ldp x17, x18, [sp], #SAVED_X17
    .cfi_def_cfa_offset TRAMPOLINE_FRAME
    mov x16, #0
    ret
1:
    .cfi_def_cfa_offset TRAMPOLINE_FRAME + SAVED_X17
    sub sp, sp, #FRAME
    .cfi_def_cfa_offset TRAMPOLINE_FRAME + SAVED_X17 + FRAME
    stp x8, x0, [sp, #CALL_NR]
    str x8, [sp, #SAVED_NUMBER]
    stp x1, x2, [sp, #CALL_ARG + 8]
    stp x3, x4, [sp, #CALL_ARG + 24]
    ldr x17, [sp, #FRAME + SAVED_X17] /* the site */
    stp x5, x17, [sp, #CALL_ARG + 40] /* and site */
    add x17, sp, #TRAMPOLINE_FRAME + SAVED_X17 + FRAME /* the caller's stack pointer */
    str x17, [sp, #CALL_STACK]
    stp x6, x7, [sp, #SAVED_X6]
    stp x9, x10, [sp, #SAVED_X6 + 16]
    stp x11, x12, [sp, #SAVED_X6 + 32]
    stp x13, x14, [sp, #SAVED_X6 + 48]
    stp x15, x16, [sp, #SAVED_X6 + 64]
    stp x29, x30, [sp, #SAVED_X6 + 80]
    .cfi_offset 29, -(TRAMPOLINE_FRAME + SAVED_X17 + FRAME - (SAVED_X6 + 80))
    mov x0, sp
    bl gate_judge
    mov x17, x0
    ldp x8, x0, [sp, #CALL_NR]
    ldp x1, x2, [sp, #CALL_ARG + 8]
    ldp x3, x4, [sp, #CALL_ARG + 24]
    ldr x5, [sp, #CALL_ARG + 40]
    ldp x6, x7, [sp, #SAVED_X6]
    ldp x9, x10, [sp, #SAVED_X6 + 16]
    ldp x11, x12, [sp, #SAVED_X6 + 32]
    ldp x13, x14, [sp, #SAVED_X6 + 48]
    ldp x15, x16, [sp, #SAVED_X6 + 64]
    ldp x29, x30, [sp, #SAVED_X6 + 80]
    .cfi_restore 29
    msr nzcv, x16
    cbz x17, 2f
    mov x16, #1
    /* Answered: the result replaced the number in the frame. The kernel keeps x8, so the number was saved twice. */
    mov x0, x8
    ldr x8, [sp, #SAVED_NUMBER]
    b 3f
2:  mov x16, #0
3:  add sp, sp, #FRAME
    .cfi_def_cfa_offset TRAMPOLINE_FRAME + SAVED_X17
    ldp x17, x18, [sp], #SAVED_X17
    .cfi_def_cfa_offset TRAMPOLINE_FRAME
    ret
    .cfi_endproc
    .size gate_entry, . - gate_entry

    .section .note.GNU-stack, "", %progbits
