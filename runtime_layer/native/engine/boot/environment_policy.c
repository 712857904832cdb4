#include "environment_policy.h"

#include "../../core/setting_table.h"
#include "../base/read_file.h"
#include "../base/user_memory.h"
#include "../state/child_settings.h"
#include "../files/handler_files.h"
#include "../process/exec_image.h"

enum { ENVIRON_MAX = 1 << 23, POLICY_FILE_MAX = 1 << 16 };

/* Facts of the runtime's environment that a child's verdicts depend on. A child may be started with an empty
 * environment, so it gets them back under a name of ours. */
static const char *const carried[] = {"AWS_REGION",
                                      "AWS_LAMBDA_FUNCTION_NAME",
                                      "AWS_LAMBDA_FUNCTION_VERSION",
                                      "AWS_LAMBDA_RUNTIME_API",
                                      "AWS_XRAY_DAEMON_ADDRESS",
                                      "AWS_LAMBDA_METADATA_API",
                                      "AWS_LAMBDA_INITIALIZATION_TYPE",
                                      "LAMBDA_TASK_ROOT",
                                      "_HANDLER",
                                      "ORIG_HANDLER",
                                      "DD_LAMBDA_HANDLER",
                                      "NEW_RELIC_LAMBDA_HANDLER"};
_Static_assert(sizeof carried / sizeof *carried == CARRIED_COUNT, "texts of all");
enum {
    REGION = 0,
    FUNCTION = 1,
    VERSION = 2,
    FIRST_ADDRESS = 3,
    LAST_ADDRESS = 5,
    INITIALIZATION = 6,
    TASK_ROOT = 7,
    FIRST_HANDLER = 8
};

bool update_child_modes(struct sealed *s, const struct policy *wanted, struct writer *error)
{
    for (uint32_t row = 0; row < setting_count(); row++) {
        char value[16];
        struct writer w = {value, 0, sizeof value, false};
        if (!setting_mode(&s->policy, row) || !setting_given(wanted, row))
            continue;
        setting_write(&s->policy, row, &w);
        if (replace_setting(s, setting_name(row), (struct text){value, w.used}))
            continue;
        put(error, TEXT("the policy is too long to be given to child processes; configure it in one call"));
        return false;
    }
    return true;
}

/* Where the value of the setting that was kept last begins. */
static uint16_t last_setting_value(struct text name)
{
    return (uint16_t)(sealed.settings[sealed.setting_count - 1] + name.len + 1);
}

/* "<stage>:<log descriptor>:<runtime>" */
static bool read_state(struct text value, struct start *start)
{
    struct text stage, log;
    uint32_t number;
    if (!text_next(&value, ':', &stage) || !text_next(&value, ':', &log))
        return false;
    if (text_equal(stage, TEXT("starting")))
        start->origin = ORIGIN_STARTING;
    else if (text_equal(stage, TEXT("running")))
        start->origin = ORIGIN_RUNNING;
    else if (text_equal(stage, TEXT("ready")))
        start->origin = ORIGIN_READY;
    else
        return false;
    start->inherited_log = text_number(log, 1 << 20, &number) ? (int32_t)number : -1;
    sealed.runtime = keep_text(value);
    return true;
}

static bool names_library(struct text preload)
{
    struct text piece;
    while (preload.len && text_next(&preload, ':', &piece))
        if (text_equal(base_name(piece), TEXT("libshield.so")))
            return true;
    return false;
}

static void keep_first_value(struct text *kept, struct text value)
{
    if (!kept->at)
        *kept = value;
}

/* What is known of a function even when its settings are refused. */
static void note_fact(struct text name, struct text value, struct facts_found *found)
{
    bool from_parent = text_starts(name, TEXT(STATE_PREFIX));
    if (from_parent)
        name =
            (struct text){name.at + sizeof STATE_PREFIX - 1, name.len - (uint32_t)(sizeof STATE_PREFIX - 1)};
    for (uint32_t i = 0; i < CARRIED_COUNT; i++)
        if (text_equal(name, text_of(carried[i])))
            keep_first_value(from_parent ? &found->from_parent[i] : &found->own[i], value);
    if (text_equal(name, TEXT("SHIELD_ACCOUNT_ID")))
        keep_first_value(&found->account, value);
}

