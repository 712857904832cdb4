/* Which system calls the policy needs to see, and who judges each: one table. */
#ifndef SHIELD_GUARDED_H
#define SHIELD_GUARDED_H

#include <stdbool.h>
#include <stdint.h>

#include "../core/text.h"
#include "call.h"

/* The newest call in the list; what is newer is not let through unseen. */
enum { NEWEST_CALL = 471 };

/* Fills gate_table for the sealed policy. */
void guard_calls(void);
/* Why calls are guarded, as bits: a process that guards for fewer reasons needs no other sites. */
uint8_t reasons_of_policy(void);
/* Is there a policy that could alert? */
bool reports_anything(void);
/* Takes the calls that are only watched until the runtime is ready out of the (writable) gate_table. */
void unguard_start_calls(void);
bool is_guarded(int64_t nr);
/* For alert lines; empty when the call is not in the table. */
struct text syscall_name(int64_t nr);

#endif
