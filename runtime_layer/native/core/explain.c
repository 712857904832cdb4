/* Describes a policy: one row of wording for each setting; api.h has the JSON's form. */
#include "explain.h"

#include "aws.h"
#include "setting_table.h"

static void put_string(struct writer *w, struct text t)
{
    put_char(w, '"');
    put_json(w, t, UINT32_MAX);
    put_char(w, '"');
}

static void put_entry(struct writer *w, uint32_t index, struct text prefix, struct text entry)
{
    put(w, index ? TEXT(",{\"entry\":\"") : TEXT("{\"entry\":\""));
    put(w, prefix);
    put_json(w, entry, UINT32_MAX);
    put(w, TEXT("\",\"meaning\":\""));
}

static void end_entry(struct writer *w)
{
    put(w, TEXT("\"}"));
}

static void put_network(const struct outbound_rule *rule, struct writer *w)
{
    bool single = rule->prefix == (rule->network.family == FAMILY_V6 ? 128 : 32);
    put(w, single ? TEXT("the address ") : TEXT("the network "));
    address_write(&rule->network, w);
    if (!single) {
        put_char(w, '/');
        put_number(w, rule->prefix);
    }
}

/* Without a port, and before one. */
static const struct text PORT_WORDS[][2] = {
    [ANY_PROTOCOL] = {{", any port", 10}, {", port ", 7}},
    [ONLY_TCP] = {{", any TCP port", 14}, {", TCP port ", 11}},
    [ONLY_UDP] = {{", any UDP port", 14}, {", UDP port ", 11}},
};

static void rule_entries(const struct policy *p, const struct outbound_rule *rules, uint32_t count,
                         struct writer *w)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct outbound_rule *rule = &rules[i];
        struct text name = policy_text(p, rule->name);
        put_entry(w, i, TEXT(""), policy_text(p, rule->entry));
        switch (rule->kind) {
        case OUTBOUND_NAME:
            put(w, TEXT("the host "));
            put(w, name);
            break;
        case OUTBOUND_SUFFIX:
            put(w, TEXT("every host below "));
            put(w, (struct text){name.at + 1, name.len - 1});
            break;
        default: put_network(rule, w);
        }
        put(w, PORT_WORDS[rule->protocol][rule->port != 0]);
        if (rule->port)
            put_number(w, rule->port);
        if (rule->packages.len) {
            put(w, TEXT("; reported where the call did not come through "));
            put(w, policy_text(p, rule->packages));
        }
        end_entry(w);
    }
}

static void outbound_entries(const struct policy *p, struct writer *w)
{
    rule_entries(p, p->outbound, p->outbound_count, w);
}

static void denied_entries(const struct policy *p, struct writer *w)
{
    rule_entries(p, p->denied, p->denied_count, w);
}

static void aws_entries(const struct policy *p, struct writer *w)
{
    for (uint32_t i = 0; i < p->aws_count; i++) {
        struct text service = aws_service_name(p->aws_services[i]);
        put_entry(w, i, TEXT(""), service);
        put(w, TEXT("the endpoints of "));
        put(w, service);
        end_entry(w);
    }
}

static void bucket_entries(const struct policy *p, struct writer *w)
{
    struct text rest = policy_text(p, p->buckets), bucket;
    for (uint32_t i = 0; p->buckets.len && text_next(&rest, ',', &bucket); i++) {
        put_entry(w, i, TEXT(""), bucket);
        put(w, TEXT("the bucket "));
        put(w, bucket);
        end_entry(w);
    }
}

static void tmp_entries(const struct policy *p, struct writer *w)
{
    for (uint32_t i = 0; i < p->tmp_count; i++) {
        struct text glob = policy_text(p, p->tmp[i]);
        put_entry(w, i, TEXT(""), glob);
        put(w, text_ends(glob, TEXT("/**")) ? TEXT("this directory and all that lies below it")
                                            : TEXT("the paths that this pattern matches"));
        end_entry(w);
    }
}

static void child_entries(const struct policy *p, struct writer *w)
{
    for (uint32_t i = 0; i < p->child_count; i++) {
        put_entry(w, i, p->child[i].unshielded ? TEXT("unshielded:") : TEXT(""),
                  policy_text(p, p->child[i].path));
        put(w, p->child[i].unshielded ? TEXT("this program, with or without the shield in it")
                                      : TEXT("this program, with the same shield in it"));
        end_entry(w);
    }
}

static void memory_entries(const struct policy *p, struct writer *w)
{
    for (uint32_t i = 0; i < p->memory_count; i++) {
        struct text object = policy_text(p, p->memory[i]);
        put_entry(w, i, TEXT(""), object);
        put(w, TEXT("memory that "));
        put(w, object);
        put(w, TEXT(" itself asks for"));
        end_entry(w);
    }
}

