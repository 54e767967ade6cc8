// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/explain.h"

#include "core/bits.h"
#include "core/translate.h"

/* A list of one request that keeps what it is told of the plans. */
struct explained {
    struct xinv_single single;
    struct xinv_explanation *explanation;
};

static void keep(struct xinv_parts *parts, size_t at, uint32_t key, const struct xinv_shape *shape,
                 const struct xinv_candidates *found, const struct xinv_cover *chosen,
                 const uint32_t *blocks)
{
    struct xinv_explanation *all = ((struct explained *)parts)->explanation;
    struct xinv_explained *own;

    (void)blocks;
    for (unsigned i = 0; i < all->n; i++)
        if (all->shape[i].key == key)
            return;
    if (all->n == XINV_MAX_EXPLAINED) {
        all->more = true;
        return;
    }
    own = &all->shape[all->n++];
    own->at = at;
    own->key = key;
    own->covered = chosen != NULL;
    own->shape = *shape;
    own->found = *found;
    own->found.c = own->rung;
    for (unsigned i = 0; i < found->n; i++)
        own->rung[i] = found->c[i];
    own->chosen = chosen ? *chosen : (struct xinv_cover){0};
}

int xinv_explain(const struct xinv_iommu *iommu, const struct xinv_attachment *attachments,
                 size_t n, const struct xinv_request *request, const struct xinv_policy *policy,
                 const struct xinv_completion *completion, struct xinv_out *out,
                 struct xinv_report *report, struct xinv_explanation *explanation)
{
    struct explained kept;

    if (!iommu || !attachments || !n || !request || !out || !explanation)
        return -XINV_E_INVAL;
    explanation->n = 0;
    explanation->more = false;
    xinv_single_init(&kept.single, attachments, n, request);
    kept.single.parts.planned = keep;
    kept.explanation = explanation;
    return xinv_translate_parts(iommu, &kept.single.parts, policy, completion, out, report);
}

uint32_t xinv_explained_part(const struct xinv_explained *explained, unsigned need)
{
    const uint8_t *end = explained->found.end;

    return (uint32_t)(xinv_low_bits(end[need]) & ~xinv_low_bits(need ? end[need - 1] : 0));
}

uint8_t xinv_explained_lost(const struct xinv_iommu *iommu, const struct xinv_explained *explained,
                            unsigned need)
{
    const struct xinv_need *n = &explained->shape.need[need];
    uint32_t part = xinv_explained_part(explained, need);
    uint8_t matched = 0xff;

    for (unsigned i = 0; i < explained->chosen.n; i++) {
        const struct xinv_rung *c = &explained->found.c[explained->chosen.chosen[i]];

        if (c->covers & part)
            matched &= xinv_row_matches(iommu, xinv_choice_row(c->choice), n);
    }
    return n->report & (uint8_t)~matched;
}

enum xinv_obstacle xinv_row_obstacle(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                                     const struct xinv_need *need, unsigned row, uint8_t *tags)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *cmd = &v->commands[row];
    bool related = false;
    bool said = false;

    *tags = 0;
    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];
        uint8_t missing = r->match & (uint8_t) ~(need->known | need->listed);

        if (!r->must || r->cache != need->cache ||
            !(xinv_classes_expand(r->classes & need->classes)))
            continue;
        related = true;
        if (!missing)
            said = true;
        else if (!*tags)
            *tags = missing;
    }
    if (!related)
        return XINV_ROW_UNRELATED;
    if (!(iommu->commands >> row & 1))
        return XINV_ROW_MISSING;
    if (!said)
        return XINV_ROW_UNKNOWN_TAG;
    *tags = 0;
    return shape->beyond || xinv_row_confined(v, cmd) ? XINV_ROW_COVERS : XINV_ROW_BEYOND;
}
