// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/rows.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "core/cover.h"
#include "core/layout.h"
#include "schema/generated/vendors.h"
#include "schema/load.h"

#define WORDS 256

static const struct xinv_vendor *vendor_of(const char *name)
{
    static const struct xinv_vendor *const vendors[] = {&xinv_vendor_smmuv3, &xinv_vendor_vtd,
                                                        &xinv_vendor_amdvi};

    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
        if (!strcmp(vendors[i]->name, name))
            return vendors[i];
    cr_assert_fail("no vendor %s", name);
    return NULL;
}

/* ---- Words of a text ---- */

static size_t next_word(const char **text, const char **word)
{
    size_t n;

    *text += strspn(*text, " ");
    *word = *text;
    n = strcspn(*text, " ");
    *text += n;
    return n;
}

static unsigned count_words(const char *text)
{
    const char *word;
    unsigned n = 0;

    while (text && next_word(&text, &word))
        n++;
    return n;
}

static bool has_word(const char *text, const char *wanted)
{
    const char *word;
    size_t n;

    while (text && (n = next_word(&text, &word)) != 0)
        if (n == strlen(wanted) && !strncmp(word, wanted, n))
            return true;
    return false;
}

/* ---- The row ---- */

static void cond_text(const struct xinv_vendor *v, const struct xinv_cond *c, char *text,
                      size_t size)
{
    static const char *const ops[] = {
        [XINV_COND_EQ] = "==", [XINV_COND_NE] = "!=", [XINV_COND_GE] = ">=", [XINV_COND_LT] = "<"};
    const char *name = v->features[c->feature].name;

    if (!c->value && c->op == XINV_COND_NE)
        snprintf(text, size, "%s", name);
    else if (!c->value && c->op == XINV_COND_EQ)
        snprintf(text, size, "!%s", name);
    else
        snprintf(text, size, "%s%s%u", name, ops[c->op], c->value);
}

static bool same_conditions(const struct xinv_vendor *v, struct xinv_span conds, const char *when)
{
    if (count_words(when) != conds.count)
        return false;
    for (unsigned i = 0; i < conds.count; i++) {
        char text[64];

        cond_text(v, &v->conds[conds.first + i], text, sizeof(text));
        if (!has_word(when, text))
            return false;
    }
    return true;
}

static bool is_row(const struct xinv_vendor *v, unsigned row, const struct row_line *line)
{
    const struct xinv_command_def *c = &v->commands[row];

    return !strcmp(c->name, line->name) && !strcmp(v->backend->op_names[c->op], line->op) &&
           c->leaf == line->leaf && same_conditions(v, c->conds, line->when);
}

static unsigned row_of(const struct xinv_vendor *v, const struct row_line *line)
{
    unsigned found = v->n_commands;

    for (unsigned row = 0; row < v->n_commands; row++) {
        if (!is_row(v, row, line))
            continue;
        cr_assert_eq(found, v->n_commands, "%s (%s) has two rows", line->name, line->op);
        found = row;
    }
    cr_assert_lt(found, v->n_commands, "no row %s (%s%s) that needs '%s'", line->name, line->op,
                 line->leaf ? ", leaf" : "", line->when ? line->when : "");
    return found;
}

/* The classes of a cache's entries that a line speaks of. */
static xinv_classes classes_of(const struct xinv_cache_def *cache, unsigned classes)
{
    static const unsigned axes[] = {
        XINV_LEVEL_LEAF | XINV_LEVEL_WALK, XINV_GLOBAL_NO | XINV_GLOBAL_YES,
        XINV_PASID_UNTAGGED | XINV_PASID_TAGGED, XINV_PRESENT | XINV_NOT_PRESENT,
        XINV_REGIME_EL1 | XINV_REGIME_EL2 | XINV_REGIME_SECURE | XINV_REGIME_REALM};

    for (size_t i = 0; i < sizeof(axes) / sizeof(axes[0]); i++)
        if (!(classes & axes[i]))
            classes |= axes[i];
    return xinv_classes_expand((xinv_axes)(classes & cache->axes));
}

