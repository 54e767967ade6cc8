// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/explanation.h"

#include <inttypes.h>
#include <string.h>

#include "core/iommu.h"
#include "core/range.h"
#include "core/shape.h"
#include "schema/load.h"

const char *explanation_status(const struct translation *t)
{
    if (t->ret < 0)
        return "impossible";
    if (!t->report.commands && !translation_registers(t))
        return "nothing";
    return t->report.widened ? "widened" : "exact";
}

/* ---- The request in words ----------------------------------------------------------------------
 */

static void add_subject(const struct xinv_request *q, struct text *text)
{
    static const char *const subjects[XINV_NCHANGES] = {
        [XINV_CHANGE_STAGE1_PTE] = "entries of a stage-1 table",
        [XINV_CHANGE_STAGE2_PTE] = "entries of a stage-2 table",
        [XINV_CHANGE_PASID_ENTRY] = "a PASID entry",
        [XINV_CHANGE_PASID_TABLE] = "the PASID table as a whole",
        [XINV_CHANGE_DEVICE_ENTRY] = "the device entry",
    };

    if (q->change == XINV_CHANGE_TAG_RELEASE)
        text_add(text, "the domain's tag released for reuse");
    else if (q->change == XINV_CHANGE_EVERYTHING)
        text_add(text, "everything of the IOMMU, as at a reset");
    else
        text_add(text, "%s %s", subjects[q->change],
                 q->from == XINV_FROM_NOT_PRESENT ? "made present, where there was none"
                                                  : "removed or changed");
}

static void add_explicit(const struct xinv_request *q, struct text *text)
{
    static const char *const caches[] = {"iotlb",     "device_tlb", "pasid_config", "device_config",
                                         "interrupt", "stage1",     "stage2",       "nested"};
    static const char *const scopes[] = {[XINV_SCOPE_DOMAIN] = "the domain",
                                         [XINV_SCOPE_PASID] = "one PASID",
                                         [XINV_SCOPE_ADDRESS] = "a range",
                                         [XINV_SCOPE_ENDPOINT] = "the endpoint",
                                         [XINV_SCOPE_EVERYTHING] = "the whole IOMMU"};
    const char *between = "";

    text_add(text, "an explicit invalidation of ");
    for (unsigned i = 0; i < 8; i++)
        if (q->caches >> i & 1) {
            text_add(text, "%s%s", between, caches[i]);
            between = ", ";
        }
    text_add(text, " for %s", scopes[q->scope]);
    if (q->flags & XINV_REQ_PASID)
        text_add(text, ", PASID 0x%" PRIx32, q->pasid);
    if (q->flags & XINV_REQ_ASID)
        text_add(text, ", ASID 0x%" PRIx32, q->asid);
}

static void add_size(struct text *text, unsigned log2)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    text_add(text, "%u %s", 1u << log2 % 10, units[log2 / 10]);
}

static void add_range(const struct xinv_request *q, struct text *text)
{
    uint64_t pages;

    if (!xinv_request_ranged(q)) {
        text_add(text, "; every address");
        return;
    }
    pages = xinv_pages(q->first, q->last);
    text_add(text, "; 0x%" PRIx64 "..0x%" PRIx64 ", %" PRIu64 " page%s of 4 KiB", q->first, q->last,
             pages, cli_s(pages));
    if (q->log2_leaf_size > 12) {
        text_add(text, ", leaves of ");
        add_size(text, q->log2_leaf_size);
    }
}

void explanation_request(const struct request *r, struct text *text)
{
    const struct xinv_request *q = &r->request;

    if (q->flags & XINV_REQ_INVALIDATE)
        add_explicit(q, text);
    else
        add_subject(q, text);
    if (q->change == XINV_CHANGE_STAGE1_PTE || q->change == XINV_CHANGE_STAGE2_PTE ||
        xinv_request_ranged(q)) {
        if (!(q->flags & XINV_REQ_INVALIDATE) || xinv_request_ranged(q))
            add_range(q, text);
        if (q->from != XINV_FROM_NOT_PRESENT && !(q->flags & XINV_REQ_INVALIDATE))
            text_add(text, q->flags & XINV_REQ_LEAF_ONLY ? "; no table page changed"
                                                         : "; table pages changed or freed");
    }
    if (q->flags & XINV_REQ_GLOBAL)
        text_add(text, "; global entries may be among them");
    if (q->flags & XINV_REQ_NEW_DID)
        text_add(text, "; the new tag is 0x%" PRIx32, q->new_did);
    if (q->flags & XINV_REQ_ENUMERATED)
        text_add(text, "; these are all live attachments");
    if (q->flags & XINV_REQ_BEYOND)
        text_add(text, "; other users' entries may go");
}

