// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* An explanation as a page. Every line begins with what it is about, so that grep finds it. */
#include <inttypes.h>
#include <string.h>

#include "cli/command_text.h"
#include "cli/explanation.h"
#include "cli/reason.h"
#include "core/iommu.h"
#include "core/shape.h"

#define KEY 12 /* columns of a line's key */

/* Prints what was put together, and forgets it. */
static void line(const char *key, struct text *text)
{
    page_line(2, KEY, key, text_of(text));
    text_free(text);
}

/* ---- Platform and request ----------------------------------------------------------------------
 */

static void print_costs(const struct xinv_platform *platform)
{
    const struct xinv_costs *costs = &platform->costs;
    struct text text = {0};

    if (!costs->command)
        return;
    text_add(&text, "ns: command %u, sync %u, device-TLB message %u, refill %u", costs->command,
             costs->sync, costs->device_tlb, costs->refill);
    line("costs", &text);
    text_add(&text, "%s", cli_platform_cost_source(platform));
    line("  source", &text);
}

static void print_platform(const struct translation *t)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    const struct schema_vendor *prose = reason_prose(iommu);
    const char *source = cli_platform_source(iommu->platform);
    uint64_t features = explanation_features(t);
    struct text text = {0};

    text_add(&text, "%s:", iommu->platform->name);
    page_line(0, 2, text_of(&text), iommu->platform->title);
    text_free(&text);
    text_add(&text, "%s (%s)", prose->title, iommu->vendor->name);
    line("vendor", &text);
    if (*source) {
        text_add(&text, "%s", source);
        line("known from", &text);
    }
    for (unsigned i = 0; i < iommu->vendor->n_features; i++)
        if (features >> i & 1)
            text_add(&text, "%s%s=%u", text.n ? "  " : "", iommu->vendor->features[i].name,
                     iommu->feature[i]);
    if (text.n)
        line("features", &text);
    print_costs(iommu->platform);
}

static void print_attachment(const struct translation *t, size_t i)
{
    const struct xinv_attachment *at = &t->request.at[i];
    const struct schema_vendor *prose = reason_prose(&t->request.iommu);
    const uint32_t values[] = {at->rid, at->pasid, at->asid, at->did, at->vmid};
    struct text text = {0};

    text_add(&text, "%s:", at->stage < XINV_NSTAGES ? schema_stage_names[at->stage] : "?");
    for (unsigned tag = XINV_TAG_RID; tag <= XINV_TAG_VMID; tag++)
        if (at->known >> tag & 1)
            text_add(&text, " %s 0x%" PRIx32 ",",
                     prose->tag_names[tag] ? prose->tag_names[tag] : schema_tag_names[tag],
                     values[tag]);
    text_add(&text, " device TLB %s", at->flags & XINV_ATT_ATS ? "on" : "off");
    if (at->flags & XINV_ATT_PASID_ENABLED)
        text_add(&text, ", PASIDs enabled");
    if (at->flags & XINV_ATT_PASIDS_UNKNOWN)
        text_add(&text, ", live PASIDs not known");
    for (unsigned a = 0; a < at->n_aliases; a++)
        text_add(&text, ", alias 0x%" PRIx32, at->aliases[a]);
    line("attached", &text);
}

static const char *policy_text(const struct xinv_policy *policy)
{
    switch (policy->kind) {
    case XINV_POLICY_EXACT:
        return "exact: least excess, then fewest commands";
    case XINV_POLICY_LATENCY:
        return "latency: fewest syncs, then fewest commands, then least excess";
    default:
        return "at most so many blocks for one tag and cache, then least excess";
    }
}

static void print_request(const struct translation *t)
{
    const struct request *r = &t->request;
    struct text text = {0};

    page_heading("REQUEST");
    if (r->kind) {
        text_add(&text, "%s: %s", r->kind->name, r->kind->text);
        line("kind", &text);
    }
    explanation_request(r, &text);
    line(r->request.flags & XINV_REQ_INVALIDATE ? "asked" : "changed", &text);
    for (size_t i = 0; i < r->n; i++)
        print_attachment(t, i);
    text_add(&text, "%s", policy_text(&r->policy));
    if (r->policy.kind == XINV_POLICY_AT_MOST)
        text_add(&text, " (%u)", r->policy.blocks);
    if (r->policy.max_commands == XINV_WORTH)
        text_add(&text, "; wider where that costs less");
    else if (r->policy.max_commands)
        text_add(&text, "; wider beyond %u commands", r->policy.max_commands);
    line("policy", &text);
}

