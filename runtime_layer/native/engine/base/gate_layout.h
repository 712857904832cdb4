/* Offsets, sizes and numbers that the gate's assembly (gate/<architecture>/gate.S) and C share, so all are #define.
 * `gate/dispatch.c` and `base/syscall_ctx.h` assert that they match C's types. */
#ifndef SHIELD_GATE_LAYOUT_H
#define SHIELD_GATE_LAYOUT_H

/* struct call (syscall_ctx.h), which the gate fills on its stack. */
#define CALL_NR 0
#define CALL_ARG 8
#define CALL_SITE 56
#define CALL_STACK 64
#define CALL_SIZE 72

/* Bytes by which a trampoline moves the stack before it calls the gate: on x86_64 for the red zone, on aarch64 for x16, x30
 * and the site's address. */
#define RED_ZONE 128
#define TRAMPOLINE_FRAME 32

/* gate_table, one page (sealed_state.h): for the assembly a byte for each system call; three facts; the reasons and the judge
 * of each call. */
#define GATE_TABLE 512 /* calls */
#define GATE_READY 512
#define GATE_LOG 516
#define GATE_REASONS 520
#define GATE_JUDGED 1024

/* Values of a call's byte: the condition under which the call is judged. The assembly compares in this order. */
#define GUARD_NONE 0
#define GUARD_ALWAYS 1 /* passed on to gate_judge */
#define GUARD_LOG 2 /* only when the first argument is the log descriptor or a hidden one after it: fstat */
#define GUARD_READY_LINE                                                                                     \
    3                   /* when the third is at least READY_LINE, and as GUARD_MARKED: write, until ready */
#define GUARD_MARKED 4  /* when the first is a descriptor with a mark (fd_marks.h), and as GUARD_NEXT_EVENT */
#define GUARD_RECEIVE 5 /* the same, where the mark is MARK_TCP_DNS or a later one: calls that receive */
#define GUARD_ADDRESSED 6 /* when the fifth is not NULL, and as GUARD_MARKED: sendto */
#define GUARD_MMAP 7      /* when the mapping is executable, or replaces another */
/* When it makes memory executable, or reaches above lowest_range (protected_ranges.h). With one thread always, as a call of a
 * signal handler must end trust_pages (user_memory.h). */
#define GUARD_MPROTECT 8
#define GUARD_NEXT_EVENT                                                                                     \
    9 /* when next_event_watched (process_state.h): for calls that may request the next event */

#define BEHIND_LOG 4 /* the gate's own descriptors: mounts, then /tmp (files/open_fastpath.h) */

#define READY_LINE 40 /* bytes: a request for the next event is at least as long */

/* `fd_marks` (fd_marks.h): a mark of 1 << MARK_SHIFT bytes for each of 1 << DESCRIPTOR_BITS descriptors; the low byte is its
 * kind. */
#define MARK_SHIFT 3
#define DESCRIPTOR_BITS 20
#define MARK_READ 3 /* MARK_TCP_DNS */

/* Arguments of mmap(2) and mprotect(2), by the number of the bit. */
#define PROT_EXEC_BIT 2
#define MAP_FIXED_BIT 4
#define MAP_FIXED_NOREPLACE_BIT 20

#endif
