/* A native add-on that makes its own system calls: what a package with a binary in it could do. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <node_api.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../../../harness/c/own_call.h"

enum { TEXT_BYTES = 1024 };

/* An error as Node.js gives it for a call that failed; the two that count have names. */
static napi_value throw_errno(napi_env env, long result)
{
    const char *code = result == -13 ? "EACCES" : result == -1 ? "EPERM" : "ERRNO";
    napi_throw_error(env, code, code);
    return NULL;
}

/* All arguments as text. */
static void get_texts(napi_env env, napi_callback_info info, char texts[3][TEXT_BYTES])
{
    napi_value arguments[3], text;
    size_t count = 3;
    napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
    for (size_t i = 0, len; i < count && i < 3; i++) {
        napi_coerce_to_string(env, arguments[i], &text);
        napi_get_value_string_utf8(env, text, texts[i], TEXT_BYTES, &len);
    }
}

static napi_value to_text(napi_env env, const char *text, size_t len)
{
    napi_value value;
    napi_create_string_utf8(env, text, len, &value);
    return value;
}

static napi_value open_file(napi_env env, napi_callback_info info)
{
    char texts[3][TEXT_BYTES];
    get_texts(env, info, texts);
    long file = call(SYS_openat, AT_FDCWD, (long)texts[0], O_CREAT | O_WRONLY, 0600);
    if (file < 0)
        return throw_errno(env, file);
    call(SYS_write, file, (long)"data", 4, 0);
    call(SYS_close, file, 0, 0, 0);
    return NULL;
}

static napi_value read_file(napi_env env, napi_callback_info info)
{
    char texts[3][TEXT_BYTES];
    get_texts(env, info, texts);
    long file = call(SYS_openat, AT_FDCWD, (long)texts[0], O_RDONLY, 0);
    if (file < 0)
        return throw_errno(env, file);
    long len = call(SYS_read, file, (long)texts[0], TEXT_BYTES, 0);
    call(SYS_close, file, 0, 0, 0);
    return len < 0 ? throw_errno(env, len) : to_text(env, texts[0], (size_t)len);
}

static napi_value send_to(napi_env env, napi_callback_info info)
{
    char texts[3][TEXT_BYTES];
    get_texts(env, info, texts);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(texts[1]))};
    inet_pton(AF_INET, texts[0], &to.sin_addr);
    long sock = call(SYS_socket, AF_INET, SOCK_STREAM, 0, 0);
    if (sock < 0)
        return throw_errno(env, sock);
    long result = call(SYS_connect, sock, (long)&to, sizeof to, 0);
    if (result == 0)
        result = call(SYS_write, sock, (long)texts[2], (long)strlen(texts[2]), 0);
    call(SYS_close, sock, 0, 0, 0);
    return result < 0 ? throw_errno(env, result) : NULL;
}

static napi_value start(napi_env env, napi_callback_info info)
{
    char texts[3][TEXT_BYTES];
    get_texts(env, info, texts);
    int said[2], status = 0;
    call(SYS_pipe2, (long)said, 0, 0, 0);
    char *const argv[] = {texts[0], texts[1], NULL}, *const envp[] = {NULL};
    long child = call(SYS_clone, SIGCHLD, 0, 0, 0);
    if (child == 0) {
        call(SYS_dup3, said[1], 1, 0, 0);
        long failed = call(SYS_execve, (long)texts[0], (long)argv, (long)envp, 0);
        call(SYS_exit_group, -failed, 0, 0, 0);
    }
    call(SYS_close, said[1], 0, 0, 0);
    long len = call(SYS_read, said[0], (long)texts[0], TEXT_BYTES, 0);
    call(SYS_wait4, child, (long)&status, 0, 0);
    call(SYS_close, said[0], 0, 0, 0);
    if (WEXITSTATUS(status))
        return throw_errno(env, -WEXITSTATUS(status));
    return to_text(env, texts[0], len > 0 ? (size_t)len - 1 : 0);
}

NAPI_MODULE_INIT()
{
    const napi_property_descriptor functions[] = {
        {"open", NULL, open_file, NULL, NULL, NULL, napi_enumerable, NULL},
        {"read", NULL, read_file, NULL, NULL, NULL, napi_enumerable, NULL},
        {"connect", NULL, send_to, NULL, NULL, NULL, napi_enumerable, NULL},
        {"start", NULL, start, NULL, NULL, NULL, napi_enumerable, NULL},
    };
    napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
    return exports;
}
