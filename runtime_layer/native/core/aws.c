/* Decides whether a host name is an AWS service endpoint; see aws.h. build/aws_table.py makes the table.
 *
 * A pattern is compared from its end, because most names differ there, in suffix or region. Capitals in it
 * are tokens; canonical host names have none:
 *
 *   R  the function's region                       N  one of the table's names
 *   G  the partition's home region (us-east-1)     A  an account id: the function's own, or twelve digits
 *   D  amazonaws.com, ...                          L  a label, or the rest of one
 *   U  the dual-stack suffix: api.aws, ...         B  a bucket's name, dots included
 *   P  aws-global, ...                             C  a cell's number: one to four digits
 *   H  nothing: the pattern holds at home only     Z  an S3 Express zone: s3express-use1-az4
 *
 * Where tenants' names share a suffix with the services', a pattern spells out every label up to the suffix:
 *   <bucket>.s3.<region>          is S3's, and s3-<region> is; <bucket>.s3-website.<region> is a web site
 *   execute-api.<region>          is a service's; <api>.execute-api.<region> is a tenant's
 *   <x>.<region>.amazonaws.com    are AWS's to name, but not <x>.<region>.compute, .elb or .rds, nor
 *                                 <x>.elb.<region> and, in China, <x>.rds.<region>
 *   neptune-graph.<region>.on.aws is AWS's own; <id>.lambda-url.<region>.on.aws is any account's function
 *   data-ats.iot.<region>         is every account's; <id>-ats.iot.<region> is one account's
 * N, A, L and Z take no dot, and B is in S3's patterns only.
 *
 * A bucket's name is judged only where buckets are listed, as s3.<region> serves every bucket by path. Where they are
 * listed, s3.<region> and S3's other names are not admitted. Code that sets a request's Host header still reaches any
 * bucket: only a VPC endpoint policy prevents that. `bucket.s3.amazonaws.com` leads to buckets of every region. It is
 * admitted in the home region only, where SDKs use it; transfer acceleration and multi-region access points, which lead
 * to every region too, are not admitted.
 * Tests: tests/unit/core/test_verdict_outbound.py, tests/lab/endpoints/aws.py. */
#include "aws.h"

/* The rows of the tables have no gaps: a sixth of them would be. */
#define PACKED __attribute__((packed))

struct PACKED piece {
    uint16_t at; /* in aws_pool */
    uint8_t len;
};

struct PACKED aws_name {
    struct piece text;
    uint16_t services; /* an index, or AWS_LIST and an offset in aws_lists: how many, then their indexes */
    uint16_t shape;    /* an offset in aws_shapes: how many, then pairs of pattern and partitions */
};

struct PACKED aws_pattern {
    struct piece text;
    uint16_t services;  /* unused where the text has an N: the name has them then */
    uint8_t partitions; /* one bit each */
};

struct PACKED aws_partition {
    struct piece home, dns, dual_stack, pseudo;
};

struct PACKED aws_prefix {
    struct piece text; /* the region's name before its last two words: us, us-gov, eusc-de */
    uint8_t partition;
};

#include "aws_table.h"

enum { ACCOUNT_DIGITS = 12, CELL_DIGITS = 4, LABEL_MAX = 63, BUCKET_MIN = 3, BUCKET_MAX = 63 };

/* The function's place, as the patterns need it. */
struct place {
    struct text region, account, home, dns, dual_stack, pseudo;
    uint8_t partition; /* its bit */
};

static struct text pool_text(struct piece p)
{
    return (struct text){aws_pool + p.at, p.len};
}

