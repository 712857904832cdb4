/* Path patterns against the plainest matcher that there is. Input: a pattern, NUL, a path. */
#include "fuzz.h"

#include "../../../runtime_layer/native/core/glob.h"

enum { LONGEST = 48 };

/* What is known of (place in the pattern, place in the path): 0 nothing, 1 no match, 2 a match. */
static uint8_t known[LONGEST + 1][LONGEST + 1];

static bool matches(struct text pattern, uint32_t i, struct text path, uint32_t j);

/* Tries all that a star may take: any bytes, no slash, or whole components. */
enum takes { ANY, NO_SLASH, COMPONENTS };
static bool star(struct text pattern, uint32_t next, struct text path, uint32_t j, enum takes takes)
{
    for (uint32_t k = j; k <= path.len; k++) {
        if (takes == NO_SLASH && k > j && path.at[k - 1] == '/')
            return false;
        if ((takes != COMPONENTS || k == j || path.at[k - 1] == '/') && matches(pattern, next, path, k))
            return true;
    }
    return false;
}

static bool look(struct text pattern, uint32_t i, struct text path, uint32_t j)
{
    struct text rest = {pattern.at + i, pattern.len - i};
    if (text_starts(rest, TEXT("**"))) {
        bool whole = i && pattern.at[i - 1] == '/' && text_starts(rest, TEXT("**/"));
        return whole ? star(pattern, i + 3, path, j, COMPONENTS) : star(pattern, i + 2, path, j, ANY);
    }
    if (text_starts(rest, TEXT("*")))
        return star(pattern, i + 1, path, j, NO_SLASH);
    if (j == path.len)
        return !rest.len || text_equal(rest, TEXT("/**"));
    if (!rest.len)
        return false;
    bool same = rest.at[0] == path.at[j] || (rest.at[0] == '?' && path.at[j] != '/');
    return same && matches(pattern, i + 1, path, j + 1);
}

static bool matches(struct text pattern, uint32_t i, struct text path, uint32_t j)
{
    if (!known[i][j])
        known[i][j] = look(pattern, i, path, j) ? 2 : 1;
    return known[i][j] == 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text path = {(const char *)data, (uint32_t)size}, pattern;
    text_next(&path, 0, &pattern);
    if (pattern.len > LONGEST || path.len > LONGEST)
        return 0;
    uint8_t *one = exact_copy(pattern.at, pattern.len), *other = exact_copy(path.at, path.len);
    pattern.at = (const char *)one;
    path.at = (const char *)other;
    memset(known, 0, sizeof known);
    CHECK(glob_match(pattern, path) == matches(pattern, 0, path, 0));
    room_give(one);
    room_give(other);
    return 0;
}
