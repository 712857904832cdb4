/* Tests: tests/integration/engine/test_behaviour.py, tests/integration/chained_wrappers/test_stage.py. */
#include "process_facts.h"

#include "../../core/setting_table.h"
#include "../base/read_file.h"
#include "../state/child_settings.h"
#include "../state/process_state.h"
#include "../state/syscall_policy.h"
#include "../report/log_writer.h"
#include "../fds/own_fds.h"
#include "../process/exec.h"
#include "../gate/judges.h"

/* Keeps the settings for children in canonical form, with those of the policy file. A child does not read that file, so later
 * changes of it have no effect. */
static bool keep_settings(struct kept_texts *texts)
{
    char *memory = new_memory(POLICY_FILE_MAX);
    if (!memory)
        return false;
    struct writer w = {memory, 0, POLICY_FILE_MAX, false};
    policy_write_lines(&sealed->policy, &w);
    struct text lines = {w.at, w.used}, line, name;
    bool succeeds = !w.full;
    while (succeeds && lines.len && text_next(&lines, '\n', &line)) {
        bool found = text_next(&line, '=', &name);
        if (found && text_starts(name, TEXT("SHIELD_")) && !text_equal(name, TEXT("SHIELD_POLICY_FILE")) &&
            !text_equal(name, TEXT("SHIELD_NEXT_WRAPPER")))
            succeeds = keep_setting(texts, TEXT(""), name, line);
    }
    KERNEL(munmap, memory, POLICY_FILE_MAX);
    return succeeds;
}

/* Adds every address in "169.254.100.1:9001", or in the X-Ray daemon's "tcp:127.0.0.1:2000 udp:127.0.0.2:2001". */
static void add_implicit_endpoints(struct always *always, struct text value)
{
    struct text word, port_text;
    uint32_t port;
    while (value.len && text_next(&value, ' ', &word)) {
        if (text_starts(word, TEXT("tcp:")) || text_starts(word, TEXT("udp:")))
            word = (struct text){word.at + 4, word.len - 4};
        uint32_t colon = word.len;
        while (colon > 0 && word.at[colon - 1] != ':')
            colon--;
        if (!colon || always->count == ALWAYS_MAX)
            continue;
        port_text = (struct text){word.at + colon, word.len - colon};
        struct endpoint e;
        if (text_number(port_text, 65535, &port) && address_parse((struct text){word.at, colon - 1}, &e.ip)) {
            e.port = (uint16_t)port;
            always->endpoints[always->count++] = e;
        }
    }
}

/* Reads the rest of a line of resolv.conf(5) behind the keyword. False: it is another line. */
static bool read_resolver_line(struct text line, struct text keyword, struct text *value)
{
    if (!text_starts(line, keyword) || line.len == keyword.len ||
        (line.at[keyword.len] != ' ' && line.at[keyword.len] != '\t'))
        return false;
    *value = text_trim((struct text){line.at + keyword.len, line.len - keyword.len});
    return true;
}

static void read_resolvers(struct process_facts *p)
{
    struct text lines = read_whole_file("/etc/resolv.conf", POLICY_FILE_MAX), rest = lines, line, value;
    struct text domains = TEXT(""); /* the last line counts */
    while (rest.len && text_next(&rest, '\n', &line)) {
        struct endpoint e = {.port = 53};
        if (read_resolver_line(line, TEXT("nameserver"), &value) && p->resolver_count < MAX_RESOLVERS &&
            address_parse(value, &e.ip))
            p->resolvers[p->resolver_count++] = e;
        if (read_resolver_line(line, TEXT("search"), &value) ||
            read_resolver_line(line, TEXT("domain"), &value))
            domains = value;
    }
    p->search_domains = keep_text(&p->texts, domains);
    drop_whole_file(lines, POLICY_FILE_MAX);
    if (p->resolver_count == 0) { /* without one, resolvers ask the local machine (resolv.conf(5)) */
        struct endpoint e = {.port = 53};
        address_parse(TEXT("127.0.0.1"), &e.ip);
        p->resolvers[p->resolver_count++] = e;
    }
}

/* A .NET function that includes its runtime is a program with the function's name (AWS's bootstrap.sh). */
static enum language find_language(const struct start *start, struct text program)
{
    enum language language = language_from(program);
    struct text runtime = start->found.runtime, prefix = TEXT("AWS_Lambda_");
    if (is_child(start) || language != LANGUAGE_OTHER || !text_starts(runtime, prefix))
        return language;
    runtime = (struct text){runtime.at + prefix.len, runtime.len - prefix.len};
    return language_from(runtime) == LANGUAGE_DOTNET ? LANGUAGE_DOTNET : language;
}

/* False: there is no room. */
static bool keep_carried_facts(struct process_facts *p, const struct start *start)
{
    for (enum carried_fact i = 0; i < CARRIED_COUNT; i++) {
        struct text value = choose_fact(start, i);
        if (value.len && !keep_setting(&p->texts, TEXT(STATE_PREFIX), text_of(carried_facts[i]), value))
            return false;
        if (i >= FIRST_ADDRESS && i <= LAST_ADDRESS)
            add_implicit_endpoints(&p->always, value);
    }
    return true;
}

static void keep_texts_of_start(struct process_facts *p, const struct start *start)
{
    const struct facts_found *found = &start->found;
    p->runtime = keep_text(&p->texts, start->from_code ? start->program : found->runtime_path);
    p->loader_preload = keep_text(&p->texts, found->loader_preload);
    p->loader_path = keep_text(&p->texts, found->loader_path);
    p->task_root = keep_text(&p->texts, choose_fact(start, TASK_ROOT));
    for (uint32_t i = FIRST_HANDLER; i < CARRIED_COUNT; i++)
        p->handlers[i - FIRST_HANDLER] = keep_text(&p->texts, choose_fact(start, i));
    if (found->known_sites.at)
        p->known_sites = keep_setting(&p->texts, TEXT(""), TEXT(KNOWN_SITES), found->known_sites);
}

