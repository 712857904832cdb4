/* The alert line into any writer, for api.c: the engine uses alert_write. */
#ifndef SHIELD_ALERT_PARTS_H
#define SHIELD_ALERT_PARTS_H

#include "alert.h"

void alert_put(const struct alert *a, struct writer *w);

#endif
