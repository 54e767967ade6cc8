// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/layout.h"

/* The row that this IOMMU has for a form, or -1. */
static int row_of(const struct xinv_iommu *iommu, const struct xinv_form *form)
{
    const struct xinv_vendor *v = iommu->vendor;

    for (unsigned i = 0; i < v->n_commands; i++)
        if ((iommu->commands >> i & 1) && v->commands[i].op == form->op &&
            v->commands[i].leaf == form->leaf && v->commands[i].phase != XINV_PHASE_REGISTER)
            return (int)i;
    return -1;
}

static int add(struct xinv_removal_set *set, uint8_t cache, uint8_t match, uint8_t must,
               xinv_axes classes)
{
    if (set->n == XINV_MAX_REMOVALS)
        return -XINV_E_TABLE;
    set->removal[set->n++] = (struct xinv_removal){cache, match, must, classes};
    return 0;
}

/* A removal of the row as this command has it. */
static int add_removal(const struct xinv_iommu *iommu, const struct xinv_removal_def *def,
                       const struct xinv_form *form, struct xinv_removal_set *set)
{
    const struct xinv_cache_def *cache = &iommu->vendor->caches[def->cache];
    uint8_t match = def->match | (form->narrow & cache->tags);
    xinv_axes classes = def->classes & cache->axes;
    int ret;

    if (!(iommu->caches >> def->cache & 1))
        return 0;
    ret = add(set, def->cache, match, def->must, classes);
    if (!ret && (match & form->loose))
        ret = add(set, def->cache, match & (uint8_t)~form->loose, 0, classes);
    return ret;
}

/* Of words that are valid. */
static int removes(const struct xinv_iommu *iommu, const uint64_t *words,
                   struct xinv_removal_set *set)
{
    const struct xinv_vendor *v = iommu->vendor;
    struct xinv_removal_set made = {.row = XINV_NO_ROW};
    struct xinv_form form = {.op = XINV_FORM_NOTHING};
    const struct xinv_command_def *def;
    int row;

    v->backend->read(iommu, words, &form, &made);
    if (form.op == XINV_FORM_NOTHING) {
        *set = made;
        return 0;
    }
    row = row_of(iommu, &form);
    if (row < 0)
        return -XINV_E_UNSUPP;
    made.row = (uint8_t)row;
    def = &v->commands[row];
    for (unsigned i = 0; i < def->removals.count; i++) {
        int ret = add_removal(iommu, &v->removals[def->removals.first + i], &form, &made);

        if (ret)
            return ret;
    }
    *set = made;
    return made.n;
}

int xinv_removes(const struct xinv_iommu *iommu, const uint64_t *words,
                 struct xinv_removal_set *set)
{
    struct xinv_decoded decoded;
    int ret = xinv_decode(iommu, words, &decoded);

    return ret ? ret : removes(iommu, words, set);
}

int xinv_removes_register(const struct xinv_iommu *iommu, const char *name, uint64_t value,
                          const uint64_t *addresses, struct xinv_removal_set *set)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;
    const struct xinv_layout *layout =
        xinv_layout_named(codec->registers, codec->n_registers, name);
    uint64_t words[XINV_COMMAND_WORDS] = {0};
    struct xinv_decoded decoded;
    int ret = xinv_decode_register(iommu, name, value, &decoded);

    if (!ret && layout->queued)
        ret = layout->queued(iommu, value, addresses, words);
    if (ret > 0)
        return removes(iommu, words, set);
    if (!ret)
        *set = (struct xinv_removal_set){.row = XINV_NO_ROW};
    return ret;
}
