/* Which package a source file belongs to, by where it lies. A hint for people: what a file is called, code can choose. */
#ifndef SHIELD_PACKAGE_ROOTS_H
#define SHIELD_PACKAGE_ROOTS_H

#include "text.h"

/* The first component below the last site-packages, dist-packages or node_modules (there with its scope: `@aws-sdk/client-s3`),
 * else below the function's own folder, what a layer brings for Python or Node.js, or what the runtime brings; a module that is
 * a file of its own without its ending. Empty: the standard library, the runtime's client, and whatever lies elsewhere. */
struct text package_of(struct text file, struct text task_root);

#endif