static bool take_variable(struct text name, struct text value, struct start *start, struct facts_found *found)
{
    if (text_equal(name, TEXT("SHIELD_STATE")) && start->origin != ORIGIN_NONE)
        return true; /* the gate puts its own first; a second one is somebody's idea */
    if (text_equal(name, TEXT("SHIELD_STATE")))
        return read_state(value, start) ||
               (put(start->error, TEXT("SHIELD_STATE is not one of ours")), false);
    if (text_equal(name, TEXT("LD_PRELOAD"))) {
        found->preloaded = names_library(value);
        sealed.loader_preload = keep_text(value);
    }
    if (text_equal(name, TEXT("LD_LIBRARY_PATH")))
        sealed.loader_path = keep_text(value);
    if (text_equal(name, TEXT(KNOWN_SITES))) {
        if (sealed.known_sites) /* the first is the gate's; a second one is somebody's idea */
            return true;
        sealed.known_sites = keep_setting(TEXT(""), name, value) ? last_setting_value(name) : 0;
        return true;
    }
    if (text_equal(name, TEXT(LEARNT_NAMES)))
        keep_first_value(&found->learnt, value);
    if (text_equal(name, TEXT("AWS_EXECUTION_ENV")))
        keep_first_value(&found->runtime, value);
    if (text_starts(name, TEXT(STATE_PREFIX)) || text_equal(name, TEXT("AWS_REGION")))
        return true;
    if (!text_starts(name, TEXT("SHIELD_")))
        return true;
    if (text_equal(name, TEXT("SHIELD_POLICY_FILE")))
        found->policy_file = value;
    return policy_set(&sealed.policy, name, value, start->error);
}

static bool take_environment(struct text environment, struct start *start, struct facts_found *found)
{
    struct text variable;
    bool well = true;
    while (environment.len && text_next(&environment, 0, &variable)) {
        uint32_t equals = 0;
        while (equals < variable.len && variable.at[equals] != '=')
            equals++;
        if (equals == variable.len)
            continue;
        struct text name = {variable.at, equals};
        struct text value = {variable.at + equals + 1, variable.len - equals - 1};
        note_fact(name, value, found);
        well = well && take_variable(name, value, start, found);
    }
    return well;
}

static bool take_policy_file(struct text path, struct writer *error)
{
    char terminated[PAGE];
    if (!path.len || path.len >= sizeof terminated)
        return path.len == 0;
    copy_bytes(terminated, path.at, path.len);
    terminated[path.len] = 0;
    struct text lines = whole_file(terminated, POLICY_FILE_MAX);
    if (!lines.at) {
        put(error, TEXT("SHIELD_POLICY_FILE: cannot read "));
        put(error, path);
        return false;
    }
    policy_next_source(&sealed.policy);
    bool well = policy_set_lines(&sealed.policy, lines, error);
    whole_file_drop(lines, POLICY_FILE_MAX);
    return well;
}

/* The settings as the children get them: in canonical form, those of the policy file among them. A child does not
 * read that file again, so nothing that happens to it later counts. */
static bool keep_settings(struct writer *error)
{
    int64_t memory =
        KERNEL(mmap, 0, POLICY_FILE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(memory))
        return false;
    struct writer w = {(char *)memory, 0, POLICY_FILE_MAX, false};
    policy_write_lines(&sealed.policy, &w);
    struct text lines = {w.at, w.used}, line, name;
    bool well = !w.full;
    while (well && lines.len && text_next(&lines, '\n', &line)) {
        bool found = text_next(&line, '=', &name);
        if (found && text_starts(name, TEXT("SHIELD_")) && !text_equal(name, TEXT("SHIELD_POLICY_FILE")) &&
            !text_equal(name, TEXT("SHIELD_NEXT_WRAPPER")))
            well = keep_setting(TEXT(""), name, line);
    }
    KERNEL(munmap, memory, POLICY_FILE_MAX);
    if (!well)
        put(error, TEXT("the policy is too long to be given to child processes"));
    return well;
}

