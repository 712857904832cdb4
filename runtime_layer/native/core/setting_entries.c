/* Checks entries of the list settings; see setting_entries.h.
 * Tests: tests/unit/core/test_settings.py, tests/lab/fuzz/entry.c. */
#include "setting_entries.h"

#include "aws.h"
#include "object_names.h"
#include "packages.h"

enum { PATH_LONGEST = 4095, HOST_LONGEST = 253 };

static bool refuse(struct writer *error, struct text reason)
{
    put(error, reason);
    return false;
}

static uint32_t count_char(struct text t, char c)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < t.len; i++)
        count += t.at[i] == c;
    return count;
}

/* Clears the bits beyond the prefix. Returns whether any was set. */
static bool clear_host_bits(struct address *a, uint8_t prefix)
{
    bool was_set = false;
    for (uint32_t i = 0; i < sizeof a->bytes; i++) {
        uint32_t kept = prefix > i * 8 ? prefix - i * 8 : 0;
        uint8_t mask = kept >= 8 ? 0xff : (uint8_t)(0xff << (8 - kept));
        was_set = was_set || (a->bytes[i] & (uint8_t)~mask);
        a->bytes[i] &= mask;
    }
    return was_set;
}

static void write_port(uint16_t port, struct writer *w)
{
    if (port) {
        put_char(w, ':');
        put_number(w, port);
    }
}

/* The prefix of an entry for each protocol. */
static const char PREFIXES[][7] = {[ANY_PROTOCOL] = "", [ONLY_TCP] = "tcp://", [ONLY_UDP] = "udp://"};

static struct text take_protocol(struct text entry, uint8_t *protocol)
{
    for (uint8_t p = ONLY_TCP; p <= ONLY_UDP; p++) {
        if (text_equal_nocase(text_head(entry, entry.len < 6 ? entry.len : 6), text_of(PREFIXES[p]))) {
            *protocol = p;
            return text_behind(entry, text_of(PREFIXES[p]).len);
        }
    }
    return entry;
}

static void write_network(const struct outbound_rule *rule, struct writer *w)
{
    bool v6 = rule->network.family == FAMILY_V6;
    bool bracketed = v6 && rule->port;
    put_words(w, PREFIXES[rule->protocol]);
    if (rule->prefix == (v6 ? 128 : 32)) {
        address_write_entry(&rule->network, rule->port, w);
        write_port(rule->port, w);
        return;
    }
    if (bracketed)
        put_char(w, '[');
    address_write(&rule->network, w);
    put_char(w, '/');
    put_number(w, rule->prefix);
    if (bracketed)
        put_char(w, ']');
    write_port(rule->port, w);
}

#define EVERYTHING_DENIED                                                                                    \
    TEXT("would refuse everything; to admit listed hosts alone, set SHIELD_OUTBOUND_CONNECTIVITY to block")

/* `address` or `address/prefix`. */
static bool parse_network(struct text t, bool denies, struct outbound_rule *rule, struct writer *error)
{
    uint32_t slash = text_find(t, '/'), prefix;
    struct text ip = text_head(t, slash);
    /* A mapped address is kept as IPv4, so 96 bits of its prefix are dropped. */
    uint32_t longest = count_char(ip, ':') ? 128 : 32;
    uint32_t skipped;
    if (!address_parse(ip, &rule->network)) {
        if (count_char(ip, ':'))
            return refuse(error, TEXT("is not an IPv6 address; write it as in 2001:db8::1, without a scope"));
        return refuse(error,
                      TEXT("is not an IPv4 address; write four numbers from 0 to 255 without leading zeros"));
    }
    skipped = longest == 128 && rule->network.family == FAMILY_V4 ? 96 : 0;
    if (slash == t.len)
        prefix = longest;
    else if (!text_number(text_behind(t, slash + 1), longest, &prefix) || prefix < skipped) {
        put_words(error, "has no valid prefix length; write a number from ");
        put_number(error, skipped);
        put_words(error, " to ");
        put_number(error, longest);
        return refuse(error, TEXT(" after the slash"));
    }
    rule->kind = OUTBOUND_NETWORK;
    rule->prefix = (uint8_t)(prefix - skipped);
    if (!rule->prefix)
        return refuse(error, denies ? EVERYTHING_DENIED
                                    : TEXT("would admit every address; name the hosts or networks, or set "
                                           "SHIELD_OUTBOUND_CONNECTIVITY to allow"));
    if (clear_host_bits(&rule->network, rule->prefix)) {
        put_words(error, "has bits set beyond its prefix; use ");
        write_network(rule, error);
        return refuse(error, TEXT(", or the address alone"));
    }
    return true;
}

