/* Which thread is in the gate, without a question to the kernel in every call.
 *
 * The kernel tells a thread's number (gettid(2)); what costs nothing is the thread's own pointer (the base of fs,
 * tpidr_el0), which no two living threads have in common where libraries make them. So what the kernel said is
 * remembered by that pointer, until a thread is made with the same one.
 */
#ifndef SHIELD_THIS_THREAD_H
#define SHIELD_THIS_THREAD_H

#include <stdbool.h>
#include <stdint.h>

enum { REMEMBERED = 64 };
/* In memory that a forked copy does not take along. */
struct remembered {
    uint64_t threads[REMEMBERED]; /* the pointer and the number; 0: a copy's, which remembers nothing */
};

void remember_threads(struct remembered *r);
/* The number of this thread. */
uint32_t this_thread(void);
/* Another will have this pointer. */
void forget_thread(uint64_t pointer);
/* From now on threads may share a pointer. */
void stop_remembering(void);
/* Does the processor let a program read it? Asked at the start; elsewhere the kernel is asked each time. */
bool can_read_thread_pointer(void);

#endif