/* "169.254.100.1:9001", or the X-Ray daemon's "tcp:127.0.0.1:2000 udp:127.0.0.2:2001": every address in it. */
static void add_implicit_endpoints(struct text value)
{
    struct text word, port_text;
    uint32_t port;
    while (value.len && text_next(&value, ' ', &word)) {
        if (text_starts(word, TEXT("tcp:")) || text_starts(word, TEXT("udp:")))
            word = (struct text){word.at + 4, word.len - 4};
        uint32_t colon = word.len;
        while (colon > 0 && word.at[colon - 1] != ':')
            colon--;
        if (!colon || sealed.always.count == ALWAYS_MAX)
            continue;
        port_text = (struct text){word.at + colon, word.len - colon};
        struct endpoint e;
        if (text_number(port_text, 65535, &port) && address_parse((struct text){word.at, colon - 1}, &e.ip)) {
            e.port = (uint16_t)port;
            sealed.always.endpoints[sealed.always.count++] = e;
        }
    }
}

/* What follows the keyword in a line of resolv.conf(5). False: it is another line. */
static bool read_resolver_line(struct text line, struct text keyword, struct text *value)
{
    if (!text_starts(line, keyword) || line.len == keyword.len ||
        (line.at[keyword.len] != ' ' && line.at[keyword.len] != '\t'))
        return false;
    *value = text_trim((struct text){line.at + keyword.len, line.len - keyword.len});
    return true;
}

static void read_resolvers(void)
{
    struct text lines = whole_file("/etc/resolv.conf", POLICY_FILE_MAX), rest = lines, line, value;
    struct text domains = TEXT(""); /* the last line counts */
    while (rest.len && text_next(&rest, '\n', &line)) {
        struct endpoint e = {.port = 53};
        if (read_resolver_line(line, TEXT("nameserver"), &value) && sealed.resolver_count < MAX_RESOLVERS &&
            address_parse(value, &e.ip))
            sealed.resolvers[sealed.resolver_count++] = e;
        if (read_resolver_line(line, TEXT("search"), &value) ||
            read_resolver_line(line, TEXT("domain"), &value))
            domains = value;
    }
    sealed.search_domains = domains.len ? keep_text(domains) : 0;
    whole_file_drop(lines, POLICY_FILE_MAX);
    if (sealed.resolver_count == 0) { /* resolv.conf(5): the local machine */
        struct endpoint e = {.port = 53};
        address_parse(TEXT("127.0.0.1"), &e.ip);
        sealed.resolvers[sealed.resolver_count++] = e;
    }
}

/* A child's own environment is the program's to choose: only what the gate carried over counts. */
static struct text choose_fact(const struct facts_found *found, uint32_t i, bool is_child)
{
    return is_child || found->from_parent[i].len ? found->from_parent[i] : found->own[i];
}

/* Which function this is, for all that is written from now on. */
static void keep_origin(const struct facts_found *found, bool is_child)
{
    struct text account = policy_text(&sealed.policy, sealed.policy.account);
    struct line_origin origin = {.function = choose_fact(found, FUNCTION, is_child),
                                 .version = choose_fact(found, VERSION, is_child),
                                 .region = choose_fact(found, REGION, is_child),
                                 .account = account.len ? account : found->account};
    struct writer w = {sealed.origin, 0, sizeof sealed.origin, false};
    put_origin(&w, &origin);
    sealed.origin_used = w.used;
}