void read_origin(struct process_facts *p, const struct start *start)
{
    const struct policy *policy = &sealed->policy;
    p->is_late = start->from_code;
    if (!start->environment.at)
        return;
    struct text account = policy_text(policy, policy->account);
    struct line_origin origin = {.function = choose_fact(start, FUNCTION),
                                 .version = choose_fact(start, VERSION),
                                 .region = choose_fact(start, REGION),
                                 .account = account.len ? account : start->found.account};
    struct writer w = {p->origin, 0, sizeof p->origin, false};
    put_origin(&w, &origin);
    p->origin_used = w.used;
}

/* Programs that run scripts and start others. One file can be all of them: busybox, and the coreutils of small systems, whose
 * `env` is a script (`#!/usr/bin/coreutils --coreutils-prog-shebang=env`). */
static const char *const shells[] = {"bash", "sh", "dash", "env", "busybox", "coreutils"};

/* Whether an argument behind the program's name is exactly the path of the runtime. */
static bool has_runtime_argument(void)
{
    struct text runtime = kept_text(sealed->process.runtime), argument;
    struct text arguments = read_whole_file("/proc/self/cmdline", ENVIRON_MAX), rest = arguments;
    bool found = false;
    text_next(&rest, 0, &argument);
    while (runtime.len && !found && rest.len && text_next(&rest, 0, &argument))
        found = text_equal(argument, runtime);
    drop_whole_file(arguments, ENVIRON_MAX);
    return found;
}

/* Whether the runtime is a script: its path is among the arguments of its interpreter. */
static bool is_script(const char *path)
{
    char begin[2] = {0, 0};
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (is_error(file))
        return true; /* unknown: it does not count as a wrapper */
    KERNEL(read, file, begin, sizeof begin);
    KERNEL(close, file);
    return begin[0] == '#' && begin[1] == '!';
}

/* Whether this process is an exec wrapper, before the runtime. `program`: the name of its file, which a wrapper started. Wrappers
 * get the runtime and its arguments, so a program with the runtime among its arguments is a wrapper; so is a shell, which may
 * have replaced its arguments. All others are the runtime, or a helper. */
static bool is_wrapper(struct text program)
{
    for (uint32_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (text_equal(program, text_of(shells[i])))
            return true;
    return has_runtime_argument() && !is_script(kept_text(sealed->process.runtime).at);
}

bool read_process_facts(struct process_facts *p, const struct start *start)
{
    char loader[LOADER_MAX];
    struct text program = base_name(start->program);
    p->number = p->own->id;
    p->seed = start->began ^ (uint64_t)p->own; /* the address is random */
    p->gate = (uint64_t)gate_entry;
    p->memory_by_runtime = sealed->policy.modes[EXECUTABLE_MEMORY] == MODE_BY_RUNTIME;
    p->forks_workers = text_equal(choose_fact(start, INITIALIZATION), TEXT("lambda-managed-instances"));
    p->language = find_language(start, program);
    keep_texts_of_start(p, start);
    if (!keep_settings(&p->texts))
        return fail(start->error, "the policy is too long to be given to child processes");
    if (!keep_carried_facts(p, start))
        return fail(start->error, "the function's environment is too long");
    if (is_child(start))
        names_learn_written(learned_names(), start->found.learned, sealed->policy.outbound_count);
    /* Its workers are threads of one process, and each loads the handler. A child is not the runtime. */
    else if (p->forks_workers && p->language == LANGUAGE_NODE &&
             sealed->policy.modes[READ_HANDLER] != MODE_ALLOW)
        return fail(
            start->error,
            "read_handler: Node.js on Lambda Managed Instances loads the handler in several threads, and "
            "the first that is ready would close it to the others; set read_handler to allow");
    read_resolvers(p);
    p->loader = keep_text(&p->texts, find_own_loader(loader, sizeof loader));
    p->stage = start->origin == ORIGIN_STARTING && is_wrapper(program) ? STAGE_STARTING : STAGE_RUNNING;
    return true;
}

/* Without a mode that reports, no descriptor is kept. */
void open_log(struct process_facts *p, const struct policy *policy, int32_t inherited)
{
    p->log = reports_anything(policy) ? keep_log(inherited) : 2;
    if (p->log > 2)
        own_fd_mark(p->log);
    if (p->log >= 0 && (stat_of(p->log).st_mode & S_IFMT) == S_IFIFO)
        p->log_pipe = inode_of(p->log);
}

bool patch_program(struct process_facts *p, struct armed_objects *objects, struct writer *error)
{
    p->armed = patch_loaded_objects(objects, &p->library, &p->texts, p->is_late, error);
    return p->armed;
}

bool tighten_process(struct process_facts *p, const struct policy *policy, struct policy *wanted,
                     struct writer *error)
{
    p->memory_by_runtime &= wanted->modes[EXECUTABLE_MEMORY] == MODE_BY_RUNTIME;
    for (uint32_t row = 0; row < setting_count(); row++) {
        char value[16];
        struct writer w = {value, 0, sizeof value, false};
        if (!setting_given(wanted, row) || !setting_mode(wanted, row))
            continue;
        setting_write(policy, row, &w);
        if (replace_setting(&p->texts, setting_name(row), (struct text){value, w.used}))
            continue;
        put_words(error, "the policy is too long to be given to child processes; configure it in one call");
        return false;
    }
    return true;
}