/* ---- Needs -------------------------------------------------------------------------------------
 */

static void print_changes(const struct translation *t, unsigned stage)
{
    const struct xinv_vendor *v = t->request.iommu.vendor;
    const struct schema_vendor *prose = reason_prose(&t->request.iommu);

    for (unsigned i = 0; i < v->n_changes; i++) {
        struct text text = {0};

        if ((t->request.request.flags & XINV_REQ_INVALIDATE) ||
            !xinv_change_applies(&t->request.iommu, &t->request.request, (uint8_t)stage,
                                 &v->changes[i]))
            continue;
        text_add(&text, "%s of %s (%s:%u): %s", schema_change_names[v->changes[i].change],
                 schema_stage_names[stage], prose->file, prose->change_places[i].line,
                 prose->change_sources[i]);
        line("changes row", &text);
    }
}

/* Are all of these entries without PASID? */
static bool is_untagged(const struct xinv_cache_def *cache, const struct xinv_need *need)
{
    struct explanation_axis axis;

    for (unsigned i = 0; explanation_axis(cache, need->classes, i, &axis); i++)
        if (!strcmp(axis.name, "pasid") && axis.values[0])
            return !strcmp(axis.values[0], "untagged") && !axis.values[1];
    return false;
}

static void add_values(const struct translation *t, const struct xinv_explained *e,
                       const struct xinv_need *need, struct text *text)
{
    const struct xinv_request *q = &t->request.request;
    const struct schema_vendor *prose = reason_prose(&t->request.iommu);
    uint8_t tags = prose->table.caches[need->cache].tags;

    for (unsigned tag = 0; tag < XINV_NTAGS; tag++) {
        const char *name = prose->tag_names[tag] ? prose->tag_names[tag] : schema_tag_names[tag];
        bool address = tag == XINV_TAG_ADDRESS || tag == XINV_TAG_IPA;

        if (!(tags >> tag & 1))
            continue;
        text_add(text, "%s", text->n ? ", " : "");
        if (tag == XINV_TAG_PASID && is_untagged(&prose->table.caches[need->cache], need))
            text_add(text, "no %s", name);
        else if (need->known >> tag & 1 && address)
            text_add(text, "%s 0x%" PRIx64 "..0x%" PRIx64, name, q->first, q->last);
        else if (need->known >> tag & 1)
            text_add(text, "%s 0x%" PRIx64, name, explanation_tag(t, e, need, tag));
        else
            text_add(text, "any %s%s", need->listed >> tag & 1 ? "live " : "", name);
    }
    if (!tags)
        text_add(text, "everything in it");
}

static void add_classes(const struct xinv_iommu *iommu, const struct xinv_need *need,
                        struct text *text)
{
    struct explanation_axis axis;

    for (unsigned i = 0;
         explanation_axis(&iommu->vendor->caches[need->cache], need->classes, i, &axis); i++) {
        if (!axis.values[0])
            continue;
        text_add(text, "%s%s: ", text->n ? "; " : "", axis.name);
        for (unsigned k = 0; axis.values[k]; k++)
            text_add(text, "%s%s", k ? ", " : "", axis.values[k]);
    }
}

static void print_needs(const struct translation *t, const struct xinv_explained *e)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    const struct schema_vendor *prose = reason_prose(iommu);
    struct text text = {0};

    page_heading("NEEDS: no such entry may survive");
    print_changes(t, t->request.at[e->at].stage);
    if (!e->shape.n) {
        text_add(&text, "none: no cache holds anything of this");
        line("need", &text);
    }
    for (unsigned k = 0; k < e->shape.n; k++) {
        const struct xinv_need *need = &e->shape.need[k];
        char key[16];

        snprintf(key, sizeof(key), "need %u", k + 1);
        text_add(&text, "%-14s ", schema_cache_names[need->cache]);
        {
            struct text values = {0};

            add_values(t, e, need, &values);
            text_add(&text, "%s", text_of(&values));
            text_free(&values);
        }
        line(key, &text);
        add_classes(iommu, need, &text);
        if (text.n)
            line("  classes", &text);
        text_add(&text, "%s", prose->cache_sources[need->cache]);
        line("  source", &text);
    }
}

