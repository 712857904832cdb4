/* The add-on for Node.js, against Node-API, which every version of Node.js since 10 has in its program.
 *
 * configure(lines, library): undefined, or the reason why it is refused. index.js makes the lines.
 * Tests: tests/integration/from_code/test_node.py. */
#include "../engine.h"

#include <stdbool.h>

/* The parts of js_native_api.h and node_api.h (https://nodejs.org/api/n-api.html) in use. */
typedef struct napi_env_ *napi_env;
typedef struct napi_value_ *napi_value;
typedef struct napi_callback_info_ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
typedef int32_t napi_status; /* 0: napi_ok */
#define AUTO_LENGTH SIZE_MAX /* NAPI_AUTO_LENGTH */

extern napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv,
                                    napi_value *this_arg, void **data);
extern napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *buffer, size_t size,
                                              size_t *result);
extern napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result);
extern napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback call,
                                        void *data, napi_value *result);
extern napi_status napi_set_named_property(napi_env env, napi_value object, const char *name,
                                           napi_value value);
extern napi_status napi_throw_error(napi_env env, const char *code, const char *message);

enum { LINES_ROOM = (1 << 16) + 2, PATH_ROOM = 4096 };

/* Copies a text. False: it does not fit into the buffer. */
static bool read_text(napi_env env, napi_value value, char *buffer, size_t room, size_t *len)
{
    return napi_get_value_string_utf8(env, value, buffer, room, len) == 0 && *len < room - 1;
}

static napi_value configure(napi_env env, napi_callback_info info)
{
    char lines[LINES_ROOM]; /* threads of Node.js have megabytes of stack */
    char library[PATH_ROOM], reason[REASON_ROOM];
    napi_value argument[2], result = NULL;
    size_t count = 2, len = 0, path_len = 0;
    if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) || count != 2 ||
        !read_text(env, argument[0], lines, sizeof lines, &len) ||
        !read_text(env, argument[1], library, sizeof library, &path_len)) {
        napi_throw_error(env, NULL, "the policy is longer than 65536 bytes, or not text");
        return NULL;
    }
    reason[0] = 0;
    if (call_engine(library, lines, len, reason))
        napi_create_string_utf8(env, reason, AUTO_LENGTH, &result);
    return result; /* NULL: undefined */
}

SHIELD_BINDING int32_t node_api_module_get_api_version_v1(void)
{
    return 8; /* Node.js 12.22 and later */
}

SHIELD_BINDING napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    napi_value function;
    if (napi_create_function(env, "configure", AUTO_LENGTH, configure, NULL, &function) == 0)
        napi_set_named_property(env, exports, "configure", function);
    return exports;
}
