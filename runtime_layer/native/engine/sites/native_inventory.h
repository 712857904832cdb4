/* Reports the foreign-function bridges and the native code that the function has mapped, in one line after it is loaded. An
 * inventory for people: no verdict depends on it. */
#ifndef SHIELD_NATIVE_INVENTORY_H
#define SHIELD_NATIVE_INVENTORY_H

/* Writes the line, unless there is nothing to name. */
void report_native_code(void);

#endif