static bool parse_port(struct text t, uint16_t *port, struct writer *error)
{
    uint32_t value;
    if (!text_number(t, 65535, &value) || !value)
        return refuse(error, TEXT("has no valid port; write a number from 1 to 65535 after the colon, "
                                  "or no colon for any port"));
    *port = (uint16_t)value;
    return true;
}

/* "https://api.example/path" becomes "api.example:443" in the error that refuses it. */
static bool refuse_url(struct text entry, uint32_t colon, struct writer *error)
{
    struct text scheme = text_head(entry, colon), host = text_behind(entry, colon + 3);
    host = text_head(host, text_find(host, '/'));
    put_words(error, "is a URL; use \"");
    put_json(error, host, HOST_LONGEST);
    if (!count_char(host, ':') && text_equal(scheme, TEXT("https")))
        write_port(443, error);
    else if (!count_char(host, ':') && text_equal(scheme, TEXT("http")))
        write_port(80, error);
    return refuse(error, TEXT("\""));
}

/* 2001:db8::1:443 may or may not have a port: brackets must show it. */
static bool refuse_port_without_brackets(struct text entry, struct text ip, struct text port,
                                         struct writer *error)
{
    struct address whole;
    put_words(error, "may be an address with a port; write [");
    put(error, ip);
    put_words(error, "]:");
    put(error, port);
    if (address_parse(entry, &whole)) {
        put_words(error, " or [");
        put(error, entry);
        put_char(error, ']');
    }
    return false;
}

static bool has_only(struct text t, struct text allowed)
{
    for (uint32_t i = 0; i < t.len; i++)
        if (text_find(allowed, t.at[i]) == allowed.len)
            return false;
    return true;
}

static bool parse_name(struct text host, bool denies, struct outbound_rule *rule, struct writer *canonical,
                       struct writer *error)
{
    bool suffix = text_starts(host, TEXT("*."));
    struct text name = suffix ? text_behind(host, 2) : host;
    uint32_t start = text_of(PREFIXES[rule->protocol]).len;
    if (text_equal(host, TEXT("*")))
        return refuse(error, denies ? EVERYTHING_DENIED
                                    : TEXT("would admit every host; name the hosts, or set "
                                           "SHIELD_OUTBOUND_CONNECTIVITY to allow"));
    if (count_char(name, '*'))
        return refuse(error, TEXT("has a wildcard inside; one is taken only as the whole first label, "
                                  "as in *.example.com"));
    for (uint32_t i = 0; i < host.len; i++)
        if ((uint8_t)host.at[i] >= 0x80)
            return refuse(error, TEXT("is not ASCII; write the name in its xn-- form"));
    put_words(canonical, PREFIXES[rule->protocol]);
    if (suffix)
        put_words(canonical, "*.");
    if (!hostname_canonical(name, canonical))
        return refuse(error, TEXT("is not a host name, an IP address or a network; use host[:port], "
                                  "*.domain[:port], address[:port], network/prefix[:port] or [v6]:port"));
    rule->kind = suffix ? OUTBOUND_SUFFIX : OUTBOUND_NAME;
    /* The suffix that is compared begins with the dot of "*.". */
    start += suffix ? 1 : 0;
    rule->name = (struct pooled){(uint16_t)start, (uint16_t)(canonical->used - start)};
    if (suffix && !denies &&
        count_char((struct text){canonical->at + start + 1, canonical->used - start - 1}, '.') == 0)
        return refuse(error, TEXT("would admit a whole top-level domain, where anyone may register a name; "
                                  "write two labels after the star, as in *.example.com"));
    write_port(rule->port, canonical);
    return true;
}

