#include "package_roots.h"

/* What follows the last of these folders in the path; nothing (`at` is NULL) where there is none. */
static struct text below_packages(struct text file)
{
    static const char *const folders[] = {"/site-packages/", "/dist-packages/"};
    for (uint32_t at = file.len; at-- > 0;)
        for (uint32_t i = 0; file.at[at] == '/' && i < sizeof folders / sizeof *folders; i++) {
            struct text rest = {file.at + at, file.len - at}, folder = text_of(folders[i]);
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

/* The program that calls the handler is under every frame of it, and is nobody's dependency. */
static bool is_runtime_client(struct text file, struct text package)
{
    bool of_runtime = text_starts(file, TEXT("/var/runtime/")) || text_starts(file, TEXT("/var/lang/"));
    return of_runtime &&
           (text_equal(package, TEXT("awslambdaric")) || text_equal(package, TEXT("bootstrap")));
}

struct text package_of(struct text file, struct text task_root)
{
    const struct text nothing = {NULL, 0}, roots[] = {task_root, TEXT("/opt/python"), TEXT("/var/runtime")};
    struct text rest = below_packages(file), package;
    for (uint32_t i = 0; !rest.at && i < sizeof roots / sizeof *roots; i++)
        rest = below(file, roots[i]);
    if (!rest.at)
        return nothing;
    text_next(&rest, '/', &package);
    if (!rest.at && text_ends(package, TEXT(".py"))) /* the file itself */
        package.len -= 3;
    bool leads_elsewhere = text_equal(package, TEXT(".")) || text_equal(package, TEXT(".."));
    return leads_elsewhere || is_runtime_client(file, package) ? nothing : package;
}