/* ---- Candidates --------------------------------------------------------------------------------
 */

static void add_verdict(const struct translation *t, const struct explanation_row *row,
                        struct text *text)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    struct reason reason = {0};

    if (row->obstacle != XINV_ROW_COVERS) {
        reason_obstacle(iommu, row->row, row->obstacle, row->unknown, &reason);
        text_add(text, "no: %s", text_of(&reason.text));
        reason_free(&reason);
        return;
    }
    if (!row->commands) {
        text_add(text, xinv_request_ranged(&t->request.request)
                           ? "no: cannot say this range within the limits"
                           : "no: takes an address, and there is none");
        return;
    }
    text_add(text, "%" PRIu32 " command%s", row->commands, cli_s(row->commands));
    if (row->partly)
        text_add(text, "; covers a part of them");
    if (xinv_choice_zero(row->candidate->choice) & XINV_TAG_BIT(XINV_TAG_DID))
        text_add(text, "; with DID 0");
    if (xinv_choice_flags(row->candidate->choice) & XINV_NEED_NEW_DID)
        text_add(text, "; with the new DID");
    if (row->loses) {
        text_add(text, "; gives up ");
        text_tags(text, row->loses, "");
    }
    if (row->must_beyond) {
        text_add(text, "; also removes other ");
        text_caches(text, row->must_beyond, "");
    }
    if (row->may_beyond) {
        text_add(text, "; may remove other ");
        text_caches(text, row->may_beyond, "");
    }
}

static unsigned row_width(const struct xinv_vendor *v)
{
    size_t width = 0;

    for (unsigned row = 0; row < v->n_commands; row++) {
        char name[64];
        size_t n = strlen(reason_row(v, row, name, sizeof(name)));

        width = n > width ? n : width;
    }
    return (unsigned)width;
}

static void print_candidates(const struct translation *t, const struct xinv_explained *e)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    unsigned width = row_width(iommu->vendor) + 2;

    if (!e->shape.n)
        return;
    page_heading("ROWS: what could remove them, by which tags; * is chosen");
    for (unsigned k = 0; k < e->shape.n; k++) {
        struct explanation_row row;
        unsigned next = 0;

        printf("  need %u: %s\n", k + 1, schema_cache_names[e->shape.need[k].cache]);
        while (explanation_row(iommu, e, k, &next, &row)) {
            struct text text = {0};
            struct text tags = {0};
            char name[64];
            char key[80];

            snprintf(key, sizeof(key), "%c %s", row.chosen ? '*' : ' ',
                     reason_row(iommu->vendor, row.row, name, sizeof(name)));
            text_tags(&tags, row.matches, "no tag, all of it");
            text_add(&text, "by %s: ", text_of(&tags));
            add_verdict(t, &row, &text);
            page_line(4, width + 2, key, text_of(&text));
            text_free(&tags);
            text_free(&text);
        }
    }
}

/* ---- The plan ----------------------------------------------------------------------------------
 */

static void print_command(const struct xinv_iommu *iommu, const uint64_t *words)
{
    struct xinv_decoded d;
    struct text text = {0};
    int ret = xinv_decode(iommu, words, &d);
    unsigned width = 0;

    for (unsigned i = 0; i < iommu->vendor->n_commands; i++)
        if (strlen(iommu->vendor->commands[i].name) > width)
            width = (unsigned)strlen(iommu->vendor->commands[i].name);
    for (unsigned w = 0; w < iommu->words; w++)
        text_add(&text, "%s0x%016" PRIx64, w ? " " : "", words[w]);
    page_line(2, width + 1, ret == -XINV_E_NOENT ? "?" : d.name, text_of(&text));
    text_free(&text);
    for (unsigned i = 0; ret != -XINV_E_NOENT && i < d.n_fields; i++)
        text_add(&text, "%s%s=0x%" PRIx64, i ? " " : "", d.fields[i].name, d.fields[i].value);
    if (text.n)
        page_line(2, width + 1, "", text_of(&text));
    text_free(&text);
}