/* Values that hold paths, which may need escapes. */
static void tmp_value(const struct policy *p, struct writer *w)
{
    for (uint32_t i = 0; i < p->tmp_count; i++) {
        if (i)
            put_char(w, ',');
        put_json(w, policy_text(p, p->tmp[i]), UINT32_MAX);
    }
}

static void child_value(const struct policy *p, struct writer *w)
{
    for (uint32_t i = 0; i < p->child_count; i++) {
        if (i)
            put_char(w, ',');
        if (p->child[i].unshielded)
            put(w, TEXT("unshielded:"));
        put_json(w, policy_text(p, p->child[i].path), UINT32_MAX);
    }
}

static void next_wrapper_value(const struct policy *p, struct writer *w)
{
    put_json(w, policy_text(p, p->next_wrapper), UINT32_MAX);
}

static void policy_file_value(const struct policy *p, struct writer *w)
{
    put_json(w, policy_text(p, p->policy_file), UINT32_MAX);
}

struct wording {
    const char *setting;
    /* The meaning of each value; a row without a value stands for all others. */
    struct {
        const char *value, *meaning;
    } values[5];
    void (*entries)(const struct policy *p, struct writer *w); /* of a list */
    void (*value)(const struct policy *p, struct writer *w);   /* NULL: as the setting is written */
};

static const struct wording WORDINGS[] = {
    {"SHIELD_OUTBOUND_CONNECTIVITY",
     {{"block", "only listed hosts and AWS may be resolved and reached; all else is refused and reported"},
      {"alert", "every host may be reached; those that are not listed are reported"},
      {"allow", "every host may be reached"}},
     NULL,
     NULL},
    {"SHIELD_ALLOW_OUTBOUND",
     {{"", "no host is listed"}, {NULL, "these hosts, addresses and networks may be reached"}},
     outbound_entries,
     NULL},
    {"SHIELD_DENY_OUTBOUND",
     {{"", "no host is refused in every mode"},
      {NULL,
       "these hosts, addresses and networks are refused and reported in every mode, whatever else admits "
       "them"}},
     denied_entries,
     NULL},
    {"SHIELD_ALLOW_AWS",
     {{"all", "the endpoints of every AWS service in the function's region may be reached"},
      {"none", "no AWS endpoint may be reached unless it is listed as a host"},
      {NULL, "the endpoints of these AWS services in the function's region may be reached"}},
     aws_entries,
     NULL},
    {"SHIELD_ALLOW_BUCKETS",
     {{"", "S3 is not narrowed to buckets"},
      {NULL, "of S3, these buckets may be reached, by their own host names, and nothing else"}},
     bucket_entries,
     NULL},
    {"SHIELD_CHECK_TLS_NAME",
     {{"on", "a TLS connection to an address that was allowed by name must name an allowed server"},
      {"off", "the server that a TLS connection names is not checked"}},
     NULL,
     NULL},
    {"SHIELD_READ_WRITE_TMP",
     {{"block", "only listed paths under /tmp may be used; all else is refused and reported"},
      {"alert", "every path under /tmp may be used; those that are not listed are reported"},
      {"allow", "every path under /tmp may be used"}},
     NULL,
     NULL},
    {"SHIELD_ALLOW_TMP",
     {{"", "no path is listed"}, {NULL, "these paths under /tmp may be used"}},
     tmp_entries,
     tmp_value},
    {"SHIELD_CLEAR_TMP",
     {{"on", "files created under /tmp during an invocation are deleted before the next one, except those in "
             "allow_tmp"},
      {"off", "files under /tmp stay"}},
     NULL,
     NULL},
    {"SHIELD_CREATE_CHILD_PROCESS",
     {{"block", "only listed programs may be started; all else is refused and reported"},
      {"alert", "every program may be started; those that are not listed are reported"},
      {"allow", "every program may be started, if the shield can be put into it"}},
     NULL,
     NULL},
    {"SHIELD_ALLOW_CHILD_PROCESS",
     {{"", "no program is listed"}, {NULL, "these programs may be started"}},
     child_entries,
     child_value},
    {"SHIELD_READ_HANDLER",
     {{"block", "the handler's source may not be read once the function is ready"},
      {"alert", "the handler's source may be read; that is reported once the function is ready"},
      {"allow", "the handler's source may be read"}},
     NULL,
     NULL},
    {"SHIELD_EXECUTABLE_MEMORY",
     {{"block", "memory may not be made executable"},
      {"alert", "memory may be made executable; that is reported"},
      {"allow", "memory may be made executable"},
      {"by_runtime", "memory may be made executable only by a runtime that compiles as it runs"}},
     NULL,
     NULL},
    {"SHIELD_ALLOW_EXECUTABLE_MEMORY",
     {{"", "no library is listed"}, {NULL, "these libraries may make memory executable"}},
     memory_entries,
     NULL},
    {"SHIELD_BLOCK_FOREIGN_FUNCTIONS",
     {{"on", "ctypes, cffi, JNA and other foreign-function bridges may not be loaded, unless "
             "allow_executable_memory lists them"},
      {"off", "ctypes, cffi and JNA may be loaded"}},
     NULL,
     NULL},
    {"SHIELD_KERNEL_LIMITS",
     {{"on",
       "where the lists are empty, the kernel holds blocked files and programs against native code too"},
      {"off", "no limit of the kernel stands behind the shield"}},
     NULL,
     NULL},
    {"SHIELD_ON_FAILURE",
     {{"refuse", "the function does not start when the shield cannot be armed"},
      {"run_unshielded",
       "the function starts without a shield, and reports it, when the shield cannot be armed"}},
     NULL,
     NULL},
    {"SHIELD_LOG_ARGUMENTS",
     {{"on", "alerts show the arguments of programs"}, {"off", "alerts leave the arguments of programs out"}},
     NULL,
     NULL},
    {"SHIELD_NODE_CALLERS",
     {{"on", "alerts of Node.js functions name the JavaScript that connects, or starts a program"},
      {"off", "alerts of Node.js functions name no JavaScript"},
      {"", "in Node.js 22 and 24, alerts name the JavaScript that connects, or starts a program"}},
     NULL,
     NULL},
    {"SHIELD_NEXT_WRAPPER",
     {{"", "no other exec wrapper follows"}, {NULL, "the exec wrapper that runs after the shield's"}},
     NULL,
     next_wrapper_value},
    {"SHIELD_POLICY_FILE",
     {{"", "all settings come from the environment"}, {NULL, "a file with more of these settings"}},
     NULL,
     policy_file_value},
    {"SHIELD_ACCOUNT_ID",
     {{"", "unknown, so AWS endpoints of any account are admitted"},
      {NULL, "the account whose AWS endpoints are meant"}},
     NULL,
     NULL},
    {"AWS_REGION",
     {{"", "unknown, so no AWS endpoint is admitted"}, {NULL, "the region whose AWS endpoints are meant"}},
     NULL,
     NULL},
};