static bool read_host(struct text entry, bool denies, struct outbound_rule *rule, struct writer *canonical,
                      struct writer *error)
{
    uint32_t colon, slash, bracket;
    struct text host, ip, port;
    bool network;
    *rule = (struct outbound_rule){0};
    host = entry = take_protocol(entry, &rule->protocol);
    colon = text_find(entry, ':');
    if (text_starts(text_behind(entry, colon), TEXT("://")))
        return refuse_url(entry, colon, error);
    if (text_starts(entry, TEXT("["))) {
        bracket = text_find(entry, ']');
        if (bracket == entry.len)
            return refuse(error, TEXT("has no closing bracket; write [v6]:port"));
        host = (struct text){entry.at + 1, bracket - 1};
        if (bracket + 1 < entry.len) {
            if (entry.at[bracket + 1] != ':')
                return refuse(error, TEXT("goes on after the bracket; write [v6]:port or [v6/prefix]:port"));
            if (!parse_port(text_behind(entry, bracket + 2), &rule->port, error))
                return false;
        }
        if (!count_char(host, ':'))
            return refuse(error, TEXT("has brackets around something else than an IPv6 address; "
                                      "leave the brackets out"));
        network = true;
    } else if (count_char(entry, ':') >= 2) {
        if (address_and_port(entry, &ip, &port))
            return refuse_port_without_brackets(entry, ip, port, error);
        network = true;
    } else {
        if (colon < entry.len) {
            if (!parse_port(text_behind(entry, colon + 1), &rule->port, error))
                return false;
            host = text_head(entry, colon);
        }
        slash = text_find(host, '/');
        if (slash < host.len && !has_only(text_head(host, slash), TEXT("0123456789.")))
            return refuse(error, TEXT("has a path; write the host, and the port if you like, alone"));
        if (!host.len)
            return refuse(error, TEXT("has no host; write host[:port]"));
        network = has_only(host, TEXT("0123456789./"));
    }
    if (!network)
        return parse_name(host, denies, rule, canonical, error);
    if (!parse_network(host, denies, rule, error))
        return false;
    write_network(rule, canonical);
    return true;
}

/* For every list except allow_outbound. */
static bool has_no_packages(struct text entry, struct writer *error)
{
    struct text packages;
    return !packages_cut(&entry, &packages) ||
           refuse(
               error,
               TEXT("names packages; ` by ` stands in allow_outbound only, so take it out (in a path under "
                    "/tmp write ?by? where it is part of the name)"));
}

bool entry_outbound(struct text entry, bool denies, struct outbound_rule *rule, struct writer *canonical,
                    struct writer *error)
{
    struct text packages;
    if (denies && !has_no_packages(entry, error))
        return false;
    bool has_packages = packages_cut(&entry, &packages);
    if (!read_host(entry, denies, rule, canonical, error))
        return false;
    if (has_packages) {
        put_words(canonical, " by ");
        rule->packages.at = (uint16_t)canonical->used;
        if (!packages_canonical(packages, canonical, error))
            return false;
        rule->packages.len = (uint16_t)(canonical->used - rule->packages.at);
    }
    rule->entry = (struct pooled){0, (uint16_t)canonical->used};
    return true;
}

