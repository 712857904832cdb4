/* Serves a runtime API of one request on loopback, and runs a short program that asks it.
 * Tests: tests/integration/launcher/test_doctor.py. */
#define _GNU_SOURCE
#include "interpreter_trial.h"

#include "../core/setting_table.h"
#include "call_trials.h"
#include "capture.h"
#include "libc_facts.h"
#include "refusal_report.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT = 16384, SCRIPT_LONGEST = 512 };

#define REQUEST "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n"
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/* A program of each that prints "asked" and "denied"; %d is the port. */
static const struct interpreter {
    const char *name; /* the beginning of the program's name */
    const char *option, *script;
} interpreters[] = {
    {"bash", "-c",
     "exec 3<>/dev/tcp/127.0.0.1/%d && printf '" REQUEST "' >&3 && read -r line <&3 && echo asked; "
     "{ : </tmp; } 2>/dev/null || echo denied"},
    {"python", "-c",
     "import os, socket\n"
     "s = socket.create_connection(('127.0.0.1', %d))\n"
     "s.sendall(b'" REQUEST "')\n"
     "print('asked' if s.recv(99) else '')\n"
     "try: os.open('/tmp', os.O_RDONLY)\n"
     "except PermissionError: print('denied')\n"},
    {"node", "-e",
     "require('net').connect(%d, '127.0.0.1', function () { this.write('" REQUEST "') })"
     ".on('data', function () { console.log('asked'); this.destroy();"
     "try { require('fs').openSync('/tmp') } catch (e) { console.log('denied') } })"},
};
static const char *const usual[] = {"/bin/bash", "/usr/bin/bash", "/var/lang/bin/python3",
                                    "/var/lang/bin/node"};

static const char *chosen;

void choose_interpreter(const char *program)
{
    chosen = program;
}

static const struct interpreter *interpreter_of(const char *program)
{
    const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
    for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++)
        if (!strncmp(name, interpreters[i].name, strlen(interpreters[i].name)))
            return &interpreters[i];
    return NULL;
}

static const char *find_interpreter(void)
{
    if (chosen && interpreter_of(chosen))
        return chosen;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (access(usual[i], X_OK) == 0)
            return usual[i];
    return NULL;
}

/* A listener on loopback, at a port of the kernel's choice. */
static int listen_anywhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    *port = ntohs(address.sin_port);
    return listener;
}

/* Serves in a child, until it is killed. */
static void serve_one(int listener)
{
    char request[1024];
    int client = accept(listener, NULL, NULL);
    if (client >= 0 && read(client, request, sizeof request) > 0 &&
        write(client, answer, sizeof answer - 1) > 0)
        pause();
    _exit(0);
}

static char **strict_environment(const char *runtime_api)
{
    const char *const settings[] = {
        "SHIELD_OUTBOUND_CONNECTIVITY=block",
        "SHIELD_READ_WRITE_TMP=block",
        "SHIELD_CREATE_CHILD_PROCESS=block",
        "SHIELD_READ_HANDLER=block",
        "SHIELD_ALLOW_AWS=none",
        runtime_api,
    };
    return copy_environment(settings, sizeof settings / sizeof *settings);
}

/* Judges its output, and its alerts, which are on the same pipe. */
static void judge(struct finding *f, const char *program, char *said)
{
    const char *reason = read_refusal(said);
    if (reason)
        record_no(f, "%s", reason);
    else if (!strstr(said, "asked"))
        record_no(f, "%s could not ask for an event", program);
    else if (!strstr(said, "denied"))
        record_no(f, "%s could open /tmp under block", program);
    else if (!strstr(said, "\"policy\":\"read_write_tmp\""))
        record_no(f, "%s was refused /tmp, and no alert came", program);
    else
        record_text(f, "%s started, asked for an event, was refused /tmp, and the alert came", program);
}

void fact_interpreter_trial(struct finding *f)
{
    static char said[OUTPUT], script[SCRIPT_LONGEST], api[64];
    const char *program = find_interpreter();
    int port = 0;
    if (!program) {
        record_no(f, "no bash, python or node to try it with; name one with --program");
        return;
    }
    const struct interpreter *interpreter = interpreter_of(program);
    int listener = listen_anywhere(&port);
    if (listener < 0) {
        record_result(f, -1);
        return;
    }
    snprintf(script, sizeof script, interpreter->script, port);
    snprintf(api, sizeof api, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d", port);
    char *argv[] = {"/proc/self/exe", (char *)program, (char *)interpreter->option, script, NULL};
    char **envp = strict_environment(api);
    pid_t server = envp ? fork() : -1;
    if (server == 0)
        serve_one(listener);
    if (server < 0 || capture_output(argv, envp, said, sizeof said) < 0)
        record_result(f, -1);
    else
        judge(f, program, said);
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
}

void fact_needed_calls(struct finding *f)
{
    static struct policy strictest;
    struct reason reason;
    struct writer *error = reason_begin(&reason);
    policy_begin(&strictest);
    memset(strictest.modes, MODE_BLOCK, sizeof strictest.modes);
    strictest.keeps_tmp = false;
    if (try_calls(&strictest, error))
        record_text(f, "all there");
    else
        record_no(f, "%.*s", (int)reason_text(&reason).len, reason_text(&reason).at);
}
