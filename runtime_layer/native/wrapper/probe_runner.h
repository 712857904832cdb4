/* Trying something that may kill whoever tries it: in a forked child, with a time limit.
 *
 * A sandbox may answer a system call that it does not know with EPERM, with ENOSYS, by killing the caller, or
 * never. All of these are findings.
 */
#ifndef SHIELD_PROBE_RUNNER_H
#define SHIELD_PROBE_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

enum probe_outcome {
    OUTCOME_NONE, /* the child ended without a finding */
    OUTCOME_WORKS,
    OUTCOME_REFUSED, /* EPERM or EACCES */
    OUTCOME_MISSING, /* ENOSYS */
    OUTCOME_FAILED,  /* any other error */
    OUTCOME_NO,      /* answered, and it is not so */
    OUTCOME_KILLED,  /* by a signal */
    OUTCOME_TIMED_OUT,
    OUTCOME_COUNT
};

/* Texts longer than this are cut. */
enum { FINDING_TEXT = 1024, TRIAL_SECONDS = 2 };

struct finding {
    enum probe_outcome outcome;
    int error;  /* errno; 0: none */
    int signal; /* what killed it; 0: none */
    bool has_number;
    int64_t number;
    char text[FINDING_TEXT]; /* a value in words; empty: none */
};

typedef void probe_function(struct finding *f);

/* Runs the probe in a child for at most so many seconds; returns what it found. */
struct finding run_probe(probe_function *probe, int seconds);

/* For probes: what a call's result says. Non-negative: works. Negative: errno tells. */
void record_result(struct finding *f, long result);
/* Works, with a value. */
void record_number(struct finding *f, int64_t number);
__attribute__((format(printf, 2, 3))) void record_text(struct finding *f, const char *format, ...);
/* It is not so, in words. */
__attribute__((format(printf, 2, 3))) void record_no(struct finding *f, const char *format, ...);

/* "works", "refused", "timed_out", ...: stable, as they stand in doctor's JSON */
const char *outcome_name(enum probe_outcome outcome);
/* "EPERM", "SIGSYS", or NULL when the name is not known. */
const char *error_name(int error);
const char *signal_name(int signal);

/* Waits for a child until `deadline` (see now_ms), then kills it. False: it had to be killed. */
bool wait_until(int pid, int64_t deadline, int *status);
int64_t now_ms(void); /* CLOCK_MONOTONIC in milliseconds */
/* Once, before the first trial: whatever the parent did to our signals, children must be waited for. */
void prepare_for_probes(void);

#endif
