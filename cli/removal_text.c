// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/removal_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/backend.h"
#include "schema/load.h"

/* Text in a buffer that is large enough for what any set says. */
struct line {
    char *text;
    size_t size;
    size_t n;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line->text + line->n, line->size - line->n, format, args);
    va_end(args);
    if (n > 0)
        line->n += (size_t)n < line->size - line->n ? (size_t)n : line->size - line->n - 1;
}

/* ---- Tags ---- */

struct value {
    uint32_t value;
    uint32_t ignored;
};

static struct value value_of(const struct xinv_removal_set *set, unsigned tag)
{
    switch (tag) {
    case XINV_TAG_RID:
        return (struct value){set->rid, set->rid_ignored};
    case XINV_TAG_PASID:
        return (struct value){set->pasid, 0};
    case XINV_TAG_ASID:
        return (struct value){set->asid, 0};
    case XINV_TAG_DID:
        return (struct value){set->did, 0};
    case XINV_TAG_VMID:
        return (struct value){set->vmid, 0};
    default: /* XINV_TAG_INDEX */
        return (struct value){set->index, set->index_ignored};
    }
}

static bool is_range(unsigned tag)
{
    return tag == XINV_TAG_ADDRESS || tag == XINV_TAG_IPA;
}

/* ---- Classes ---- */

static const struct {
    const char *name;
    xinv_axes bit[4];
    const char *value[4];
} axes[] = {
    {"level", {XINV_LEVEL_LEAF, XINV_LEVEL_WALK}, {"leaf", "walk"}},
    {"global", {XINV_GLOBAL_NO, XINV_GLOBAL_YES}, {"no", "yes"}},
    {"pasid", {XINV_PASID_UNTAGGED, XINV_PASID_TAGGED}, {"untagged", "tagged"}},
    {"presence", {XINV_PRESENT, XINV_NOT_PRESENT}, {"present", "not_present"}},
    {"regime",
     {XINV_REGIME_EL1, XINV_REGIME_EL2, XINV_REGIME_SECURE, XINV_REGIME_REALM},
     {"el1", "el2", "secure", "realm"}},
};

/* The values of an axis that a removal reaches; 0 where it reaches all that the cache has. */
static xinv_axes reached(const struct xinv_iommu *iommu, const struct xinv_removal *r,
                         unsigned axis)
{
    xinv_axes all = 0;

    for (unsigned i = 0; i < 4; i++)
        all |= axes[axis].bit[i];
    all &= iommu->vendor->caches[r->cache].axes;
    return (r->classes & all) == all ? 0 : r->classes & all;
}

#define N_AXES (sizeof(axes) / sizeof(axes[0]))

/* ---- Both forms ---- */

const char *removal_row(const struct xinv_iommu *iommu, unsigned row, char *text, size_t size)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *def = &v->commands[row];

    snprintf(text, size, "%s%s", v->backend->op_names[def->op], def->leaf ? " leaf" : "");
    return text;
}

static void add_tag(struct line *line, const struct xinv_removal_set *set, unsigned tag)
{
    struct value v = value_of(set, tag);

    if (is_range(tag)) {
        add(line, " %s=0x%" PRIx64 "..0x%" PRIx64, schema_tag_names[tag], set->first, set->last);
        return;
    }
    add(line, " %s=0x%" PRIx32, schema_tag_names[tag], v.value);
    if (v.ignored)
        add(line, " (bits 0x%" PRIx32 " do not count)", v.ignored);
}

const char *removal_text(const struct xinv_iommu *iommu, const struct xinv_removal_set *set,
                         unsigned index, char *text, size_t size)
{
    const struct xinv_removal *r = &set->removal[index];
    struct line line = {text, size, 0};

    add(&line, "%s", schema_cache_names[r->cache]);
    for (unsigned tag = 0; tag < XINV_NTAGS; tag++)
        if (r->match & XINV_TAG_BIT(tag))
            add_tag(&line, set, tag);
    for (unsigned a = 0; a < N_AXES; a++) {
        xinv_axes some = reached(iommu, r, a);

        if (some)
            add(&line, "; %s", axes[a].name);
        for (unsigned i = 0; i < 4; i++)
            if (some & axes[a].bit[i])
                add(&line, " %s", axes[a].value[i]);
    }
    if (set->log2_granule)
        add(&line, "; granule %u", set->log2_granule);
    if (set->log2_leaf)
        add(&line, "; leaf size %u", set->log2_leaf);
    return text;
}

static void add_json_removal(struct line *line, const struct xinv_iommu *iommu,
                             const struct xinv_removal_set *set, const struct xinv_removal *r)
{
    const char *comma = "";

    add(line, "{\"cache\":\"%s\",\"must\":%s,\"match\":{", schema_cache_names[r->cache],
        r->must ? "true" : "false");
    for (unsigned tag = 0; tag < XINV_NTAGS; tag++) {
        struct value v = value_of(set, tag);

        if (!(r->match & XINV_TAG_BIT(tag)))
            continue;
        if (is_range(tag))
            add(line, "%s\"%s\":{\"first\":\"0x%" PRIx64 "\",\"last\":\"0x%" PRIx64 "\"}", comma,
                schema_tag_names[tag], set->first, set->last);
        else
            add(line, "%s\"%s\":\"0x%" PRIx32 "\"", comma, schema_tag_names[tag], v.value);
        comma = ",";
        if (!is_range(tag) && v.ignored)
            add(line, ",\"%s_ignored\":\"0x%" PRIx32 "\"", schema_tag_names[tag], v.ignored);
    }
    add(line, "},\"classes\":{");
    comma = "";
    for (unsigned a = 0; a < N_AXES; a++) {
        xinv_axes some = reached(iommu, r, a);
        const char *between = "";

        if (!some)
            continue;
        add(line, "%s\"%s\":[", comma, axes[a].name);
        comma = ",";
        for (unsigned i = 0; i < 4; i++)
            if (some & axes[a].bit[i]) {
                add(line, "%s\"%s\"", between, axes[a].value[i]);
                between = ",";
            }
        add(line, "]");
    }
    add(line, "}}");
}

size_t removal_json(const struct xinv_iommu *iommu, const struct xinv_removal_set *set, char *text,
                    size_t size)
{
    struct line line = {text, size, 0};
    char row[64];

    if (set->row != XINV_NO_ROW)
        add(&line, "\"row\":\"%s\",", removal_row(iommu, set->row, row, sizeof(row)));
    if (set->log2_granule)
        add(&line, "\"granule\":%u,", set->log2_granule);
    if (set->log2_leaf)
        add(&line, "\"leaf_size\":%u,", set->log2_leaf);
    add(&line, "\"removes\":[");
    for (unsigned i = 0; i < set->n; i++) {
        add(&line, "%s", i ? "," : "");
        add_json_removal(&line, iommu, set, &set->removal[i]);
    }
    add(&line, "]");
    return line.n;
}
