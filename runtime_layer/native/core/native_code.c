#include "native_code.h"

#include "glob.h"
#include "object_names.h"

/* Without a name, it is the file's. */
struct refused {
    const char *pattern, *name;
};

static const struct refused refused[] = {
    {"/**/lib-dynload/_test*", NULL}, /* CPython's own: they read and write any object's memory */
    {"/**/lib-dynload/_ctypes_test.*", NULL},
    {"/**/lib-dynload/_xxtestfuzz.*", NULL},
    {"/**/_testcapi.*", NULL},
    {"/**/_testinternalcapi.*", NULL},
    {"/**/_ctypes_test.*", NULL},
    {"/**/koffi.node", "koffi"},
    {"/**/ffi-rs.*.node", "ffi-rs"},
    {"/**/ffi-napi/**/*.node", "ffi-napi"}, /* they are called node.napi.node */
    {"/**/ref-napi/**/*.node", "ref-napi"},
    {"/**/ffi_bindings.node", "ffi"},
};

const struct bridge bridges[BRIDGE_SYMBOLS] = {
    {"ctypes", "PyInit__ctypes"},
    {"cffi", "PyInit__cffi_backend"},
    {"jna", "Java_com_sun_jna_Native_initIDs"},
    {"jffi", "Java_com_kenai_jffi_Foreign_init"},
    {"jpype", "PyInit__jpype"},
    {"libffi", "ffi_call"},
    {"_testcapi", "PyInit__testcapi"},
    {"_testinternalcapi", "PyInit__testinternalcapi"},
    {"_testlimitedcapi", "PyInit__testlimitedcapi"},
    {"_ctypes_test", "PyInit__ctypes_test"},
    {"_xxtestfuzz", "PyInit__xxtestfuzz"},
};

struct text refused_bridge(struct text path)
{
    for (uint32_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (glob_match(text_of(refused[i].pattern), path))
            return refused[i].name ? text_of(refused[i].name) : object_name(base_name(path));
    return TEXT("");
}

bool is_of_runtime_client(struct text file_name)
{
    static const char *const names[] = {"runtime_client.", "rapid-client.node", ".libaws-lambda-jni."};
    return STARTS_ANY(file_name, names);
}
