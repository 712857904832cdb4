/* The matcher of path patterns against its definition, for every pattern and every path. */
#include "proofs.h"

#include "../../../runtime_layer/native/core/glob.h"

enum { ROOM = LONGEST + 1 };

/* matches[i][j]: does the pattern from i on match the path from j on? By its definition, from the end backwards. */
static bool defined_match(struct text pattern, struct text path)
{
    bool matches[ROOM + 3][ROOM + 1];
    for (uint32_t i = pattern.len + 1; i-- > 0;)
        for (uint32_t j = path.len + 1; j-- > 0;) {
            struct text rest = {pattern.at + i, pattern.len - i};
            bool well = false;
            if (text_starts(rest, TEXT("**"))) {
                bool whole = i && pattern.at[i - 1] == '/' && text_starts(rest, TEXT("**/"));
                for (uint32_t k = j; k <= path.len; k++)
                    well = well ||
                           (matches[i + (whole ? 3 : 2)][k] && (!whole || k == j || path.at[k - 1] == '/'));
            } else if (text_starts(rest, TEXT("*"))) {
                bool slash = false;
                for (uint32_t k = j; k <= path.len; k++) {
                    slash = slash || (k > j && path.at[k - 1] == '/');
                    well = well || (!slash && matches[i + 1][k]);
                }
            } else if (j == path.len) {
                well = !rest.len || text_equal(rest, TEXT("/**"));
            } else if (rest.len) {
                well = (rest.at[0] == path.at[j] || (rest.at[0] == '?' && path.at[j] != '/')) &&
                       matches[i + 1][j + 1];
            }
            matches[i][j] = well;
        }
    return matches[0][0];
}

int main(void)
{
    char pattern_room[LONGEST], path_room[LONGEST];
    struct text pattern = ANY_TEXT(pattern_room), path = ANY_TEXT(path_room);
    PROVE(glob_match(pattern, path) == defined_match(pattern, path), "the matcher does as defined");
}
