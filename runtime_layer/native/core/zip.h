/* Searches a zip archive (a jar) for a file by name. Pure; any bytes are safe.
 *
 * Only the directory at the end is read (PKWARE's APPNOTE.TXT, 4.3.12 and 4.3.16), as runtimes do.
 */
#ifndef SHIELD_ZIP_H
#define SHIELD_ZIP_H

#include <stdbool.h>

#include "text.h"

bool zip_holds(const unsigned char *archive, uint64_t size, struct text name);

#endif
