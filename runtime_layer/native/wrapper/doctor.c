/* Runs every probe and prints the findings: a line for each, or JSON with stable keys.
 * Tests: tests/integration/launcher/test_doctor.py. */
#include "doctor.h"

#include "../core/text.h"
#include "libc_facts.h"
#include "probes.h"
#include "refusal_report.h"
#include "usage.h"
#include "interpreter_trial.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RESULT_WIDTH = 26, ROWS_MAX = 64, JSON_MAX = ROWS_MAX * (FINDING_TEXT * 6 + 512) };

struct row {
    const char *key;
    const char *meaning;
    struct finding finding;
};

struct findings {
    size_t count;
    struct row rows[ROWS_MAX];
};

static void add_finding(struct findings *all, const struct probe *probe, const struct finding *found)
{
    if (all->count < ROWS_MAX)
        all->rows[all->count++] = (struct row){
            probe->key, found->outcome == OUTCOME_WORKS ? probe->if_works : probe->if_not, *found};
}

static const struct probe about_libc[] = {
    {"needed_calls", fact_needed_calls, "the system calls that the shield needs",
     "the first system call that a strict policy lacks"},
    {"libc", fact_libc, "the library whose system calls get a gate", "it is not known which libc runs here"},
    {"libc_version", fact_libc_version, "its version", "it does not tell its version"},
    {"libc_coverage", fact_coverage, "every guarded call passes its gate",
     "a guarded call would pass no gate"},
    {"process_engine", fact_process_engine, "the shield works here", "the shield cannot be armed here"},
    {"whole_way", fact_interpreter_trial, "from the start to an event, a refusal and its alert",
     "how far the shield came at work"},
};

static const struct probe kernel_engine = {
    "kernel_engine",
    NULL,
    "a supervisor outside the process could be the engine here",
    "only the process engine can run here",
};

static bool probe_works(const struct findings *all, const char *key)
{
    for (size_t i = 0; i < all->count; i++)
        if (!strcmp(all->rows[i].key, key))
            return all->rows[i].finding.outcome == OUTCOME_WORKS;
    return false;
}

/* An engine in the kernel needs seccomp's notifications, and access to the notifying process. */
static struct finding judge_kernel_engine(const struct findings *all)
{
    static const char *const needed[] = {"seccomp_notify", "pidfd_open", "pidfd_getfd"};
    struct finding found = {.outcome = OUTCOME_WORKS};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!probe_works(all, needed[i])) {
            record_no(&found, "lacks %s", needed[i]);
            break;
        }
    return found;
}

static void run_probes(struct findings *all)
{
    prepare_for_probes();
    for (size_t i = 0; i < probe_count; i++) {
        struct finding found = run_probe(probes[i].run, TRIAL_SECONDS);
        add_finding(all, &probes[i], &found);
    }
    for (size_t i = 0; i < sizeof about_libc / sizeof *about_libc; i++) {
        struct finding found = run_probe(about_libc[i].run, LIBC_SECONDS);
        add_finding(all, &about_libc[i], &found);
    }
    struct finding found = judge_kernel_engine(all);
    add_finding(all, &kernel_engine, &found);
}

static void put_numbered(struct writer *w, const char *name, int number)
{
    if (name)
        put_words(w, name);
    else
        put_number(w, (uint64_t)number);
}

/* "refused (EPERM)", "killed (SIGSYS)", "works", or the value that was found. */
static void put_result(struct writer *w, const struct finding *f)
{
    bool is_answer = f->outcome == OUTCOME_WORKS || f->outcome == OUTCOME_NO;
    if (is_answer && f->text[0]) {
        put_words(w, f->text);
        return;
    }
    if (is_answer && f->has_number) {
        put_number(w, (uint64_t)f->number);
        return;
    }
    put_words(w, outcome_name(f->outcome));
    if (f->signal || f->error) {
        put_words(w, " (");
        put_numbered(w, f->signal ? signal_name(f->signal) : error_name(f->error),
                     f->signal ? f->signal : f->error);
        put_char(w, ')');
    }
    if (f->text[0]) {
        put_words(w, ": ");
        put_words(w, f->text);
    }
}

static void print_text(const struct findings *all)
{
    puts("shield " SHIELD_VERSION " doctor: abilities of this machine or sandbox\n");
    for (size_t i = 0; i < all->count; i++) {
        char result[FINDING_TEXT + 64];
        struct writer w = {.at = result, .cap = sizeof result};
        put_result(&w, &all->rows[i].finding);
        /* A text longer than its column explains itself. */
        bool fits = w.used <= RESULT_WIDTH;
        printf("%-18s  %-*.*s%s%s\n", all->rows[i].key, fits ? RESULT_WIDTH : 0, (int)w.used, result,
               fits ? "  " : "", fits ? all->rows[i].meaning : "");
    }
}

/* {"name":...} as a string, a number, or null. */
static void put_field(struct writer *w, const char *name, const char *text, bool has_number, int64_t number)
{
    put_char(w, ',');
    put_json_string(w, text_of(name));
    put_char(w, ':');
    if (text && text[0])
        put_json_string(w, text_of(text));
    else if (has_number)
        put_number(w, (uint64_t)number);
    else
        put_words(w, "null");
}

static void print_json(const struct findings *all)
{
    static char json[JSON_MAX];
    struct writer w = {.at = json, .cap = sizeof json};
    put_words(&w, "{\"version\":");
    put_json_string(&w, text_of(SHIELD_VERSION));
    put_words(&w, ",\"findings\":{");
    for (size_t i = 0; i < all->count; i++) {
        const struct row *row = &all->rows[i];
        const struct finding *f = &row->finding;
        put_words(&w, i ? ",\n" : "\n");
        put_json_string(&w, text_of(row->key));
        put_words(&w, ":{\"outcome\":");
        put_json_string(&w, text_of(outcome_name(f->outcome)));
        put_field(&w, "value", f->text, f->has_number, f->number);
        put_field(&w, "error", error_name(f->error), f->error != 0, f->error);
        put_field(&w, "signal", signal_name(f->signal), f->signal != 0, f->signal);
        put_field(&w, "meaning", row->meaning, false, 0);
        put_char(&w, '}');
    }
    put_words(&w, "}}\n");
    fwrite(json, 1, w.used, stdout);
}

/* Opens closed standard descriptors, which the pipes of the probes would get otherwise. */
static void fill_standard_descriptors(void)
{
    int fd;
    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd >= 0)
        close(fd);
}

static void choose_program(const char *program)
{
    read_libc_facts(program);
    choose_interpreter(program);
}

int run_doctor(int argc, char **argv, char **envp)
{
    static struct findings all;
    bool json = false;
    (void)envp;
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            json = true;
        else if (!strcmp(argv[i], "--program") && i + 1 < argc)
            choose_program(argv[++i]);
        else
            return usage_error(argv[i]);
    }
    fill_standard_descriptors();
    run_probes(&all);
    (json ? print_json : print_text)(&all);
    return finish_output();
}
