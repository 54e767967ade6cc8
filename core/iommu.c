// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/iommu.h"

#include "core/cover.h"
#include "core/layout.h"
#include "core/tags.h"

bool xinv_conds_hold(const struct xinv_iommu *iommu, struct xinv_span span)
{
    const struct xinv_cond *cond = &iommu->vendor->conds[span.first];

    for (; span.count--; cond++)
        if (!xinv_cond_holds(cond, iommu->feature))
            return false;
    return true;
}

uint8_t xinv_attach_change(const struct xinv_iommu *iommu)
{
    const struct xinv_vendor *v = iommu->vendor;

    for (unsigned i = 0; i < v->n_attaches; i++)
        if (xinv_conds_hold(iommu, v->attaches[i].conds))
            return v->attaches[i].change;
    return XINV_CHANGE_DEVICE_ENTRY;
}

/* The value of base + times x feature, but for what is above `most`. */
static uint16_t linear_value(const struct xinv_iommu *iommu, const struct xinv_linear *linear,
                             uint32_t most)
{
    uint32_t value = linear->base;

    if (linear->feature != XINV_NO_FEATURE)
        value += (uint32_t)linear->times * iommu->feature[linear->feature];
    return (uint16_t)(value < most ? value : most);
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

static bool apply_settings(struct xinv_iommu *iommu, const struct xinv_setting *settings,
                           unsigned n)
{
    for (; n--; settings++) {
        if (settings->feature >= iommu->vendor->n_features)
            return false;
        iommu->feature[settings->feature] = settings->value;
    }
    return true;
}

/* What a row can say of a range: as the first of its ranges has it that applies. */
static void resolve_range(struct xinv_iommu *iommu, unsigned row)
{
    struct xinv_span span = iommu->vendor->commands[row].ranges;
    const struct xinv_range_def *def = &iommu->vendor->ranges[span.first];
    struct xinv_range_spec *spec = &iommu->range[row];

    for (; span.count--; def++)
        if (xinv_conds_hold(iommu, def->conds)) {
            spec->kind = def->kind;
            spec->leaf_floor = def->leaf_floor;
            spec->below_top = def->below_top;
            spec->max_order = (uint8_t)linear_value(iommu, &def->max_order, 52);
            return;
        }
}

/*
 * How many commands of a row are worth the address. Giving it up loses as many times more as
 * addresses share the cache, and each comes back by a walk, to a device TLB by a message too.
 */
static uint16_t worth_of(const struct xinv_iommu *iommu, const struct xinv_command_def *cmd,
                         unsigned log2)
{
    const struct xinv_costs *costs = &iommu->platform->costs;
    bool device = cmd->phase == XINV_PHASE_DEVICE_TLB;
    uint32_t one = device ? costs->device_tlb : costs->command;
    uint32_t refill = (uint32_t)costs->refill + (device ? costs->device_tlb : 0u);

    if (!one || !refill)
        return 0;
    refill <<= log2 > 14 ? 14 : log2; /* more would be worth any number of commands */
    refill /= one;
    return (uint16_t)(refill < 1 ? 1 : refill < XINV_WORTH ? refill : XINV_WORTH - 1u);
}

static void resolve_row(struct xinv_iommu *iommu, unsigned row)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *def = &v->commands[row];
    const struct xinv_removal_def *r = &v->removals[def->removals.first];
    unsigned log2 = 0; /* of the addresses that share a cache, at most */

    for (unsigned n = def->removals.count; n--; r++) {
        uint8_t address = r->match & ADDRESS_TAGS;

        if (!r->must)
            continue;
        iommu->reach[row] |= (uint8_t)(1u << r->cache);
        if (address && v->caches[r->cache].spread[__builtin_ctz(address)] > log2)
            log2 = v->caches[r->cache].spread[__builtin_ctz(address)];
    }
    resolve_range(iommu, row);
    iommu->worth[row] = worth_of(iommu, def, log2);
    /* a row that takes an address but can say no range here cannot be used */
    if (!xinv_conds_hold(iommu, def->conds) ||
        (def->ranges.count && iommu->range[row].kind == XINV_RANGE_NONE))
        return;
    iommu->commands |= UINT64_C(1) << row;
    if (xinv_row_confined(v, def))
        iommu->confined |= UINT64_C(1) << row;
}

static void resolve(struct xinv_iommu *iommu)
{
    const struct xinv_vendor *v = iommu->vendor;

    iommu->max_batch = linear_value(iommu, &v->max_batch, UINT16_MAX);
    for (unsigned i = 0; i < XINV_NTAGS; i++)
        iommu->tag_bits[i] = iommu->target >> i & 1
                                 ? 32 /* not a field of the words */
                                 : (uint8_t)linear_value(iommu, &v->tag_bits[i], 64);
    for (unsigned i = 0; i < XINV_NCACHES; i++)
        if (v->caches[i].present && xinv_conds_hold(iommu, v->caches[i].conds))
            iommu->caches |= (uint8_t)(1u << i);
    for (unsigned i = 0; i < XINV_NSTAGES; i++) {
        const struct xinv_stage_def *stage = &v->stages[i];

        if (!stage->present || !xinv_conds_hold(iommu, stage->conds))
            continue;
        iommu->stages |= XINV_STAGE_BIT(i);
        if (xinv_conds_hold(iommu, stage->untagged_conds))
            iommu->untagged |= XINV_STAGE_BIT(i);
    }
    for (unsigned i = 0; i < v->n_commands; i++)
        resolve_row(iommu, i);
}

int xinv_iommu_init(struct xinv_iommu *iommu, const struct xinv_platform *platform,
                    const uint64_t *registers, const struct xinv_setting *settings,
                    unsigned n_settings)
{
    const struct xinv_backend *backend;
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
    if (!apply_settings(&made, platform->settings, platform->n_settings) ||
        !apply_settings(&made, settings, n_settings))
        return -XINV_E_INVAL;
    resolve(&made);
    backend = made.vendor->backend;
    if (backend->check) {
        ret = backend->check(&made);
        if (ret)
            return ret;
    }
    made.words = backend->words(&made);
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
            (pci_device & def->pci_mask) == def->pci_device && xinv_conds_hold(iommu, def->conds))
            quirks |= def->quirk;
    }
    return quirks;
}
