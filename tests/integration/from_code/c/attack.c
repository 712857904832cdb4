/* Calls the engine's entry point as nobody should. Prints "ok" when nothing got looser and nothing crashed.
 *
 *   attack LIBRARY TRIAL
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int32_t configure_function(const char *lines, uint64_t len, char *reason, uint64_t cap);
static configure_function *configure;
static atomic_int failed;
static char said[512];

static void check(int well, const char *what)
{
    if (!well && !atomic_exchange(&failed, 1))
        fprintf(stderr, "wrong: %s: %s: %s\n", what, said, strerror(errno));
}

static int ask(const char *lines)
{
    char reason[512] = "";
    int refused = configure(lines, strlen(lines), reason, sizeof reason);
    memcpy(said, reason, sizeof said);
    check(refused ? reason[0] != 0 : reason[0] == 0, "a reason for a refusal, and for nothing else");
    return refused;
}

static int tmp_is_denied(void)
{
    int file = open("/tmp/attack", O_CREAT | O_WRONLY, 0600);
    if (file >= 0)
        close(file);
    return file < 0 && errno == EACCES;
}

#define STRICT                                                                                               \
    "SHIELD_READ_WRITE_TMP=block\nSHIELD_EXECUTABLE_MEMORY=allow\nSHIELD_ALLOW_OUTBOUND=a.example.com\n"

/* --- lines that are none --------------------------------------------------------------------------------------- */

static void odd_arguments(void)
{
    static const char zeroes[4096];
    char reason[512];
    check(ask("") == 1, "no policy");
    check(configure(zeroes, UINT64_MAX, reason, sizeof reason) == 1, "a length without end");
    check(configure(zeroes, sizeof zeroes, reason, sizeof reason) == 1, "zeroes");
    check(strcmp(reason, "the policy has a control character; take it out") == 0, "zeroes are named");
    const char *const lines[] = {
        "SHIELD_READ_WRITE_TMP=allow\nSHIELD_STATE=running:2:/bin/sh\n",
        "SHIELD_READ_WRITE_TMP=allow\nSHIELD_STATE_AWS_LAMBDA_RUNTIME_API=203.0.113.1:9\n",
        "SHIELD_READ_WRITE_TMP=allow\nSHIELD_POLICY_FILE=/var/task/policy\n",
        "SHIELD_READ_WRITE_TMP=allow\nSHIELD_NEXT_WRAPPER=/bin/sh\n",
        "SHIELD_READ_WRITE_TMP=allow\nAWS_REGION=eu-west-1\n",
        "SHIELD_READ_WRITE_TMP=allow\nLD_PRELOAD=/tmp/x.so\n",
        "SHIELD_READ_WRITE_TMP=allow\nSHIELD_READ_WRITE_TMP=block\n",
        "SHIELD_READ_WRITE_TMP=allow\rSHIELD_X=1\n",
        "SHIELD_READ_WRITE_TMP=allow\n=\n",
        "SHIELD_READ_WRITE_TMP=allow\nx\n",
    };
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
        check(ask(lines[i]) == 1, lines[i]);
    check(!tmp_is_denied(), "nothing is armed by what was refused");
    check(ask(STRICT) == 0, "a good one");
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
        check(ask(lines[i]) == 1, lines[i]);
    memset(reason, 'x', sizeof reason);
    check(configure("x", 1, reason, 1) == 1 && reason[0] == 0 && reason[1] == 'x',
          "room for nothing but the NUL");
    check(configure("x", 1, reason, 8) == 1 && strlen(reason) == 7 && reason[8] == 'x', "room for a part");
    check(tmp_is_denied(), "/tmp in the end");
}

/* --- many threads --------------------------------------------------------------------------------------------- */

static atomic_int stop, was_denied;

static void *call_over_and_over(void *argument)
{
    static const char *const asked[] = {
        STRICT,
        "SHIELD_READ_WRITE_TMP=alert\nSHIELD_EXECUTABLE_MEMORY=allow\n",
        "SHIELD_READ_WRITE_TMP=allow\nSHIELD_EXECUTABLE_MEMORY=allow\n",
        "SHIELD_READ_WRITE_TMP=block\nSHIELD_ALLOW_OUTBOUND=\n",
        "SHIELD_CREATE_CHILD_PROCESS=alert\nSHIELD_ALLOW_AWS=none\n",
        "SHIELD_OUTBOUND_CONNECTIVITY=block\nSHIELD_ALLOW_OUTBOUND=evil.example.com\n",
        "SHIELD_READ_HANDLER=allow\n",
        "nonsense",
    };
    long me = (long)argument;
    char reason[512];
    for (int i = 0; i < 150; i++) {
        const char *lines = asked[(me + i) % 8];
        int refused = configure(lines, strlen(lines), reason, sizeof reason);
        if (!refused && strstr(lines, "TMP=block"))
            was_denied = 1;
        int must = was_denied;
        int denied = tmp_is_denied();
        check(denied || !must, "/tmp after somebody blocked it");
        if (denied) /* by a text without the field too: a first text blocks all that it leaves out */
            was_denied = 1;
    }
    return NULL;
}

