/* Where every patched site arrives (aarch64).
 *
 * From the trampoline: x8 holds the number, x0-x5 the arguments; the trampoline has pushed x16, x30 and, on top
 * of them, the site's address (see patch.c): [sp] site, [sp,16] caller's x16, [sp,24] caller's x30. The kernel
 * clobbers nothing but x0, so everything else is kept, the condition flags included. Back: x16 = 0 means "make
 * the call in place", otherwise x0 is the result.
 *
 * The call frame information names the site as the caller (column 96, as signal frames do), so that unwinding
 * passes through a call that the gate is making as if libc made it.
 */
    .text
    .p2align 4
    .hidden gate_entry
    .globl gate_entry
    .type gate_entry, %function
gate_entry:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_return_column 96
    .cfi_def_cfa sp, 32
    .cfi_offset 96, -32
    .cfi_offset 30, -8
    stp x17, x18, [sp, #-16]!
    .cfi_def_cfa_offset 48
    mrs x16, nzcv
    cmp x8, #512
    b.hs 1f
    adrp x17, gate_table
    add x17, x17, :lo12:gate_table
    ldrb w18, [x17, x8]          /* sealed_state.h: GUARD_NONE, GUARD_ALWAYS, ... */
    cbz w18, 5f
    cmp w18, #2
    b.lo 1f
    b.hi 3f
    ldr w18, [x17, #516]         /* GUARD_LOG */
    cmp w18, w0
    b.eq 1f
    b 5f
3:  cmp w18, #4
    b.lo 4f
    b.eq 6f
    cmp w18, #5
    b.eq 7f
    cmp w18, #7
    b.eq 10f
    cmp w18, #8
    b.eq 11f
    b.hi 12f
    cbnz x4, 1f                  /* GUARD_ADDRESSED */
    b 6f
10: tbnz x2, #2, 1f              /* GUARD_MAPPED: PROT_EXEC; MAP_FIXED, MAP_FIXED_NOREPLACE */
    tbnz x3, #4, 1f
    tbnz x3, #20, 1f
    b 5f
11: tbnz x2, #2, 1f              /* GUARD_HIGH; a tagged address is high */
    adrp x17, has_company
    ldrb w18, [x17, :lo12:has_company]
    cbz w18, 1f
    adds x18, x0, x1
    b.cs 1f
    adrp x17, lowest_range
    ldr x17, [x17, :lo12:lowest_range]
    cmp x18, x17
    b.hi 1f
    b 5f
12: adrp x17, alerts_left_out    /* GUARD_LEFT_OUT */
    ldrb w18, [x17, :lo12:alerts_left_out]
    cbnz w18, 1f
    b 5f
7:  lsr x18, x0, #20             /* GUARD_ANSWERS */
    cbnz x18, 1f
    adrp x17, watched
    add x17, x17, :lo12:watched
    ldr x18, [x17, x0, lsl #3]
    and w18, w18, #255
    cmp w18, #3                  /* WATCH_GREETED */
    b.hs 1f
    b 5f
4:  cmp x2, #40                  /* GUARD_LONG */
    b.hs 1f
6:  lsr x18, x0, #20             /* GUARD_WATCHED: numbers that are not in the table are gate_judge's business */
    cbnz x18, 1f
    adrp x17, alerts_left_out
    ldrb w18, [x17, :lo12:alerts_left_out]
    cbnz w18, 1f
    adrp x17, watched
    add x17, x17, :lo12:watched
    ldr x18, [x17, x0, lsl #3]
    tst w18, #0xff
    b.ne 1f
5:  msr nzcv, x16
    ldp x17, x18, [sp], #16
    .cfi_def_cfa_offset 32
    mov x16, #0
    ret
1:
    .cfi_def_cfa_offset 48
    sub sp, sp, #224
    .cfi_def_cfa_offset 272
    stp x8, x0, [sp]
    str x8, [sp, #176]
    stp x1, x2, [sp, #16]
    stp x3, x4, [sp, #32]
    ldr x17, [sp, #240]          /* the site */
    stp x5, x17, [sp, #48]
    add x17, sp, #272            /* the caller's stack pointer */
    str x17, [sp, #64]
    stp x6, x7, [sp, #80]
    stp x9, x10, [sp, #96]
    stp x11, x12, [sp, #112]
    stp x13, x14, [sp, #128]
    stp x15, x16, [sp, #144]
    stp x29, x30, [sp, #160]
    .cfi_offset 29, -112
    mov x0, sp
    bl gate_judge
    mov x17, x0
    ldp x8, x0, [sp]
    ldp x1, x2, [sp, #16]
    ldp x3, x4, [sp, #32]
    ldr x5, [sp, #48]
    ldp x6, x7, [sp, #80]
    ldp x9, x10, [sp, #96]
    ldp x11, x12, [sp, #112]
    ldp x13, x14, [sp, #128]
    ldp x15, x16, [sp, #144]
    ldp x29, x30, [sp, #160]
    .cfi_restore 29
    msr nzcv, x16
    cbz x17, 2f
    mov x16, #1
    /* Answered: the result was written over the number. The number itself is what the kernel would keep in
     * x8, so it was saved twice. */
    mov x0, x8
    ldr x8, [sp, #176]
    b 3f
2:  mov x16, #0
3:  add sp, sp, #224
    .cfi_def_cfa_offset 48
    ldp x17, x18, [sp], #16
    .cfi_def_cfa_offset 32
    ret
    .cfi_endproc
    .size gate_entry, . - gate_entry

    .section .note.GNU-stack, "", %progbits
