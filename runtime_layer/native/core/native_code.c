/* The table of refused objects; see native_code.h. A bridge under another name is not refused.
 * Tests: tests/integration/engine/test_native_code.py. */
#include "native_code.h"

#include "glob.h"
#include "object_names.h"

/* An object that is refused. Without a name, the name of the file is used. */
struct refused {
    char pattern[31], name[9];
};

static const struct refused refused[] = {
    {"/**/lib-dynload/_test*", ""}, /* CPython's own: they read and write any object's memory */
    {"/**/lib-dynload/_ctypes_test.*", ""},
    {"/**/lib-dynload/_xxtestfuzz.*", ""},
    {"/**/_testcapi.*", ""},
    {"/**/_testinternalcapi.*", ""},
    {"/**/_ctypes_test.*", ""},
    {"/**/koffi.node", "koffi"},
    {"/**/ffi-rs.*.node", "ffi-rs"},
    {"/**/ffi-napi/**/*.node", "ffi-napi"}, /* they are called node.napi.node */
    {"/**/ref-napi/**/*.node", "ref-napi"},
    {"/**/ffi_bindings.node", "ffi"},
};

/* Ordinary programs load these, so only a switch refuses them. JNA and jffi unpack theirs under names such as jna123.tmp. */
static const struct refused refused_by_switch[] = {
    {"/**/_ctypes.*", ""},           {"/**/_cffi_backend.*", ""}, {"/**/_jpype.*", ""},
    {"/**/libjnidispatch.*", "jna"}, {"/**/jna*.tmp", "jna"},     {"/**/libjffi-*.so", "jffi"},
    {"/**/jffi*.so", "jffi"},        {"/**/fiddle.so", ""},       {"/**/ffi_c.so", ""},
};

const struct bridge bridges[BRIDGE_SYMBOLS] = {
    {"ctypes", "PyInit__ctypes"},
    {"cffi", "PyInit__cffi_backend"},
    {"jna", "Java_com_sun_jna_Native_initIDs"},
    {"jffi", "Java_com_kenai_jffi_Foreign_init"},
    {"jpype", "PyInit__jpype"},
    {"fiddle", "Init_fiddle"},
    {"ffi", "Init_ffi_c"},
    {"libffi", "ffi_call"},
    {"_testcapi", "PyInit__testcapi"},
    {"_testinternalcapi", "PyInit__testinternalcapi"},
    {"_testlimitedcapi", "PyInit__testlimitedcapi"},
    {"_ctypes_test", "PyInit__ctypes_test"},
    {"_xxtestfuzz", "PyInit__xxtestfuzz"},
};

static struct text find_refused(const struct refused *rows, uint32_t count, struct text path)
{
    for (uint32_t i = 0; i < count; i++)
        if (glob_match(text_of(rows[i].pattern), path))
            return rows[i].name[0] ? text_of(rows[i].name) : object_name(base_name(path));
    return TEXT("");
}

struct text refused_bridge(struct text path, bool by_switch)
{
    struct text name = find_refused(refused, sizeof refused / sizeof *refused, path);
    if (!name.len && by_switch)
        name = find_refused(refused_by_switch, sizeof refused_by_switch / sizeof *refused_by_switch, path);
    return name;
}

/* Node.js reads `_` as `-`, and drops quotes and backslashes in NODE_OPTIONS. */
bool is_ffi_option(struct text argument)
{
    struct text wanted = TEXT("--experimental-ffi");
    uint32_t found = 0;
    for (uint32_t i = 0; i < argument.len && found < wanted.len; i++) {
        char c = argument.at[i] == '_' ? '-' : argument.at[i];
        if (c == wanted.at[found])
            found++;
        else if (c != '"' && c != '\\')
            return false;
    }
    return found == wanted.len;
}

bool has_ffi_option(struct text options)
{
    for (; options.len; options.at++, options.len--)
        if (is_ffi_option(options))
            return true;
    return false;
}

bool is_of_runtime_client(struct text file_name)
{
    static const char names[][20] = {"runtime_client.", "rapid-client.node", ".libaws-lambda-jni."};
    return STARTS_ANY(file_name, names);
}