static void *work(void *argument)
{
    (void)argument;
    while (!stop) {
        int must = was_denied;
        check(tmp_is_denied() || !must, "/tmp of a thread at work");
        int file = open("/dev/null", O_RDWR);
        check(file >= 0 && write(file, "12345678", 8) == 8 && close(file) == 0, "other calls");
    }
    return NULL;
}

static void eight_threads(void)
{
    pthread_t callers[8], workers[4];
    for (long i = 0; i < 4; i++)
        pthread_create(&workers[i], NULL, work, NULL);
    for (long i = 0; i < 8; i++)
        pthread_create(&callers[i], NULL, call_over_and_over, (void *)i);
    for (int i = 0; i < 8; i++)
        pthread_join(callers[i], NULL);
    stop = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(workers[i], NULL);
    check(was_denied && tmp_is_denied(), "/tmp in the end");
}

/* --- copies of the process ------------------------------------------------------------------------------------- */

/* Armed or not, a vfork child is no place to configure its parent from: `first` is what the parent did before. */
static void in_a_vfork_child(void)
{
    for (int turn = 0; turn < 2; turn++) {
        pid_t child = vfork();
        if (child == 0) {
            char reason[512] = "";
            int refused = configure(STRICT, strlen(STRICT), reason, sizeof reason);
            _exit(refused && strstr(reason, "shares its parent's memory") ? 7 : 1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "refused in a vfork child");
        check(tmp_is_denied() == turn, "the parent is as it was");
        if (turn == 0)
            check(ask(STRICT "SHIELD_CREATE_CHILD_PROCESS=allow\n") == 0, "the parent itself");
    }
}

/* A copy of a process that is not armed yet arms itself, as workers that a runtime forks do; one of an armed process
 * tightens for itself. */
static void in_forked_copies(void)
{
    for (int turn = 0; turn < 2; turn++) {
        pid_t child = fork();
        if (child == 0) {
            int well = ask(STRICT "SHIELD_CREATE_CHILD_PROCESS=allow\n") == 0 && tmp_is_denied() &&
                       ask("SHIELD_READ_WRITE_TMP=alert\n") == 1 && tmp_is_denied();
            _exit(well && !failed ? 7 : 1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a copy for itself");
        check(!tmp_is_denied(), "not its parent");
        if (turn == 0)
            check(ask("SHIELD_READ_WRITE_TMP=alert\nSHIELD_CREATE_CHILD_PROCESS=allow\nSHIELD_EXECUTABLE_"
                      "MEMORY="
                      "allow\nSHIELD_ALLOW_OUTBOUND=a.example.com\n") == 0,
                  "the parent");
    }
}

/* The library stays, however often it is closed. */
static void after_closing(void *library)
{
    for (int i = 0; i < 5; i++)
        dlclose(library);
    check(ask(STRICT) == 0, "still there");
    for (int i = 0; i < 5; i++)
        dlclose(library);
    check(tmp_is_denied() && ask("SHIELD_READ_WRITE_TMP=allow\n") == 1, "still armed");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } trials[] = {
        {"odd_arguments", odd_arguments},
        {"eight_threads", eight_threads},
        {"in_a_vfork_child", in_a_vfork_child},
        {"in_forked_copies", in_forked_copies},
    };
    void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library || tmp_is_denied()) {
        fprintf(stderr, "%s\n", library ? "armed by being loaded" : dlerror());
        return 2;
    }
    *(void **)&configure = dlsym(library, "shield_configure");
    if (!strcmp(argv[2], "after_closing"))
        after_closing(library);
    for (unsigned i = 0; i < sizeof trials / sizeof *trials; i++)
        if (!strcmp(argv[2], trials[i].name))
            trials[i].run();
    puts(failed ? "failed" : "ok");
    fflush(stdout);
    _exit(failed);
}
