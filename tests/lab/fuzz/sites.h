/* What must hold for every site that discovery reports, whatever file it was found in. */
#ifndef FUZZ_SITES_H
#define FUZZ_SITES_H

#include "fuzz.h"

#include "../../../runtime_layer/native/engine/sites/sites.h"

struct searched {
    struct image image;
    uint64_t from, to, last;
    uint32_t count;
};

/* Defined by each architecture's target. */
static void site_is_sound(const struct searched *s, const struct site *site);

static void report_site(void *context, const struct site *site)
{
    struct searched *s = context;
    CHECK(site->offset >= s->from && site->offset < s->to);
    CHECK(!s->count++ || site->offset > s->last);
    s->last = site->offset;
    CHECK(site->kind != SITE_NOT_A_SITE && site->kind <= SITE_RETURN);
    site_is_sound(s, site);
}

/* What the file before left in the workspace must not matter: each starts with the worst. */
static bool search(struct image image, uint64_t from, uint64_t to)
{
    static _Alignas(16) uint8_t workspace[WORKSPACE];
    struct searched s = {image, from, to, 0, 0};
    memset(workspace, 0xff, 64);
    return find_sites(image, from, to, workspace, report_site, &s);
}

#endif
