/* Keeps the texts of an alert about code, while the frames are read from the innermost on. */
#ifndef SHIELD_PLACE_TEXTS_H
#define SHIELD_PLACE_TEXTS_H

#include "../../core/alert.h"

enum { PLACE_FILE_MAX = 1024, PLACE_NAME_MAX = ALERT_TEXT_MAX };

struct place_texts {
    char file[PLACE_FILE_MAX], function[PLACE_NAME_MAX];
    char packages[ALERT_PACKAGES][PLACE_NAME_MAX];
    char file_at_hand[PLACE_FILE_MAX];
};

static inline bool is_place_full(const struct source_place *place)
{
    return place->package_count == ALERT_PACKAGES || place->is_named;
}
/* Adds a frame by its file's name. True: it is the innermost one with a package, so the caller fills in its function and line.
 */
bool place_add_frame(struct source_place *place, struct place_texts *texts, struct text file);

#endif
