/* Which files hold the handler's source: found at start, from the function's configuration. */
#ifndef SHIELD_HANDLER_H
#define SHIELD_HANDLER_H

#include "state.h"

/* Adds the files of one handler setting ("app.handler", "src/app.handler", "pkg.app.handler") under `root` to the sealed
 * handlers: the source in any runtime's language, its source map, and the bytecode that Python keeps of it. A
 * handler that names no file (a Java class) adds what it can. False: there are more files than can be kept. */
bool handler_add(struct text root, struct text handler);

#endif