static const struct wording *find_wording(struct text setting)
{
    for (uint32_t i = 0; i < sizeof WORDINGS / sizeof WORDINGS[0]; i++)
        if (text_equal(text_of(WORDINGS[i].setting), setting))
            return &WORDINGS[i];
    return NULL;
}

/* SHIELD_READ_HANDLER is the field read_handler, AWS_REGION is aws_region. */
static void put_field_name(struct writer *w, struct text setting)
{
    uint32_t from = text_starts(setting, TEXT("SHIELD_")) ? 7 : 0;
    put_char(w, '"');
    for (uint32_t i = from; i < setting.len; i++)
        put_char(w, setting.at[i] == '_' ? '_' : (char)(setting.at[i] | 0x20));
    put_char(w, '"');
}

/* Writes the value, and returns its text. */
static struct text put_value(const struct policy *p, uint32_t row, const struct wording *words,
                             struct writer *w)
{
    uint32_t start = w->used;
    if (words && words->value)
        words->value(p, w);
    else
        setting_write(p, row, w);
    return (struct text){w->at + start, w->used - start};
}

static struct text find_meaning(const struct wording *words, struct text value)
{
    for (uint32_t i = 0; i < sizeof words->values / sizeof words->values[0] && words->values[i].meaning; i++)
        if (!words->values[i].value || text_equal(value, text_of(words->values[i].value)))
            return text_of(words->values[i].meaning);
    return TEXT("");
}

void policy_explain(const struct policy *p, struct writer *w)
{
    put_char(w, '{');
    for (uint32_t row = 0; row < setting_count(); row++) {
        const struct wording *words = find_wording(setting_name(row));
        struct text value;
        if (row)
            put_char(w, ',');
        put_field_name(w, setting_name(row));
        put(w, TEXT(":{\"setting\":"));
        put_string(w, setting_name(row));
        put(w, setting_given(p, row) ? TEXT(",\"given\":true") : TEXT(",\"given\":false"));
        put(w, TEXT(",\"value\":\""));
        value = put_value(p, row, words, w);
        put(w, TEXT("\",\"meaning\":"));
        put_string(w, words ? find_meaning(words, value) : TEXT(""));
        if (words && words->entries) {
            put(w, TEXT(",\"entries\":["));
            words->entries(p, w);
            put_char(w, ']');
        }
        put_char(w, '}');
    }
    put_char(w, '}');
}

struct text setting_meaning(const struct policy *p, uint32_t row)
{
    const struct wording *words = find_wording(setting_name(row));
    char value[64]; /* longer than each value in the table */
    struct writer w = {.at = value, .cap = sizeof value};
    setting_write(p, row, &w);
    return words ? find_meaning(words, (struct text){value, w.used}) : TEXT("");
}
