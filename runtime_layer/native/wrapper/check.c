/* Prints the meaning of each setting, as text or as the core's JSON. */
#include "check.h"

#include "../core/explain.h"
#include "../core/setting_table.h"
#include "policy_file.h"
#include "refusal_report.h"
#include "usage.h"

#include <stdio.h>
#include <string.h>

/* The pool's 32 KB of entries, each byte of which may become six in JSON, and a sentence for each entry. */
static char output[512 * 1024];

static void print_text(const struct policy *policy)
{
    for (uint32_t row = 0; row < setting_count(); row++) {
        struct writer w = {.at = output, .cap = sizeof output};
        setting_write(policy, row, &w);
        struct text name = setting_name(row), meaning = setting_meaning(policy, row);
        if (!w.used)
            put_char(&w, '-');
        printf("%-29.*s %-14.*s %.*s%s\n", (int)name.len, name.at, (int)w.used, output, (int)meaning.len,
               meaning.at, setting_given(policy, row) ? "" : " (default)");
    }
}

static void print_json(const struct policy *policy)
{
    struct writer w = {.at = output, .cap = sizeof output};
    policy_explain(policy, &w);
    printf("%.*s\n", (int)w.used, output);
}

int run_check(int argc, char **argv, char **envp)
{
    static struct policy policy;
    static struct reason reason;
    bool json = argc == 3 && !strcmp(argv[2], "--json");
    if (argc > 2 && !json)
        return usage_error(argv[argc - 1]);
    if (!policy_load(&policy, envp, reason_begin(&reason))) {
        fprintf(stderr, "shield: %.*s\n", (int)reason.writer.used, reason.bytes);
        return EXIT_REFUSED;
    }
    (json ? print_json : print_text)(&policy);
    return finish_output();
}
