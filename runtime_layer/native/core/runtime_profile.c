/* The table of the runtimes' own files; see runtime_profile.h. Tests: tests/unit/core/test_verdict.py. */
#include "runtime_profile.h"

struct named {
    char name[7];
    uint8_t language;
    bool without_jit;
};

static const struct named languages[] = {
    {"python", LANGUAGE_PYTHON, true}, {"ruby", LANGUAGE_RUBY, true},  {"nodejs", LANGUAGE_NODE, false},
    {"node", LANGUAGE_NODE, false},    {"java", LANGUAGE_JAVA, false}, {"dotnet", LANGUAGE_DOTNET, false},
};
enum { LANGUAGES = sizeof languages / sizeof *languages };

/* A file that a runtime needs. `#` stands for digits, such as a process's id, and `*` for the rest of a component. */
struct needed {
    uint8_t language; /* LANGUAGE_OTHER: any */
    char pattern[34];
    uint8_t at_work; /* the use that stays allowed after the first event */
};

static const struct needed needed[] = {
    /* HotSpot's counters for jps and jstat: the directory and a file named by the process (perfMemory_posix.cpp). */
    {LANGUAGE_JAVA, "/tmp/hsperfdata_*", TMP_AT_WORK},
    {LANGUAGE_JAVA, "/tmp/hsperfdata_*/#", TMP_AT_WORK},
    /* AWS's runtime client unpacks its native library there and loads it (JniHelper.java). */
    {LANGUAGE_JAVA, "/tmp/.libaws-lambda-jni.so", TMP_AT_WORK},
    /* .NET's diagnostic port and debugger pipes, named by process and start time (ds-ipc-pal-socket.c, pipe names of
     * the debugger's transport). */
    {LANGUAGE_DOTNET, "/tmp/dotnet-diagnostic-#-#-socket", TMP_AT_WORK},
    {LANGUAGE_DOTNET, "/tmp/clr-debug-pipe-#-#-in", TMP_AT_WORK},
    {LANGUAGE_DOTNET, "/tmp/clr-debug-pipe-#-#-out", TMP_AT_WORK},
    /* The X-Ray SDK of any language leaves a mark for the platform, often in the first invocation that traces. */
    {LANGUAGE_OTHER, "/tmp/.aws-xray", TMP_FOLDER},
    {LANGUAGE_OTHER, "/tmp/.aws-xray/initialized", TMP_EMPTY},
};

enum language language_from(struct text name)
{
    for (uint32_t i = 0; i < LANGUAGES; i++) {
        struct text start = text_of(languages[i].name);
        if (text_equal(name, start) || (text_starts(name, start) && is_digit(name.at[start.len])))
            return languages[i].language;
    }
    return LANGUAGE_OTHER;
}

bool language_has_jit(enum language language)
{
    for (uint32_t i = 0; i < LANGUAGES; i++)
        if (languages[i].language == language && languages[i].without_jit)
            return false;
    return true;
}

static bool matches(struct text pattern, struct text path)
{
    uint32_t j = 0;
    for (uint32_t i = 0; i < pattern.len; i++) {
        uint32_t began = j;
        switch (pattern.at[i]) {
        case '#':
            while (j < path.len && is_digit(path.at[j]))
                j++;
            if (j == began)
                return false;
            break;
        case '*':
            while (j < path.len && path.at[j] != '/')
                j++;
            break;
        default:
            if (j == path.len || path.at[j++] != pattern.at[i])
                return false;
        }
    }
    return j == path.len;
}

bool language_needs_tmp(enum language language, struct text path, enum tmp_use use)
{
    bool is_for_all = use == TMP_AT_START || use == TMP_TAKEN_AWAY;
    for (uint32_t i = 0; i < sizeof needed / sizeof *needed && use != TMP_AT_WORK; i++)
        if ((needed[i].language == LANGUAGE_OTHER || needed[i].language == language) &&
            (is_for_all || needed[i].at_work == use) && matches(text_of(needed[i].pattern), path))
            return true;
    return false;
}