static bool refuse_for_name(struct text before_it, struct text name, struct writer *error)
{
    put(error, before_it);
    put_json(error, name, HOST_LONGEST);
    return refuse(error, TEXT("\""));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. The reserved endings -s3alias, --ol-s3 and
 * --x-s3 are accepted, as requests have such names in a bucket's place. */
bool entry_bucket(struct text entry, struct writer *error)
{
    static const char *const starts[] = {"xn--", "sthree-", "amzn-s3-demo-"}, *const ends[] = {".mrap",
                                                                                               "--table-s3"};
    struct address ip;
    bool reserved = false;
    uint32_t at;
    if (text_starts(entry, TEXT("s3://"))) {
        struct text name = text_behind(entry, 5);
        return refuse_for_name(TEXT("is a URL; use \""), text_head(name, text_find(name, '/')), error);
    }
    if (text_starts(entry, TEXT("arn:"))) {
        for (at = entry.len; at && entry.at[at - 1] != ':'; at--)
            ;
        return refuse_for_name(TEXT("is an ARN; use \""), text_behind(entry, at), error);
    }
    if (text_ends(entry, TEXT(".amazonaws.com")) || text_ends(entry, TEXT(".amazonaws.com.cn")))
        return refuse(error, TEXT("is a host name; write the bucket's name alone"));
    if (!aws_is_bucket(entry))
        return refuse(error, TEXT("is not the name of a bucket; write 3 to 63 of a-z, 0-9, hyphens and dots, "
                                  "with a letter or digit first, last and beside every dot"));
    for (uint32_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        reserved = reserved || text_starts(entry, text_of(starts[i]));
    for (uint32_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        reserved = reserved || text_ends(entry, text_of(ends[i]));
    if (reserved || address_parse(entry, &ip))
        return refuse(error, TEXT("cannot be the name of a bucket; S3 does not give out such names"));
    return true;
}

bool entry_path(struct text path, struct writer *error)
{
    struct text rest, component;
    if (!text_starts(path, TEXT("/")))
        return refuse(error, TEXT("is not an absolute path; begin it with a slash"));
    if (path.len > PATH_LONGEST)
        return refuse(error, TEXT("is longer than the 4095 bytes of any path"));
    for (uint32_t i = 0; i < path.len; i++)
        if ((uint8_t)path.at[i] < 0x20 || path.at[i] == 0x7f)
            return refuse(error, TEXT("has a control character in it; take it out"));
    rest = text_behind(path, 1);
    while (text_next(&rest, '/', &component)) {
        if (!component.len)
            return refuse(error, rest.at ? TEXT("has an empty component; write single slashes")
                                         : TEXT("ends in a slash; leave it out"));
        if (text_equal(component, TEXT(".")) || text_equal(component, TEXT("..")))
            return refuse(error, TEXT("has a \".\" or \"..\" component; write the path without it"));
    }
    return true;
}

bool entry_tmp(struct text entry, struct writer *error)
{
    if (!text_equal(entry, TEXT("/tmp")) && !text_starts(entry, TEXT("/tmp/")))
        return refuse(error, TEXT("is not under /tmp; begin it with /tmp/"));
    if (entry.len > 5 && entry.at[entry.len - 1] == '/' && entry.at[entry.len - 2] != '/') {
        put_words(error, "ends in a slash; use \"");
        put_json(error, text_head(entry, entry.len - 1), PATH_LONGEST);
        return refuse(error, TEXT("/**\" for all that lies below it"));
    }
    for (uint32_t i = 0; i + 2 < entry.len; i++)
        if (entry.at[i] == '*' && entry.at[i + 1] == '*' && entry.at[i + 2] == '*')
            return refuse(error,
                          TEXT("has three stars in a row; use * within a component, ** across components"));
    return has_no_packages(entry, error) && entry_path(entry, error);
}

bool entry_program(struct text path, struct writer *error)
{
    if (count_char(path, '*') || count_char(path, '?'))
        return refuse(error, TEXT("has a wildcard; list each program by its whole path"));
    return has_no_packages(path, error) && entry_path(path, error);
}

bool entry_object(struct text entry, struct writer *error)
{
    struct text name = object_name(base_name(entry));
    if (is_object_name(entry))
        return true;
    if (is_object_name(name))
        return refuse_for_name(TEXT("is the name of a file; use \""), name, error);
    return refuse(error, TEXT("is not the name of a library; write it as the alert does, such as libffi"));
}