static bool take_facts(const struct facts_found *found, bool is_child, struct writer *error)
{
    for (uint32_t i = 0; i < CARRIED_COUNT; i++) {
        struct text value = choose_fact(found, i, is_child);
        if (value.len && !keep_setting(TEXT(STATE_PREFIX), text_of(carried[i]), value)) {
            put(error, TEXT("the function's environment is too long"));
            return false;
        }
        if (i == REGION && value.len && !policy_set(&sealed.policy, text_of(carried[i]), value, error))
            return false;
        if (i >= FIRST_ADDRESS && i <= LAST_ADDRESS)
            add_implicit_endpoints(value);
        if (i == INITIALIZATION)
            sealed.forks_workers = text_equal(value, TEXT("lambda-managed-instances"));
    }
    struct text root = choose_fact(found, TASK_ROOT, is_child);
    sealed.handlers_have_one_name = true;
    sealed.task_root = root.len ? keep_text(root) : 0;
    /* A wrapper that comes in between sets _HANDLER to its own: what was there before is the real one. */
    for (uint32_t i = FIRST_HANDLER; i < CARRIED_COUNT && root.len; i++) {
        if (!add_handler(root, found->from_parent[i]) || !add_handler(root, found->own[i])) {
            put(error, TEXT("read_handler: the handler has too many files, too long a name, or a folder that "
                            "cannot be read"));
            return false;
        }
    }
    return true;
}

/* A function of .NET's that brings its runtime along is started by a name of its own (AWS's bootstrap.sh). */
static void take_language(const struct facts_found *found, bool is_child)
{
    struct text name = found->runtime, start = TEXT("AWS_Lambda_");
    if (is_child || sealed.language != LANGUAGE_OTHER || !text_starts(name, start))
        return;
    name = (struct text){name.at + start.len, name.len - start.len};
    if (language_from(name) == LANGUAGE_DOTNET)
        sealed.language = LANGUAGE_DOTNET;
}

/* There the workers are threads of one process, each of which loads the handler: the first that is ready would close it to the
 * others. No child is the runtime. */
static bool is_handler_loaded_once(bool is_child, struct writer *error)
{
    if (is_child || !sealed.forks_workers || sealed.language != LANGUAGE_NODE ||
        sealed.policy.modes[READ_HANDLER] == MODE_ALLOW)
        return true;
    put(error, TEXT("read_handler: Node.js on Lambda Managed Instances loads the handler in several threads, "
                    "and the first that is ready would close it to the others; set read_handler to allow"));
    return false;
}

/* A program that loads the library without having any setting of ours is going to say what it wants. One that was started
 * with the library in it, but without a policy, is not let go. */
static bool take_policy(struct start *start, const struct facts_found *found)
{
    start->nobody_asked = !start->from_code && !sealed.policy.settings_seen && !found->preloaded &&
                          start->origin == ORIGIN_NONE;
    if (start->nobody_asked)
        return false;
    if (!start->from_code)
        return take_policy_file(found->policy_file, start->error) && policy_end(&sealed.policy, start->error);
    copy_bytes(&sealed.policy, start->from_code, sizeof sealed.policy);
    return true;
}

bool read_environment(struct start *start)
{
    start->environment = whole_file("/proc/self/environ", ENVIRON_MAX);
    return start->environment.at || (put(start->error, TEXT("cannot read /proc/self/environ")), false);
}

void drop_environment(struct start *start)
{
    whole_file_drop(start->environment, ENVIRON_MAX);
}

bool read_policy(struct start *start)
{
    policy_begin(&sealed.policy);
    sealed.is_late = start->from_code;
    sealed.environment_used = 1; /* offset 0 means "none", and reads as the empty text */
    bool well =
        take_environment(start->environment, start, &start->found) && take_policy(start, &start->found);
    keep_origin(&start->found, start->origin >= ORIGIN_RUNNING);
    return well;
}

bool read_facts(struct start *start)
{
    bool is_child = start->origin >= ORIGIN_RUNNING;
    char path[PAGE], loader[LOADER_MAX];
    if (start->from_code) { /* no wrapper said it */
        int64_t n = KERNEL(readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof path);
        sealed.runtime = n > 0 ? keep_text((struct text){path, (uint32_t)n}) : 0;
    }
    if (!keep_settings(start->error) || !take_facts(&start->found, is_child, start->error))
        return false;
    if (is_child)
        names_learn_written(learnt_names(), start->found.learnt, sealed.policy.outbound_count);
    take_language(&start->found, is_child);
    if (!is_handler_loaded_once(is_child, start->error))
        return false;
    read_resolvers();
    sealed.loader = keep_text(find_own_loader(loader, sizeof loader));
    return true;
}
