/* The package of a source file, by its path. A hint for people: code can choose a file's name. */
#ifndef SHIELD_PACKAGE_ROOTS_H
#define SHIELD_PACKAGE_ROOTS_H

#include "text.h"

/* The first component below the last site-packages, dist-packages or node_modules (there with its scope: `@aws-sdk/client-s3`),
 * else below the function's own folder, or a layer's or the runtime's folder for Python or Node.js; a module of one file
 * without its ending. Empty: the standard library, the runtime's client, and all other files. */
struct text package_of(struct text file, struct text task_root);

#endif