static bool is_letter_or_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* Byte order, as the table is sorted: negative, zero or positive. */
static int compare_bytes(struct text a, struct text b)
{
    for (uint32_t i = 0; i < a.len && i < b.len; i++)
        if (a.at[i] != b.at[i])
            return (uint8_t)a.at[i] < (uint8_t)b.at[i] ? -1 : 1;
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

/* Removes the last hyphen of `*t` and the word behind it; false when a part on either side is empty. */
static bool take_word(struct text *t, struct text *word)
{
    uint32_t len = 0;
    while (len < t->len && is_letter_or_digit(t->at[t->len - 1 - len]))
        len++;
    if (!len || t->len < len + 2 || t->at[t->len - len - 1] != '-')
        return false;
    *word = (struct text){t->at + t->len - len, len};
    t->len -= len + 1;
    return true;
}

/* A region is a prefix, a word and a number. A region with an unknown prefix counts as a new one of the `aws` partition,
 * as in botocore. */
static bool find_place(const struct aws_limits *limits, struct place *place)
{
    struct text region = limits->region, prefix = region, number, word;
    uint32_t digits, partition = AWS_DEFAULT_PARTITION;
    if (!take_word(&prefix, &number) || !text_number(number, UINT32_MAX, &digits) ||
        !take_word(&prefix, &word))
        return false;
    for (uint32_t i = 0; i < prefix.len; i++)
        if (!is_letter_or_digit(prefix.at[i]) && prefix.at[i] != '-')
            return false;
    for (uint32_t i = 0; i < AWS_REGION_PREFIXES; i++)
        if (text_equal(prefix, pool_text(aws_prefixes[i].text)))
            partition = aws_prefixes[i].partition;
    const struct aws_partition *p = &aws_partitions[partition];
    *place = (struct place){.region = region,
                            .account = limits->account,
                            .home = pool_text(p->home),
                            .dns = pool_text(p->dns),
                            .dual_stack = pool_text(p->dual_stack),
                            .pseudo = pool_text(p->pseudo),
                            .partition = (uint8_t)(1u << partition)};
    return true;
}

/* Removes at most `most` digits from the end, and returns their number. */
static uint32_t take_digits(struct text *host, uint32_t most)
{
    uint32_t n = 0;
    for (; n < most && host->len && is_digit(host->at[host->len - 1]); n++)
        host->len--;
    return n;
}

static bool take_account(struct text *host, struct text account)
{
    return account.len ? text_strip_end(host, account) : take_digits(host, ACCOUNT_DIGITS) == ACCOUNT_DIGITS;
}

/* Removes the rest of the last label. */
static bool take_label(struct text *host, struct text *label)
{
    uint32_t at = host->len;
    while (at && (is_letter_or_digit(host->at[at - 1]) || host->at[at - 1] == '-'))
        at--;
    *label = (struct text){host->at + at, host->len - at};
    host->len = at;
    return label->len && label->len <= LABEL_MAX;
}

/* Does an open label name another account's access point, as `point-<account>` does? */
static bool is_anothers(struct text label, struct text account)
{
    struct text rest = label;
    return account.len && take_digits(&rest, ACCOUNT_DIGITS) == ACCOUNT_DIGITS &&
           text_ends(rest, TEXT("-")) && !text_ends(label, account);
}

static bool take_zone(struct text *host)
{
    struct text label;
    return take_label(host, &label) && take_digits(&label, LABEL_MAX) &&
           text_strip_end(&label, TEXT("-az")) && text_starts(label, TEXT("s3express-")) &&
           label.len > sizeof "s3express-" - 1;
}

/* A name that S3 takes in a host name: labels that begin and end with a letter or digit, 3 to 63 bytes. */
bool aws_is_bucket(struct text t)
{
    char before = '.';
    if (t.len < BUCKET_MIN || t.len > BUCKET_MAX || !is_letter_or_digit(t.at[t.len - 1]))
        return false;
    for (uint32_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        bool inside = is_letter_or_digit(before);
        if (!is_letter_or_digit(c) && !(c == '.' && inside) && !(c == '-' && (inside || before == '-')))
            return false;
        before = c;
    }
    return true;
}

/* The parts of a host name that the pattern leaves open. */
struct found {
    struct text name;   /* N: must be a name of the table */
    struct text bucket; /* B, or a directory bucket's whole name; empty: the pattern is not a bucket's */
};

/* The text of a token that the place tells; any other character stands for itself. */
static struct text known_part(struct text pattern, uint32_t i, const struct place *place)
{
    switch (pattern.at[i]) {
    case 'R': return place->region;
    case 'G': return place->home;
    case 'D': return place->dns;
    case 'U': return place->dual_stack;
    case 'P': return place->pseudo;
    default: return (struct text){pattern.at + i, 1};
    }
}

static bool matches(struct text pattern, struct text host, const struct place *place, struct found *found)
{
    struct text label, whole = host;
    *found = (struct found){0};
    if (text_starts(pattern, TEXT("L--x-s3.")))
        text_next(&whole, '.', &found->bucket);
    bool fits = true;
    for (uint32_t i = pattern.len; i-- && fits;) {
        switch (pattern.at[i]) {
        case 'H': fits = text_equal(place->region, place->home); break;
        case 'A': fits = take_account(&host, place->account); break;
        case 'C': fits = take_digits(&host, CELL_DIGITS); break;
        case 'L':
            fits = take_label(&host, &label) &&
                   !(i + 1 < pattern.len && pattern.at[i + 1] == '.' && is_anothers(label, place->account));
            break;
        case 'Z': fits = take_zone(&host); break;
        case 'B':
            fits = aws_is_bucket(host);
            found->bucket = host;
            host.len = 0;
            break;
        case 'N':
            found->name = host;
            host.len = 0;
            break;
        default: fits = text_strip_end(&host, known_part(pattern, i, place)); break;
        }
    }
    return fits && !host.len;
}

/* The number of a sorted row that begins with this text; `count`: none. */
static uint32_t find_row(const void *rows, uint32_t row_size, uint32_t count, struct text t)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order =
            compare_bytes(t, pool_text(*(const struct piece *)((const char *)rows + middle * row_size)));
        if (!order)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return count;
}

