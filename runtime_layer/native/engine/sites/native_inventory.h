/* One line, once the function is loaded: the foreign-function bridges and the native code that it mapped beside what the
 * runtime brings. An inventory for people; nothing is decided on it. */
#ifndef SHIELD_NATIVE_INVENTORY_H
#define SHIELD_NATIVE_INVENTORY_H

/* Nothing to name, no line. */
void report_native_code(void);

#endif
