/* Tries calls that may kill the process, in a forked child with a time limit.
 *
 * A sandbox may answer an unknown system call with EPERM, with ENOSYS, by killing the caller, or never. Each is a finding.
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
    OUTCOME_NO,      /* the answer is no */
    OUTCOME_KILLED,  /* by a signal */
    OUTCOME_TIMED_OUT,
    OUTCOME_COUNT
};

/* Texts longer than this are cut. */
enum { FINDING_TEXT = 1024, TRIAL_SECONDS = 2 };

struct finding {
    enum probe_outcome outcome;
    int error;  /* errno; 0: none */
    int signal; /* the signal that killed it; 0: none */
    bool has_number;
    int64_t number;
    char text[FINDING_TEXT]; /* a value in words; empty: none */
};

typedef void probe_function(struct finding *f);

/* Runs the probe in a child for at most so many seconds; returns its finding. */
struct finding run_probe(probe_function *probe, int seconds);

/* For probes: records a call's result. Non-negative: works. Negative: errno has the error. */
void record_result(struct finding *f, long result);
/* Records that it works, with a value. */
void record_number(struct finding *f, int64_t number);
__attribute__((format(printf, 2, 3))) void record_text(struct finding *f, const char *format, ...);
/* Records that the answer is no, with the reason in words. */
__attribute__((format(printf, 2, 3))) void record_no(struct finding *f, const char *format, ...);

/* "works", "refused", "timed_out", ...: stable, as doctor's JSON has them */
const char *outcome_name(enum probe_outcome outcome);
/* "EPERM", "SIGSYS", or NULL when the name is not known. */
const char *error_name(int error);
const char *signal_name(int signal);

/* Waits for a child until `deadline` (see now_ms), then kills it. False: it had to be killed. */
bool wait_until(int pid, int64_t deadline, int *status);
int64_t now_ms(void); /* CLOCK_MONOTONIC in milliseconds */
/* Must be called once, before the first probe: resets the signals that the parent may have changed, so that wait works. */
void prepare_for_probes(void);

#endif