/* ---- Classes -----------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    unsigned first; /* bit of its first value in xinv_axes */
    const char *values[5];
} axes[] = {
    {"level", 0, {"leaf", "walk", NULL}},
    {"global", 2, {"no", "yes", NULL}},
    {"pasid", 4, {"untagged", "tagged", NULL}},
    {"presence", 6, {"present", "not present", NULL}},
    {"regime", 8, {"el1", "el2", "secure", "realm", NULL}},
};
#define N_AXES (sizeof(axes) / sizeof(axes[0]))

bool explanation_axis(const struct xinv_cache_def *cache, xinv_axes classes, unsigned axis,
                      struct explanation_axis *found)
{
    unsigned possible = 0;
    unsigned n = 0;

    if (axis >= N_AXES)
        return false;
    *found = (struct explanation_axis){.name = axes[axis].name};
    for (unsigned i = 0; axes[axis].values[i]; i++)
        possible += cache->axes >> (axes[axis].first + i) & 1;
    for (unsigned i = 0; axes[axis].values[i]; i++)
        if (possible > 1 && (classes >> (axes[axis].first + i) & 1))
            found->values[n++] = axes[axis].values[i];
    found->values[n] = NULL;
    return true;
}

/* ---- Rows --------------------------------------------------------------------------------------
 */

static bool is_chosen(const struct xinv_explained *e, unsigned candidate)
{
    for (unsigned i = 0; i < e->chosen.n; i++)
        if (e->chosen.chosen[i] == candidate)
            return true;
    return false;
}

static void fill_candidate(const struct xinv_iommu *iommu, const struct xinv_explained *e,
                           unsigned k, unsigned candidate, struct explanation_row *found)
{
    const struct xinv_rung *c = &e->found.c[candidate];
    const struct xinv_need *need = &e->shape.need[k];
    uint64_t part = xinv_explained_part(e, k);

    *found = (struct explanation_row){
        .row = xinv_choice_row(c->choice),
        .candidate = c,
        .commands = e->found.commands[candidate],
        .chosen = is_chosen(e, candidate),
        .partly = (c->covers & part) != part,
        .matches = xinv_row_matches(iommu, xinv_choice_row(c->choice), need)};
    found->loses = need->report & (uint8_t)~found->matches;
    found->must_beyond = c->must;
    found->may_beyond = c->may & (uint8_t)~c->must;
}

/* Does a row's other form, with or without the leaf bit, say the same already? */
static bool is_second_form(const struct xinv_iommu *iommu, const struct xinv_explained *e,
                           const struct xinv_need *need, unsigned row, enum xinv_obstacle obstacle)
{
    const struct xinv_command_def *cmd = &iommu->vendor->commands[row];
    uint8_t tags;

    return cmd->leaf && row && cmd[-1].op == cmd->op &&
           xinv_row_obstacle(iommu, &e->shape, need, row - 1, &tags) == obstacle;
}

/* `next` counts the candidates first, then the table's rows. */
bool explanation_row(const struct xinv_iommu *iommu, const struct xinv_explained *e, unsigned k,
                     unsigned *next, struct explanation_row *found)
{
    const struct xinv_need *need = &e->shape.need[k];
    uint64_t part = xinv_explained_part(e, k);

    for (; *next < e->found.n; (*next)++)
        if (e->found.c[*next].covers & part) {
            fill_candidate(iommu, e, k, (*next)++, found);
            return true;
        }
    for (; *next < e->found.n + iommu->vendor->n_commands; (*next)++) {
        unsigned row = *next - e->found.n;

        *found = (struct explanation_row){.row = row};
        found->obstacle = xinv_row_obstacle(iommu, &e->shape, need, row, &found->unknown);
        if (found->obstacle == XINV_ROW_COVERS || found->obstacle == XINV_ROW_UNRELATED ||
            is_second_form(iommu, e, need, row, found->obstacle))
            continue;
        found->matches = xinv_row_matches(iommu, row, need);
        (*next)++;
        return true;
    }
    return false;
}

