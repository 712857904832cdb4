/* Reads the facts of files: the objects that verdicts compare with, and references to folders. */
#ifndef SHIELD_FILE_FACTS_H
#define SHIELD_FILE_FACTS_H

#include "environment_policy.h"

/* False: start->error has the reason why the shield cannot arm. */
bool read_file_facts(struct file_facts *files, const struct start *start);
/* Opens the references, after the log. */
void keep_references(struct file_facts *files);
/* Closes them, where arming failed. */
void drop_references(void);

#endif
