// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/iommu.h"

#include "core/cover.h"
#include "core/layout.h"
#include "core/tags.h"

bool xinv_conds_hold(const struct xinv_vendor *vendor, const uint16_t *feature,
                     struct xinv_span span)
{
    for (unsigned i = 0; i < span.count; i++)
        if (!xinv_cond_holds(&vendor->conds[span.first + i], feature))
            return false;
    return true;
}

uint8_t xinv_attach_change(const struct xinv_iommu *iommu)
{
    const struct xinv_vendor *v = iommu->vendor;

    for (unsigned i = 0; i < v->n_attaches; i++)
        if (xinv_conds_hold(v, iommu->feature, v->attaches[i].conds))
            return v->attaches[i].change;
    return XINV_CHANGE_DEVICE_ENTRY;
}

static unsigned linear_value(struct xinv_linear linear, const uint16_t *feature)
{
    unsigned value = linear.base;

    if (linear.feature != XINV_NO_FEATURE)
        value += (unsigned)linear.times * feature[linear.feature];
    return value;
}

static uint8_t capped(unsigned value, unsigned most)
{
    return (uint8_t)(value > most ? most : value);
}

static struct xinv_range_spec range_spec(const struct xinv_vendor *v, const uint16_t *feature,
                                         struct xinv_span span)
{
    struct xinv_range_spec spec = {0};

    for (unsigned i = 0; i < span.count; i++) {
        const struct xinv_range_def *def = &v->ranges[span.first + i];

        if (!xinv_conds_hold(v, feature, def->conds))
            continue;
        spec.kind = def->kind;
        spec.leaf_floor = def->leaf_floor;
        spec.below_top = def->below_top;
        spec.max_order = capped(linear_value(def->max_order, feature), 52);
        break;
    }
    return spec;
}

static void read_features(struct xinv_iommu *iommu, const uint64_t *registers)
{
    const struct xinv_vendor *v = iommu->vendor;

    for (unsigned i = 0; i < v->n_features; i++) {
        const struct xinv_feature_def *def = &v->features[i];

        if (def->reg == XINV_SETTING)
            iommu->feature[i] = def->preset;
        else
            iommu->feature[i] =
                (uint16_t)((registers[def->reg] >> def->lsb) & ((UINT64_C(1) << def->width) - 1));
    }
}

static int apply_settings(struct xinv_iommu *iommu, const struct xinv_setting *settings, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (settings[i].feature >= iommu->vendor->n_features)
            return -XINV_E_INVAL;
        iommu->feature[settings[i].feature] = settings[i].value;
    }
    return 0;
}

/*
 * How many commands of a row are worth the address. Giving it up loses as many times more as
 * addresses share the cache, and each comes back by a walk, to a device TLB by a message too.
 */
static uint16_t worth_of(const struct xinv_iommu *iommu, const struct xinv_command_def *cmd)
{
    const struct xinv_costs *costs = &iommu->platform->costs;
    bool device = cmd->phase == XINV_PHASE_DEVICE_TLB;
    uint32_t one = device ? costs->device_tlb : costs->command;
    uint32_t refill = (uint32_t)costs->refill + (device ? costs->device_tlb : 0u);
    unsigned log2 = 0;

    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &iommu->vendor->removals[cmd->removals.first + i];
        uint8_t address = r->match & ADDRESS_TAGS;

        if (r->must && address &&
            iommu->vendor->caches[r->cache].spread[__builtin_ctz(address)] > log2)
            log2 = iommu->vendor->caches[r->cache].spread[__builtin_ctz(address)];
    }
    if (!one || !refill)
        return 0;
    refill <<= log2 > 14 ? 14 : log2; /* more would be worth any number of commands */
    refill /= one;
    return (uint16_t)(refill < 1 ? 1 : refill < XINV_WORTH ? refill : XINV_WORTH - 1u);
}

