/* Finds the files of the handler's source at the start, from the function's configuration. */
#ifndef SHIELD_HANDLER_FILES_H
#define SHIELD_HANDLER_FILES_H

#include "../state/sealed_state.h"

/* Adds the files of one handler setting ("src/app.handler", "pkg.app.handler", "index.api.handler", "example.Handler",
 * "example.Handler::handle") under `root`: the source in any runtime's language, its source map, and Python's bytecode of it.
 * Files outside `root` are not found. False: there is no room for all files. */
bool add_handler(struct handlers *handlers, struct text root, struct text handler);

#endif
