/* Finds the CPython in this process: the address and the layout of its state. */
#ifndef SHIELD_PYTHON_RUNTIME_H
#define SHIELD_PYTHON_RUNTIME_H

#include "../../core/python_layout.h"
#include "../base/memory_reader.h"

struct python {
    bool is_there; /* it was found, and its version is known */
    uint64_t runtime, code_type, str_type, bytes_type;
    struct python_layout layout;
};

/* Memory for the search. */
struct python_search {
    struct memory_reader *reader;
    struct python python;
    uint64_t words[PYTHON_WORDS];
};

/* Searches at the first call, and keeps the result for later ones; while another thread stores its result, the answer is in
 * `own`. NULL: there is none. */
const struct python *find_python(struct memory_reader *r, char *buffer, uint32_t cap,
                                 struct python_search *own);

#endif
