/* Does a host name look as if it carried data?
 *
 * A query goes to whoever serves the domain, so a free label is a way out for data. Data has to be written in
 * letters and digits, which makes long words that change between the two often; names that people and services
 * give do not. A word is what stands between dots, hyphens and underscores.
 *
 *   a word of 32 or more                                      a hash, a key, 16 bytes in hexadecimal
 *   a word of 24 or more that changes 6 times or more         shorter pieces of them
 *   words that change twice or more, 40 bytes together        the same in pieces, or with hyphens in between
 *
 * CloudFormation's names (app-uploads5f2c81d0-1xj2k3l4m5n6o), GUIDs and pods' names (api-7d4b9c6f8d-x2k9q) stay
 * below. What is random by itself (function URLs, OpenSearch domains, aliases of access points) does not: such a
 * host is to be listed by its whole name.
 */
#ifndef SHIELD_DATA_IN_NAMES_H
#define SHIELD_DATA_IN_NAMES_H

#include "text.h"

/* For a whole host name. */
bool words_look_like_data(struct text name);
/* For the labels that a wildcard stands for: also when they are longer than 63 bytes, more than any one label. */
bool labels_look_like_data(struct text labels);

#endif
