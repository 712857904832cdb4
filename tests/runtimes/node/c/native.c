/* A native add-on that makes its own system calls: what a package with a binary in it could do. */
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <sys/syscall.h>

#include "../../../harness/c/own_call.h"

enum { TEXT_BYTES = 1024 };

static napi_value open_file(napi_env env, napi_callback_info info)
{
    napi_value argument;
    size_t count = 1, len;
    char path[TEXT_BYTES];
    napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
    napi_get_value_string_utf8(env, argument, path, sizeof path, &len);
    long file = call(SYS_openat, AT_FDCWD, (long)path, O_CREAT | O_WRONLY, 0600);
    if (file < 0) /* as Node.js gives it for a call that failed */
        napi_throw_error(env, file == -EACCES ? "EACCES" : "ERRNO", "open");
    call(SYS_close, file, 0, 0, 0);
    return NULL;
}

NAPI_MODULE_INIT()
{
    const napi_property_descriptor open = {"open", NULL, open_file, NULL, NULL, NULL, napi_enumerable, NULL};
    napi_define_properties(env, exports, 1, &open);
    return exports;
}
