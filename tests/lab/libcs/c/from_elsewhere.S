/* aarch64: a call to which something else than what stands in front of it leads, with another number. */
.text
.globl entry
entry:
    .cfi_startproc
#if defined(RARELY) /* from a part elsewhere, as gcc's .cold is */
    cbz x2, rare
    mov x8, #172
again:
    svc #0
    ret
    .cfi_endproc
.section .text.unlikely, "ax"
rare:
    .cfi_startproc
    mov x8, #56
#ifdef RARER /* it goes on in a part of its own */
    cbz x3, rarer
    ret
    .cfi_endproc
.section .text.rarer, "ax"
rarer:
    .cfi_startproc
    mov x3, #0
#endif
    b again
#elif defined(JUMP)
    mov x8, #56
    adr x4, first
    JUMP
    mov x8, #172
first:
    svc #0
    ret
#else
    mov x8, #172
    svc #0
    ret
#endif
    .cfi_endproc
