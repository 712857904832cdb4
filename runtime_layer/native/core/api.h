/* The core as a shared library, for Python (cffi) on the machine that synthesizes.
 *
 * Texts are UTF-8 with explicit lengths. Functions that write return the length written, or `cap` + 1 when it did not fit:
 * call again with more room. Errors are cut to fit and end in a NUL.
 */
#ifndef SHIELD_API_H
#define SHIELD_API_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define SHIELD_EXPORT __declspec(dllexport)
#else
#define SHIELD_EXPORT __attribute__((visibility("default")))
#endif

struct policy;

/* Increases when a signature below, or the meaning of its arguments, changes: Python refuses another number. */
#define SHIELD_API_VERSION 4

SHIELD_EXPORT uint32_t shield_api_version(void);
SHIELD_EXPORT size_t shield_policy_size(void);
/* Parses `NAME=value` lines, those of the environment and those of a policy file, into memory of shield_policy_size() bytes:
 * lists that both give are joined. 0: valid; 1: `error` names the mistake. */
SHIELD_EXPORT int32_t shield_policy_parse(struct policy *p, const char *lines, size_t len, const char *file,
                                          size_t file_len, char *error, size_t error_cap);
/* The canonical `NAME=value` lines. */
SHIELD_EXPORT size_t shield_policy_lines(const struct policy *p, char *out, size_t cap);
/* JSON {"action","policy","mode","reason","entry","allow"} for an event:
 *   connect  host:port, ip:port, [v6]:port        udp  the same, over UDP
 *   resolve  a host name
 *   tmp      a path under /tmp                    tmp-at-start  runtime:path, before the first event
 *   exec     an absolute path                     exec-static  the same, a static program
 *   memory   the file of the library that asks for executable memory
 * An unknown event or a malformed target gives 1 and the error's text in `out`. Either text ends in a NUL. */
SHIELD_EXPORT int32_t shield_decide(const struct policy *p, const char *event, size_t event_len,
                                    const char *target, size_t target_len, char *out, size_t cap);
/* The AWS endpoints that the policy admits where the function runs, one a line, in the form of aws_write_endpoints. */
SHIELD_EXPORT size_t shield_aws_endpoints(const struct policy *p, char *out, size_t cap);
/* One alert line, for tests of the line and of the filters that match it. `fields` are NAME=value texts, separated by NULs
 * (so that a value may hold a newline): function, version, region, account, policy, mode, count (1: nothing was left out
 * before it), host, ip, port, protocol, sni, path, syscall, argument (repeated), object, code, file, line, package
 * (repeated), pid, allow, seconds, micros. Returns 0 for a field that is unknown or malformed. */
SHIELD_EXPORT size_t shield_alert_line(const char *fields, size_t len, char *out, size_t cap);

#endif
