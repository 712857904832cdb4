/* Finds the package of a source file; see package_roots.h. Tests: tests/unit/core/test_package_roots.py. */
#include "package_roots.h"

/* The path behind the last folder for packages; `at` is NULL where there is none. npm's packages may have scopes. */
static struct text below_packages(struct text file, bool *has_scopes)
{
    enum { NPM = 0 };
    static const char *const folders[] = {[NPM] = "/node_modules/", "/site-packages/", "/dist-packages/"};
    for (uint32_t at = file.len; at-- > 0;)
        for (uint32_t i = 0; file.at[at] == '/' && i < sizeof folders / sizeof *folders; i++) {
            struct text rest = {file.at + at, file.len - at}, folder = text_of(folders[i]);
            *has_scopes = i == NPM;
            if (text_starts(rest, folder))
                return (struct text){rest.at + folder.len, rest.len - folder.len};
        }
    return (struct text){NULL, 0};
}

/* `root` may end in slashes. */
static struct text below(struct text file, struct text root)
{
    while (root.len && root.at[root.len - 1] == '/')
        root.len--;
    if (!root.len || !text_starts(file, root) || file.len == root.len || file.at[root.len] != '/')
        return (struct text){NULL, 0};
    return (struct text){file.at + root.len + 1, file.len - root.len - 1};
}

/* The length of a file name's ending: Python's, or JavaScript's (Node.js strips the types of the last two). */
static uint32_t ending_of(struct text name, bool *is_script)
{
    static const char endings[][5] = {".py", ".js", ".mjs", ".cjs", ".ts", ".mts"};
    for (uint32_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends(name, text_of(endings[i]))) {
            *is_script = i > 0;
            return text_of(endings[i]).len;
        }
    return 0;
}

/* Whether the file belongs to the client that calls the handler: it is in every stack, and is no dependency. `lies_bare`:
 * not in a folder for packages, where Node.js's runtime has AWS's SDK. */
static bool is_runtime_client(struct text file, struct text package, bool lies_bare)
{
    bool is_script = false;
    bool of_runtime = text_starts(file, TEXT("/var/runtime/")) || text_starts(file, TEXT("/var/lang/"));
    ending_of(file, &is_script);
    return of_runtime && (text_equal(package, TEXT("awslambdaric")) ||
                          text_equal(package, TEXT("bootstrap")) || (is_script && lies_bare));
}

/* The first name of a path. `@aws-sdk/client-s3` is one name, where there are scopes. */
static struct text first_name(struct text *rest, bool has_scopes)
{
    struct text first, second = {NULL, 0};
    text_next(rest, '/', &first);
    if (has_scopes && first.len && first.at[0] == '@' && text_next(rest, '/', &second))
        first.len = (uint32_t)(second.at + second.len - first.at);
    return first;
}

struct text package_of(struct text file, struct text task_root)
{
    const struct text nothing = {NULL, 0};
    const struct text roots[] = {task_root, TEXT("/opt/python"), TEXT("/opt/nodejs"), TEXT("/var/runtime")};
    bool has_scopes = false, is_script = false;
    struct text rest = below_packages(file, &has_scopes), package;
    bool lies_bare = !rest.at;
    for (uint32_t i = 0; !rest.at && i < sizeof roots / sizeof *roots; i++)
        rest = below(file, roots[i]);
    if (!rest.at)
        return nothing;
    package = first_name(&rest, has_scopes && !lies_bare);
    if (!rest.at) /* the file itself */
        package.len -= ending_of(package, &is_script);
    bool leads_elsewhere = text_equal(package, TEXT(".")) || text_equal(package, TEXT(".."));
    return leads_elsewhere || is_runtime_client(file, package, lies_bare) ? nothing : package;
}
