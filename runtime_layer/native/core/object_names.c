/* Takes the name of a library from its file; see object_names.h. Tests: tests/unit/core/test_objects.py. */
#include "object_names.h"

enum { HASH = 8 };

static bool is_one_of(char c, const char *others)
{
    for (; *others; others++)
        if (c == *others)
            return true;
    return is_digit(c) || is_letter(c);
}

static bool ends_in_hash(struct text name)
{
    if (name.len < HASH + 2 || name.at[name.len - HASH - 1] != '-')
        return false;
    for (uint32_t i = name.len - HASH; i < name.len; i++)
        if (!((name.at[i] >= '0' && name.at[i] <= '9') || (name.at[i] >= 'a' && name.at[i] <= 'f')))
            return false;
    return true;
}

struct text object_name(struct text file_name)
{
    struct text name;
    text_next(&file_name, '.', &name);
    if (ends_in_hash(name))
        name.len -= HASH + 1;
    return name;
}

bool is_object_name(struct text name)
{
    for (uint32_t i = 0; i < name.len; i++)
        if (!is_one_of(name.at[i], "_-+"))
            return false;
    return name.len && name.len <= OBJECT_NAME_MAX && object_name(name).len == name.len;
}

void put_object_entry(struct writer *w, struct text file_name)
{
    struct text name = object_name(file_name);
    if (is_object_name(name))
        put(w, name);
}