static bool same_removal(const struct xinv_vendor *v, const struct xinv_removal_def *r,
                         const struct row_removal *stated)
{
    const struct xinv_cache_def *cache = &v->caches[r->cache];

    return r->cache == stated->cache && r->match == stated->match && r->must == !stated->may &&
           classes_of(cache, r->classes) == classes_of(cache, stated->classes);
}

static void check_removals(const struct xinv_vendor *v, unsigned row, const struct row_line *line)
{
    struct xinv_span span = v->commands[row].removals;
    uint32_t used = 0;

    cr_expect_eq(span.count, line->n, "%s (%s): the table has %u removals, not %u", line->name,
                 line->op, span.count, line->n);
    for (unsigned i = 0; i < line->n; i++) {
        unsigned k;

        for (k = 0; k < span.count; k++)
            if (!(used >> k & 1) &&
                same_removal(v, &v->removals[span.first + k], &line->removes[i]))
                break;
        cr_expect_lt(k, span.count, "%s (%s): removal %u (%s by tags 0x%x) is not in the table",
                     line->name, line->op, i, schema_cache_names[line->removes[i].cache],
                     line->removes[i].match);
        used |= UINT32_C(1) << k;
    }
}

static void check_ranges(const struct xinv_vendor *v, unsigned row, const struct row_line *line)
{
    static const char *const kinds[] = {"none", "page", "pow2", "scaled"};
    const struct xinv_command_def *c = &v->commands[row];
    const char *left = line->range;
    const char *word;

    cr_assert_eq(c->ranges.count, count_words(line->range), "%s (%s): %u kinds of ranges",
                 line->name, line->op, c->ranges.count);
    for (unsigned i = 0; i < c->ranges.count; i++) {
        const char *kind = kinds[v->ranges[c->ranges.first + i].kind];
        size_t n = next_word(&left, &word);

        cr_expect(n == strlen(kind) && !strncmp(word, kind, n), "%s (%s): range %u is %s",
                  line->name, line->op, i, kind);
    }
}

/* The tables that ship are generated from the YAML, row by row, so the YAML's prose has the same
 * numbers. */
static void check_source(unsigned row, const struct row_line *line)
{
    const char *dir = getenv("XINV_SOURCE_DIR");
    struct schema_error error;
    struct schema_vendor *v;
    char path[1024];

    snprintf(path, sizeof(path), "%s/schema/%s.yaml", dir ? dir : ".", line->vendor);
    v = schema_vendor_load(path, &error);
    cr_assert_not_null(v, "%s: %s", path, error.text);
    cr_assert_lt(row, v->table.n_commands);
    cr_assert_str_eq(v->table.commands[row].name, line->name);
    cr_assert_str_eq(v->op_names[row], line->op);
    cr_assert_not_null(v->command_sources[row]);
    cr_expect(strstr(v->command_sources[row], line->section), "%s (%s): source '%s' has no '%s'",
              line->name, line->op, v->command_sources[row], line->section);
    schema_vendor_free(v);
}

/* ---- What it is for ---- */

static struct xinv_iommu iommu_of(const struct row_line *line)
{
    size_t n = 0;

    while (n < 3 && line->settings[n].feature)
        n++;
    return test_iommu_with(line->platform, line->settings, n);
}

static uint64_t field_of(const struct xinv_decoded *d, const char *name, size_t n)
{
    for (unsigned i = 0; i < d->n_fields; i++)
        if (strlen(d->fields[i].name) == n && !strncmp(d->fields[i].name, name, n))
            return d->fields[i].value;
    cr_assert_fail("%s has no field %.*s", d->name, (int)n, name);
    return 0;
}

static bool has_fields(const struct xinv_decoded *d, const char *fields)
{
    const char *word;

    while (fields && next_word(&fields, &word)) {
        size_t n = strcspn(word, "=");

        if (field_of(d, word, n) != strtoull(word + n + 1, NULL, 0))
            return false;
    }
    return true;
}

