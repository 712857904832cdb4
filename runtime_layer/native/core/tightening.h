/* How each setting gets stricter: one for each row of the table in policy.c that is part of a policy. */
#ifndef SHIELD_TIGHTENING_H
#define SHIELD_TIGHTENING_H

#include "reading.h"

#define TIGHTEN_SETTING(what)                                                                                \
    bool tighten_##what(struct policy *p, const struct policy *wanted, const struct setting *s,              \
                        struct writer *error)

TIGHTEN_SETTING(mode);
TIGHTEN_SETTING(outbound);
TIGHTEN_SETTING(aws);
TIGHTEN_SETTING(buckets);
TIGHTEN_SETTING(check_server_name);
TIGHTEN_SETTING(unusual_names);
TIGHTEN_SETTING(tmp);
TIGHTEN_SETTING(child);
TIGHTEN_SETTING(on_failure);
TIGHTEN_SETTING(log_arguments);

#endif