static void resolve(struct xinv_iommu *iommu)
{
    const struct xinv_vendor *v = iommu->vendor;

    iommu->max_batch = (uint16_t)linear_value(v->max_batch, iommu->feature);
    for (unsigned i = 0; i < XINV_NTAGS; i++)
        iommu->tag_bits[i] = iommu->target & XINV_TAG_BIT(i)
                                 ? 32 /* not a field of the words */
                                 : capped(linear_value(v->tag_bits[i], iommu->feature), 64);
    for (unsigned i = 0; i < XINV_NCACHES; i++)
        if (v->caches[i].present && xinv_conds_hold(v, iommu->feature, v->caches[i].conds))
            iommu->caches |= (uint8_t)(1u << i);
    for (unsigned i = 0; i < XINV_NSTAGES; i++)
        if (v->stages[i].present && xinv_conds_hold(v, iommu->feature, v->stages[i].conds))
            iommu->stages |= XINV_STAGE_BIT(i);
    for (unsigned i = 0; i < XINV_NSTAGES; i++)
        if (xinv_conds_hold(v, iommu->feature, v->stages[i].untagged_conds))
            iommu->untagged |= (uint8_t)(iommu->stages & XINV_STAGE_BIT(i));
    for (unsigned i = 0; i < v->n_commands; i++) {
        const struct xinv_command_def *def = &v->commands[i];

        for (unsigned k = 0; k < def->removals.count; k++) {
            const struct xinv_removal_def *r = &v->removals[def->removals.first + k];

            if (r->must)
                iommu->reach[i] |= (uint8_t)(1u << r->cache);
        }
        iommu->range[i] = range_spec(v, iommu->feature, def->ranges);
        iommu->worth[i] = worth_of(iommu, def);
        if (!xinv_conds_hold(v, iommu->feature, def->conds))
            continue;
        /* a row that takes an address but can say no range here cannot be used */
        if (def->ranges.count != 0 && iommu->range[i].kind == XINV_RANGE_NONE)
            continue;
        iommu->commands |= UINT64_C(1) << i;
        if (xinv_row_confined(v, def))
            iommu->confined |= UINT64_C(1) << i;
    }
}

int xinv_iommu_init(struct xinv_iommu *iommu, const struct xinv_platform *platform,
                    const uint64_t *registers, const struct xinv_setting *settings,
                    unsigned n_settings)
{
    struct xinv_iommu made = {0};
    int ret;

    if (!iommu || !platform || (n_settings && !settings))
        return -XINV_E_INVAL;
    if (platform->absent)
        return -XINV_E_NOFORM;
    made.platform = platform;
    made.vendor = platform->vendor;
    made.target = platform->target;
    made.never_syncs = platform->never_syncs || platform->vendor->final_sync == XINV_SYNC_NEVER;
    if (made.vendor->n_features > XINV_MAX_FEATURES || made.vendor->n_commands > XINV_MAX_COMMANDS)
        return -XINV_E_TABLE;
    read_features(&made, registers ? registers : platform->registers);
    ret = apply_settings(&made, platform->settings, platform->n_settings);
    if (!ret)
        ret = apply_settings(&made, settings, n_settings);
    if (ret)
        return ret;
    resolve(&made);
    if (made.vendor->backend->check) {
        ret = made.vendor->backend->check(&made);
        if (ret)
            return ret;
    }
    made.words = made.vendor->backend->words(&made);
    made.layouts = xinv_layouts_held(&made);
    *iommu = made;
    return 0;
}

int xinv_feature_find(const struct xinv_vendor *vendor, const char *name)
{
    for (unsigned i = 0; i < vendor->n_features; i++) {
        const char *a = vendor->features[i].name;
        const char *b = name;

        while (*a && *a == *b) {
            a++;
            b++;
        }
        if (*a == *b)
            return (int)i;
    }
    return -XINV_E_NOENT;
}

uint8_t xinv_endpoint_quirks(const struct xinv_iommu *iommu, uint16_t pci_vendor,
                             uint16_t pci_device)
{
    const struct xinv_vendor *v = iommu->vendor;
    uint8_t quirks = 0;

    for (unsigned i = 0; i < v->n_repeats; i++) {
        const struct xinv_repeat_def *def = &v->repeats[i];

        if (def->quirk && def->pci_vendor == pci_vendor &&
            (pci_device & def->pci_mask) == def->pci_device &&
            xinv_conds_hold(v, iommu->feature, def->conds))
            quirks |= def->quirk;
    }
    return quirks;
}