static void check_words(const struct xinv_iommu *iommu, const struct xinv_out *out,
                        const struct row_line *line)
{
    for (uint32_t i = 0; i < out->n_words; i += iommu->words) {
        struct xinv_decoded d;

        cr_assert_eq(xinv_decode(iommu, out->words + i, &d), 0);
        if (!strcmp(d.name, line->name) && has_fields(&d, line->fields))
            return;
    }
    cr_assert_fail("no %s with '%s' comes out", line->name, line->fields ? line->fields : "");
}

static void check_step(const struct xinv_out *out, unsigned row)
{
    cr_assert_eq(out->n_steps, 1);
    cr_assert_eq(out->steps[0].kind, XINV_STEP_REGISTER);
    cr_assert_eq(out->steps[0].row, row);
}

static void check_rows(const struct xinv_vendor *v, uint64_t rows, unsigned row,
                       const struct row_line *line)
{
    unsigned others = 0;

    cr_assert(rows >> row & 1, "%s (%s) is not used; rows 0x%llx are", line->name, line->op,
              (unsigned long long)rows);
    for (unsigned i = 0; i < v->n_commands; i++) {
        const struct xinv_command_def *c = &v->commands[i];

        if (i == row || !(rows >> i & 1))
            continue;
        cr_assert(has_word(line->with, v->backend->op_names[c->op]), "%s (%s): %s as well",
                  line->name, line->op, v->backend->op_names[c->op]);
        others++;
    }
    cr_assert_eq(others, count_words(line->with));
}

static void check_use(const struct xinv_vendor *v, unsigned row, const struct row_line *line)
{
    uint64_t words[WORDS];
    struct xinv_step steps[16];
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = WORDS, .cap_steps = 16};
    struct xinv_report report;
    struct xinv_iommu iommu;
    int ret;

    iommu = iommu_of(line);
    cr_assert_eq(iommu.vendor, v);
    ret = xinv_translate(&iommu, &line->at, 1, &line->request, NULL, NULL, &out, &report);
    cr_assert_geq(ret, 0, "%s (%s): %s", line->name, line->op, xinv_strerror(ret));
    check_rows(v, report.rows, row, line);
    if (v->commands[row].phase == XINV_PHASE_REGISTER)
        check_step(&out, row);
    else
        check_words(&iommu, &out, line);
}

int row_translate(const struct row_line *line, uint64_t *words, uint32_t *n)
{
    struct xinv_step steps[16];
    struct xinv_out out = {
        .words = words, .steps = steps, .cap_words = n ? *n : 0, .cap_steps = 16};
    struct xinv_iommu iommu;
    int ret;

    iommu = iommu_of(line);
    ret = xinv_translate(&iommu, &line->at, 1, &line->request, NULL, NULL, &out, NULL);
    if (n)
        *n = out.n_words;
    return ret;
}

void row_check(const struct row_line *line)
{
    const struct xinv_vendor *v = vendor_of(line->vendor);
    unsigned row = row_of(v, line);

    check_removals(v, row, line);
    check_ranges(v, row, line);
    check_source(row, line);
    check_use(v, row, line);
}

void row_check_all(const char *vendor, const struct row_line *lines, size_t n)
{
    const struct xinv_vendor *v = vendor_of(vendor);

    for (unsigned row = 0; row < v->n_commands; row++) {
        const struct xinv_command_def *c = &v->commands[row];
        unsigned about = 0;

        for (size_t i = 0; i < n; i++)
            about += is_row(v, row, &lines[i]);
        cr_expect_eq(about, 1, "%u lines are about row %u, %s (%s%s)", about, row, c->name,
                     v->backend->op_names[c->op], c->leaf ? ", leaf" : "");
    }
}

void row_check_none(const char *vendor, const char *const *names)
{
    const struct xinv_vendor *v = vendor_of(vendor);
    const struct xinv_codec *codec = v->backend->codec;

    for (; *names; names++) {
        cr_expect_not_null(xinv_layout_named(codec->layouts, codec->n_layouts, *names),
                           "%s has no command %s", vendor, *names);
        for (unsigned row = 0; row < v->n_commands; row++)
            cr_expect_str_neq(v->commands[row].name, *names);
    }
}
