/* Prints each setting with its value. The meanings are not here: `shielded-function explain` has them.
 * Tests: tests/integration/launcher/test_usage.py. */
#include "check.h"

#include "../core/setting_table.h"
#include "policy_file.h"
#include "refusal_report.h"
#include "usage.h"

#include <stdio.h>

int run_check(int argc, char **argv, char **envp)
{
    static struct policy policy;
    static struct reason reason;
    static char value[POLICY_POOL + 4096]; /* the pool's texts, and a comma and a prefix for each */
    if (argc > 2)
        return usage_error(argv[2]);
    if (!policy_load(&policy, envp, reason_begin(&reason))) {
        fprintf(stderr, "shield: %.*s\n", (int)reason.writer.used, reason.bytes);
        return EXIT_REFUSED;
    }
    for (uint32_t row = 0; row < setting_count(); row++) {
        struct writer w = {.at = value, .cap = sizeof value};
        struct text name = setting_name(row);
        setting_write(&policy, row, &w);
        printf("%s%.*s=%.*s\n", setting_given(&policy, row) ? "" : "# ", (int)name.len, name.at, (int)w.used,
               value);
    }
    return finish_output();
}