static void print_steps(const struct translation *t)
{
    const struct xinv_iommu *iommu = &t->request.iommu;

    for (uint32_t i = 0; i < t->out.n_steps; i++) {
        const struct xinv_step *step = &t->out.steps[i];
        uint64_t words[XINV_COMMAND_WORDS];

        if (step->kind == XINV_STEP_REGISTER)
            printf("  %s: write 0x%08" PRIx32 " at +0x%x with the enables that are on, poll +0x%x "
                   "until it is clear\n",
                   iommu->vendor->commands[step->row].name, step->bits, step->reg, step->poll_reg);
        else if (step->kind == XINV_STEP_WAIT)
            printf("  (wait for completion)\n");
        for (uint32_t at = step->first;
             step->kind == XINV_STEP_QUEUE && at < step->first + step->count; at += iommu->words) {
            command_text_load(iommu, &t->out, at, words);
            print_command(iommu, words);
        }
    }
}

static void print_plan(const struct translation *t)
{
    struct text text = {0};

    page_heading("PLAN");
    if (t->ret < 0)
        return;
    if (!t->out.n_steps) {
        text_add(&text, "no command is needed");
        line("commands", &text);
    }
    print_steps(t);
}

/* ---- What it costs -----------------------------------------------------------------------------
 */

static void print_lost(const struct translation *t, const struct xinv_explained *e)
{
    const struct xinv_iommu *iommu = &t->request.iommu;

    for (unsigned k = 0; e->covered && k < e->shape.n; k++) {
        uint8_t lost = xinv_explained_lost(iommu, e, k);

        for (unsigned tag = 0; tag < XINV_NTAGS; tag++) {
            struct reason reason = {0};
            struct text text = {0};
            char key[40];

            if (!(lost >> tag & 1))
                continue;
            reason_lost(iommu, &t->request.request, t->request.at[e->at].stage, e, k,
                        (uint8_t)(1u << tag), &reason);
            text_add(&text, "of need %u (%s): %s [%s]", k + 1,
                     schema_cache_names[e->shape.need[k].cache], text_of(&reason.text),
                     text_of(&reason.source));
            snprintf(key, sizeof(key), "  %s", reason_tag(tag));
            line(key, &text);
            reason_free(&reason);
        }
    }
}

static void print_result(const struct translation *t)
{
    const struct xinv_report *r = &t->report;
    struct reason reason = {0};
    struct text text = {0};

    page_heading("RESULT: %s", explanation_status(t));
    if (t->ret < 0) {
        reason_find(t, &reason);
        page_line(2, KEY, "reason", text_of(&reason.text));
        page_line(2, KEY, "source", text_of(&reason.source));
        reason_free(&reason);
        return;
    }
    translation_commands(t, &text);
    line("commands", &text);
    text_tags(&text, r->widened, "none");
    line("widened", &text);
    for (unsigned i = 0; i < t->explanation->n; i++)
        print_lost(t, &t->explanation->shape[i]);
    translation_extra(r, &text);
    line("extra pages", &text);
    translation_beyond(r, &text);
    line("also lost", &text);
}

static void print_sources(const struct translation *t)
{
    const struct xinv_vendor *v = t->request.iommu.vendor;
    const struct schema_vendor *prose = reason_prose(&t->request.iommu);

    if (t->ret < 0 || !t->report.rows)
        return;
    page_heading("SOURCES of the rows in %s", prose->file);
    for (unsigned row = 0; row < v->n_commands; row++) {
        char name[64];

        if (t->report.rows >> row & 1)
            page_line(2, row_width(v) + 2, reason_row(v, row, name, sizeof(name)),
                      prose->command_sources[row]);
    }
}

void explanation_print(const struct translation *t)
{
    const struct xinv_explanation *all = t->explanation;

    print_platform(t);
    print_request(t);
    for (unsigned i = 0; i < all->n; i++) {
        if (all->n > 1)
            page_heading("SHAPE %u of %u%s: attachments like [%zu]", i + 1, all->n,
                         all->more ? " or more" : "", all->shape[i].at);
        print_needs(t, &all->shape[i]);
        print_candidates(t, &all->shape[i]);
    }
    if (t->ret >= 0)
        print_plan(t);
    print_result(t);
    print_sources(t);
}