static bool occurs(const struct aws_name *name, uint32_t pattern, uint8_t partition)
{
    const uint8_t *shape = aws_shapes + name->shape;
    for (uint32_t i = 0; i < shape[0]; i++)
        if (shape[1 + 2 * i] == pattern)
            return shape[2 + 2 * i] & partition;
    return false;
}

static bool is_admitted(uint16_t owner, struct text bucket, const struct aws_limits *limits)
{
    const uint16_t *owners = &owner;
    uint32_t owner_count = 1;
    if (owner & AWS_LIST) {
        owners = aws_lists + (owner & ~AWS_LIST);
        owner_count = *owners++;
    }
    for (uint32_t i = 0; i < owner_count; i++)
        if (owners[i] == AWS_S3 && limits->buckets.len)
            return bucket.len && text_lists(limits->buckets, bucket);
    for (uint32_t i = 0; i < owner_count; i++)
        for (uint32_t j = 0; j < limits->service_count; j++)
            if (owners[i] == limits->services[j])
                return true;
    return limits->every_service;
}

bool aws_service_index(struct text service, uint16_t *index)
{
    uint32_t row = find_row(aws_services, sizeof *aws_services, AWS_SERVICES, service);
    *index = (uint16_t)row;
    return row < AWS_SERVICES;
}

struct text aws_service_name(uint16_t index)
{
    return index < AWS_SERVICES ? pool_text(aws_services[index]) : TEXT("");
}

bool aws_is_endpoint(struct text host, const struct aws_limits *limits)
{
    struct place place;
    if (!find_place(limits, &place))
        return false;
    for (uint32_t i = 0; i < AWS_PATTERNS; i++) {
        const struct aws_pattern *pattern = &aws_patterns[i];
        struct found found;
        uint16_t owner = pattern->services;
        if (!(pattern->partitions & place.partition) ||
            !matches(pool_text(pattern->text), host, &place, &found))
            continue;
        if (found.name.at) {
            uint32_t name = find_row(aws_names, sizeof *aws_names, AWS_NAMES, found.name);
            if (name == AWS_NAMES || !occurs(&aws_names[name], i, place.partition))
                continue;
            owner = aws_names[name].services;
        }
        if (is_admitted(owner, found.bucket, limits))
            return true;
    }
    return false;
}

/* Writes a pattern with the known facts of the place. L, B, C, Z, and A without an account, stay tokens. */
static void put_pattern(struct writer *w, struct text pattern, struct text name, const struct place *place)
{
    for (uint32_t i = 0; i < pattern.len; i++) {
        switch (pattern.at[i]) {
        case 'N': put(w, name); break;
        case 'A': put(w, place->account.len ? place->account : TEXT("A")); break;
        case 'H': break;
        default: put(w, known_part(pattern, i, place)); break;
        }
    }
    put_char(w, '\n');
}

static bool has(struct text t, char c)
{
    return text_find(t, c) < t.len;
}

void aws_write_endpoints(const struct aws_limits *limits, struct writer *w)
{
    struct place place;
    if (!find_place(limits, &place))
        return;
    bool at_home = text_equal(place.region, place.home);
    for (uint32_t i = 0; i < AWS_PATTERNS; i++) {
        const struct aws_pattern *pattern = &aws_patterns[i];
        struct text text = pool_text(pattern->text), buckets = limits->buckets, bucket = {0};
        if (!(pattern->partitions & place.partition) || (has(text, 'H') && !at_home))
            continue;
        if (has(text, 'B') || text_starts(text, TEXT("L--x-s3.")))
            text_next(&buckets, ',', &bucket); /* any of the listed ones */
        if (!has(text, 'N')) {
            if (is_admitted(pattern->services, bucket, limits))
                put_pattern(w, text, (struct text){0}, &place);
            continue;
        }
        for (uint32_t j = 0; j < AWS_NAMES; j++)
            if (occurs(&aws_names[j], i, place.partition) &&
                is_admitted(aws_names[j].services, bucket, limits))
                put_pattern(w, text, pool_text(aws_names[j].text), &place);
    }
}
