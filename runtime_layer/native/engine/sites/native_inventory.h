/* One line, once the function is loaded: the foreign-function bridges and the native code that it mapped beside the runtime's.
 * An inventory for people; no verdict depends on it. */
#ifndef SHIELD_NATIVE_INVENTORY_H
#define SHIELD_NATIVE_INVENTORY_H

/* Writes no line if there is nothing to name. */
void report_native_code(void);

#endif