uint64_t explanation_tag(const struct translation *t, const struct xinv_explained *e,
                         const struct xinv_need *need, unsigned tag)
{
    const struct xinv_attachment *at = &t->request.at[e->at];
    const struct xinv_request *q = &t->request.request;

    if (need->zero >> tag & 1)
        return 0;
    switch (tag) {
    case XINV_TAG_RID:
        return at->rid;
    case XINV_TAG_PASID:
        return (q->flags & XINV_REQ_INVALIDATE) && (q->flags & XINV_REQ_PASID) ? q->pasid
                                                                               : at->pasid;
    case XINV_TAG_ASID:
        return (q->flags & XINV_REQ_INVALIDATE) && (q->flags & XINV_REQ_ASID) ? q->asid : at->asid;
    case XINV_TAG_DID:
        return need->flags & XINV_NEED_NEW_DID ? q->new_did : at->did;
    case XINV_TAG_VMID:
        return at->vmid;
    default:
        return 0;
    }
}

/* ---- Features ----------------------------------------------------------------------------------
 */

static void add_conds(const struct xinv_vendor *v, struct xinv_span span, uint64_t *features)
{
    for (unsigned i = 0; i < span.count; i++)
        *features |= UINT64_C(1) << v->conds[span.first + i].feature;
}

static void add_linear(const struct xinv_linear *linear, uint64_t *features)
{
    if (linear->feature != XINV_NO_FEATURE)
        *features |= UINT64_C(1) << linear->feature;
}

static void add_row(const struct xinv_vendor *v, unsigned row, uint64_t *features)
{
    const struct xinv_command_def *cmd = &v->commands[row];

    add_conds(v, cmd->conds, features);
    for (unsigned i = 0; i < cmd->ranges.count; i++) {
        add_conds(v, v->ranges[cmd->ranges.first + i].conds, features);
        add_linear(&v->ranges[cmd->ranges.first + i].max_order, features);
    }
}

static void add_changes(const struct translation *t, unsigned stage, uint64_t *features)
{
    const struct xinv_vendor *v = t->request.iommu.vendor;

    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *c = &v->changes[i];

        if ((t->request.request.flags & XINV_REQ_INVALIDATE) ||
            c->change != t->request.request.change || !(c->stages & XINV_STAGE_BIT(stage)))
            continue;
        add_conds(v, c->conds, features);
        if (xinv_change_applies(&t->request.iommu, &t->request.request, (uint8_t)stage, c))
            for (unsigned k = 0; k < c->needs.count; k++)
                add_conds(v, v->needs[c->needs.first + k].conds, features);
    }
}

static void add_shape(const struct translation *t, const struct xinv_explained *e,
                      uint64_t *features)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    const struct xinv_vendor *v = iommu->vendor;

    for (unsigned k = 0; k < e->shape.n; k++) {
        struct explanation_row row;
        unsigned next = 0;

        add_conds(v, v->caches[e->shape.need[k].cache].conds, features);
        while (explanation_row(iommu, e, k, &next, &row))
            if (row.chosen || row.obstacle == XINV_ROW_MISSING)
                add_row(v, row.row, features);
    }
}

uint64_t explanation_features(const struct translation *t)
{
    const struct xinv_vendor *v = t->request.iommu.vendor;
    uint64_t features = 0;

    for (size_t i = 0; i < t->request.n; i++) {
        const struct xinv_attachment *at = &t->request.at[i];

        if (at->stage >= XINV_NSTAGES)
            continue;
        add_conds(v, v->stages[at->stage].conds, &features);
        add_changes(t, at->stage, &features);
        for (unsigned tag = 0; tag < XINV_NTAGS; tag++)
            if (at->known >> tag & 1)
                add_linear(&v->tag_bits[tag], &features);
    }
    for (unsigned i = 0; i < t->explanation->n; i++)
        add_shape(t, &t->explanation->shape[i], &features);
    return features;
}
