/* Reads the X-Ray trace of the current event, which AWS's runtime clients put into the environment (_X_AMZN_TRACE_ID). A hint
 * for people: code may change it. */
#ifndef SHIELD_TRACE_ID_H
#define SHIELD_TRACE_ID_H

#include "../../core/alert.h"

enum { TRACE_ID_MAX = 35 }; /* "1-5759e988-bd862e3fe1be46a994272793" */

/* Reads the environment, which other threads may change meanwhile. Empty: there is none. */
struct text find_trace_id(char id[TRACE_ID_MAX], char room[ALERT_MAX]);

#endif
