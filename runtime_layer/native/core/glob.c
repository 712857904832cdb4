// Matches the path patterns of allow_tmp; see glob.h.
//
//   ?      one character of a component
//   *      any characters of a component
//   **     any characters, slashes too
//   a/**/b a/b, a/x/b, a/x/y/b
//   a/**   a itself and all below it: a program that may fill a directory may create it
//
// There is no recursion, and the time is at most pattern x path: for each kind of star only the last one is retried, as a
// later star can match everything that an earlier one would.
// Tests: tests/unit/core/test_glob.py, tests/lab/fuzz/glob.c, tests/lab/proofs/glob.c.
#include "glob.h"

// The place to continue from after a mismatch: `pattern`, with the text from `path`.
struct retry {
    bool set;
    bool whole_components; // the stars of a/**/b: the rest begins a component
    uint32_t pattern;
    uint32_t path;
};

static bool is_deep_star(struct text pattern, uint32_t i)
{
    return i + 1 < pattern.len && pattern.at[i] == '*' && pattern.at[i + 1] == '*';
}

// Extends a retry's star by one step. False when the star can match no more.
static bool advance_retry(struct retry *r, struct text path, bool deep)
{
    if (!r->set)
        return false;
    do {
        if (r->path >= path.len || (!deep && path.at[r->path] == '/'))
            return false;
        r->path++;
    } while (r->whole_components && path.at[r->path - 1] != '/');
    return true;
}

bool glob_match(struct text pattern, struct text path)
{
    struct retry deep = {0}, shallow = {0};
    uint32_t i = 0, j = 0;
    for (;;) {
        if (is_deep_star(pattern, i)) {
            bool whole = i && pattern.at[i - 1] == '/' && i + 2 < pattern.len && pattern.at[i + 2] == '/';
            i += whole ? 3 : 2;
            deep = (struct retry){true, whole, i, j};
            shallow = (struct retry){0};
            continue;
        }
        if (i < pattern.len && pattern.at[i] == '*') {
            shallow = (struct retry){true, false, ++i, j};
            continue;
        }
        if (j == path.len &&
            (i == pattern.len || text_equal((struct text){pattern.at + i, pattern.len - i}, TEXT("/**"))))
            return true;
        if (i < pattern.len && j < path.len &&
            (pattern.at[i] == path.at[j] || (pattern.at[i] == '?' && path.at[j] != '/'))) {
            i++;
            j++;
            continue;
        }
        if (advance_retry(&shallow, path, false)) {
            i = shallow.pattern;
            j = shallow.path;
        } else if (advance_retry(&deep, path, true)) {
            i = deep.pattern;
            j = deep.path;
            shallow = (struct retry){0};
        } else {
            return false;
        }
    }
}
