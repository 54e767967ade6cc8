// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A row that could go without anybody's notice would be no fact. Every command row of every vendor
 * is cut out of the YAML; then some request gets another answer, which still covers or says that
 * nothing does, or the checker has warned of the row.
 *
 * The requests: every kind that platforms are compared by, on every platform of the vendor; every
 * worked example; and some that know less of their entries than any of these.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kinds.h"
#include "core/shape.h"
#include "schema/check.h"
#include "schema/yaml.h"
#include "tests/support/hardware.h"
#include "tests/support/vector.h"

#define N(x)       (sizeof(x) / sizeof((x)[0]))
#define MOST_ASKED 1200
#define MOST_WORDS 4096
#define MOST_STEPS 64

/* ---- The requests ---- */

struct asked {
    char name[160];
    struct vector v;
};

static struct asked *asked;
static unsigned n_asked;

static struct asked *another(const char *where, const char *what)
{
    struct asked *a;

    if (!asked)
        asked = calloc(MOST_ASKED, sizeof(*asked));
    cr_assert_not_null(asked);
    cr_assert_lt(n_asked, MOST_ASKED);
    a = &asked[n_asked++];
    snprintf(a->name, sizeof(a->name), "%s, %s", where, what);
    return a;
}

static void ask_kinds(const char *vendor)
{
    const struct xinv_platform *p;
    const struct cli_kind *kind;

    for (unsigned i = 0; (p = hardware_at(i)) != NULL; i++)
        for (unsigned k = 0; !strcmp(p->vendor->name, vendor) && (kind = cli_kind_at(k)); k++) {
            struct vector *v = &another(p->name, kind->name)->v;

            cr_assert_eq(xinv_iommu_init(&v->iommu, p, NULL, NULL, 0), 0);
            cli_kind_request(kind, &v->iommu, &v->at[0], &v->request);
            v->n = 1;
        }
}

static void ask_examples(const char *vendor, const char *file)
{
    const char *dir = getenv("XINV_SOURCE_DIR");
    yaml_document_t doc;
    struct ynode root;
    char path[1024];

    snprintf(path, sizeof(path), "%s/tests/vectors/%s", dir ? dir : ".", file);
    yload(path, &doc);
    root = yroot(&doc);
    for (size_t i = 0; i < ylen(root); i++) {
        struct asked *a = another(file, ystr(yget(yat(root, i), "name")));

        vector_read(&a->v, vendor, yat(root, i));
        for (size_t k = 0; k < a->v.n; k++) /* aliases of the vector itself, wherever it stands */
            a->v.at[k].aliases = a->v.aliases[k];
    }
    yaml_document_delete(&doc);
}

/* A stream of an EL2 host whose ASID is not known. */
static void ask_el2(void)
{
    const struct xinv_platform *p = xinv_platform_find("arm-fvp-base-revc");
    struct vector v = {.n = 1};
    struct xinv_setting on = {0, 1};
    int e2h;

    cr_assert_not_null(p);
    e2h = xinv_feature_find(p->vendor, "E2H");
    cr_assert_geq(e2h, 0);
    on.feature = (uint8_t)e2h;
    cr_assert_eq(xinv_iommu_init(&v.iommu, p, NULL, &on, 1), 0);
    v.at[0] = (struct xinv_attachment){.stage = XINV_STAGE_STAGE1};
    v.request = (struct xinv_request){.change = XINV_CHANGE_STAGE1_PTE,
                                      .flags = XINV_REQ_RANGE | XINV_REQ_BEYOND,
                                      .first = 0x41234000,
                                      .last = 0x41234fff};
    another(p->name, "stage 1 of EL2, ASID not known")->v = v;
    v.request.flags |= XINV_REQ_LEAF_ONLY;
    another(p->name, "stage 1 of EL2, ASID not known, leaf only")->v = v;
}

/* A context entry known by its DID alone. */
static void ask_did(void)
{
    const struct xinv_platform *p = xinv_platform_find("intel-vtd-legacy");
    struct vector *v;

    cr_assert_not_null(p);
    v = &another(p->name, "context entries of a DID")->v;
    cr_assert_eq(xinv_iommu_init(&v->iommu, p, NULL, NULL, 0), 0);
    v->at[0] = (struct xinv_attachment){
        .stage = XINV_STAGE_STAGE2, .known = XINV_TAG_BIT(XINV_TAG_DID), .did = 0x47};
    v->n = 1;
    v->request = (struct xinv_request){
        .caches = XINV_INV_DEVICE_CONFIG, .scope = XINV_SCOPE_DOMAIN, .flags = XINV_REQ_INVALIDATE};
}

/* A guest asks for a range of the device TLB of an endpoint whose PASIDs are the guest's. */
static void ask_open_pasids(void)
{
    const struct xinv_platform *p = xinv_platform_find("intel-vtd-scalable");
    struct vector *v;

    cr_assert_not_null(p);
    v = &another(p->name, "a range of every PASID in a device TLB")->v;
    cr_assert_eq(xinv_iommu_init(&v->iommu, p, NULL, NULL, 0), 0);
    v->at[0] =
        (struct xinv_attachment){.stage = XINV_STAGE_NESTED,
                                 .flags = XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID),
                                 .rid = 0x2b1,
                                 .did = 0x47};
    v->n = 1;
    v->request = (struct xinv_request){.caches = XINV_INV_DEVICE_TLB,
                                       .scope = XINV_SCOPE_ADDRESS,
                                       .flags = XINV_REQ_INVALIDATE | XINV_REQ_RANGE,
                                       .first = 0x41234000,
                                       .last = 0x41234fff};
}

static void ask_all(const char *vendor)
{
    static const char *const parts[] = {"a", "b"};

    ask_kinds(vendor);
    for (size_t i = 0; i < N(parts); i++) {
        char file[64];

        snprintf(file, sizeof(file), "%s-%s.yaml", vendor, parts[i]);
        ask_examples(vendor, file);
    }
    if (!strcmp(vendor, "smmuv3"))
        ask_el2();
    if (!strcmp(vendor, "vtd")) {
        ask_did();
        ask_open_pasids();
    }
}

/* ---- An answer ---- */

struct answer {
    int ret;
    uint32_t n_words;
    uint32_t n_steps;
    uint64_t rows;
    uint64_t words[MOST_WORDS];
};

/* The same IOMMU under another table. */
static void under(const struct xinv_iommu *iommu, const struct xinv_platform *platform,
                  struct xinv_iommu *out)
{
    struct xinv_setting set[XINV_MAX_FEATURES];

    for (unsigned f = 0; f < iommu->vendor->n_features; f++)
        set[f] = (struct xinv_setting){(uint8_t)f, iommu->feature[f]};
    cr_assert_eq(xinv_iommu_init(out, platform, NULL, set, iommu->vendor->n_features), 0);
}

static void answer(const struct vector *v, const struct xinv_iommu *iommu, struct answer *a)
{
    struct xinv_step steps[MOST_STEPS];
    struct xinv_out out = {
        .words = a->words, .steps = steps, .cap_words = MOST_WORDS, .cap_steps = MOST_STEPS};
    struct xinv_report report;

    a->ret =
        xinv_translate(iommu, v->at, v->n, &v->request, &v->policy, &v->completion, &out, &report);
    a->n_words = out.n_words;
    a->n_steps = out.n_steps;
    a->rows = report.rows;
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
    return a->ret == b->ret && a->n_words == b->n_words && a->n_steps == b->n_steps &&
           !memcmp(a->words, b->words, a->n_words * sizeof(a->words[0]));
}

/* ---- Does a set of rows cover a request? ---- */

static bool removed(const struct xinv_iommu *iommu, uint64_t rows, const struct xinv_need *need,
                    xinv_classes one)
{
    const struct xinv_vendor *t = iommu->vendor;

    for (unsigned row = 0; row < t->n_commands; row++) {
        struct xinv_span span = t->commands[row].removals;

        for (unsigned i = span.first; (rows >> row & 1) && i < span.first + (unsigned)span.count;
             i++) {
            const struct xinv_removal_def *r = &t->removals[i];

            if (r->must && r->cache == need->cache && !(r->match & ~(need->known | need->listed)) &&
                (xinv_classes_expand(r->classes) & one))
                return true;
        }
    }
    return false;
}

/* Every class of every need of every attachment, one by one. */
static bool covers(const struct vector *v, const struct xinv_iommu *iommu, uint64_t rows)
{
    for (size_t i = 0; i < v->n; i++) {
        struct xinv_shape shape;

        if (xinv_shape_build(iommu, &v->request, &v->at[i], true, &shape))
            return false;
        for (unsigned k = 0; k < shape.n; k++)
            for (unsigned bit = 0; bit < 64; bit++)
                if ((xinv_classes_expand(shape.need[k].classes) >> bit & 1) &&
                    !removed(iommu, rows, &shape.need[k], UINT64_C(1) << bit))
                    return false;
    }
    return true;
}

/* ---- One table ---- */

struct subject {
    const char *vendor;
    char *text; /* of the YAML */
    struct schema_vendor *full;
    char warned[4000];
};

static struct schema_vendor *parse(const struct subject *s, const char *text)
{
    struct schema_error error;
    struct schema_vendor *v = schema_vendor_parse(s->vendor, text, strlen(text), &error);

    cr_assert_not_null(v, "%u:%u: %s: %s", error.line, error.column, error.path, error.text);
    cr_assert(schema_vendor_attach(v, &error), "%u:%u: %s", error.line, error.column, error.text);
    return v;
}

static void note(void *context, const struct schema_error *warning)
{
    struct subject *s = context;
    size_t n = strlen(s->warned);

    snprintf(s->warned + n, sizeof(s->warned) - n, "%s: %s\n", warning->path, warning->text);
}

/* The text of a row: from its "- name:" to the next row's, or the next key's. */
static char *next_row(char *at, size_t *size)
{
    char *row = strstr(at, "\n- name: ");
    char *end;

    if (!row)
        return NULL;
    row++;
    end = strchr(row, '\n') + 1;
    while (*end == ' ')
        end = strchr(end, '\n') + 1;
    *size = (size_t)(end - row);
    return row;
}

static void set_blank(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\n')
            text[i] = ' ';
}

static const char *name_of(const char *row, bool leaf)
{
    static char text[120];
    const char *op = strstr(row, "op: ");

    snprintf(text, sizeof(text), "%.*s (%.*s%s)", (int)strcspn(row + 8, "\n"), row + 8,
             (int)strcspn(op + 4, "\n"), op + 4, leaf ? ", leaf form" : "");
    return text;
}

/* A request whose answer shows that something is missing; 0 if there is none. */
static unsigned find_difference(const struct subject *s, const struct schema_vendor *less,
                                const char *name)
{
    static struct answer with;
    static struct answer without;

    for (unsigned i = 0; i < n_asked; i++) {
        const struct vector *v = &asked[i].v;
        struct xinv_platform full_platform = *v->iommu.platform;
        struct xinv_platform less_platform = *v->iommu.platform;
        struct xinv_iommu full;
        struct xinv_iommu rest;

        full_platform.vendor = &s->full->table;
        less_platform.vendor = &less->table;
        under(&v->iommu, &full_platform, &full);
        under(&v->iommu, &less_platform, &rest);
        answer(v, &full, &with);
        answer(v, &rest, &without);
        if (same_answer(&with, &without))
            continue;
        if (without.ret >= 0)
            cr_expect(covers(v, &rest, without.rows), "%s: without %s the answer does not cover",
                      asked[i].name, name);
        else
            cr_expect(without.ret == -XINV_E_MUST_BLOCK || without.ret == -XINV_E_UNSUPP,
                      "%s: without %s: %s", asked[i].name, name, xinv_strerror(without.ret));
        printf("%s %s: %s: %s\n", s->vendor, name, asked[i].name,
               without.ret < 0 ? xinv_strerror(without.ret) : "other rows");
        return i + 1;
    }
    return 0;
}

static bool warned_of(const struct subject *s, unsigned row)
{
    char path[32];

    snprintf(path, sizeof(path), "commands[%u]: ", row);
    return strstr(s->warned, path) != NULL;
}

/* Cuts `size` bytes at `at` out of the table, looks, and puts them back. */
static void check_without(struct subject *s, char *at, size_t size, unsigned row, const char *name)
{
    char *kept = malloc(size);
    struct schema_vendor *less;

    cr_assert_not_null(kept);
    memcpy(kept, at, size);
    set_blank(at, size);
    less = parse(s, s->text);
    if (!find_difference(s, less, name)) {
        cr_expect(warned_of(s, row), "%s %s: no request misses it, and the checker is silent",
                  s->vendor, name);
        printf("%s %s: the checker\n", s->vendor, name);
    }
    schema_vendor_free(less);
    memcpy(at, kept, size);
    free(kept);
}

static void check_table(const char *vendor)
{
    struct subject s = {.vendor = vendor};
    const char *dir = getenv("XINV_SOURCE_DIR");
    struct schema_error error;
    char path[1024];
    size_t size;
    unsigned rows = 0;

    snprintf(path, sizeof(path), "%s/schema/%s.yaml", dir ? dir : ".", vendor);
    s.text = schema_read_file(path, &size, &error);
    cr_assert_not_null(s.text, "%s", error.text);
    s.text[size] = '\0';
    s.full = parse(&s, s.text);
    schema_check(s.full, NULL, note, &s);
    ask_all(vendor);
    for (char *row = next_row(s.text, &size); row; row = next_row(row + size - 1, &size)) {
        char *leaf = strstr(row, "\n  leaf: optional\n");

        check_without(&s, row, size, rows, name_of(row, false));
        if (leaf && leaf < row + size)
            check_without(&s, leaf + 1, strlen("  leaf: optional"), rows, name_of(row, true));
        rows++;
    }
    cr_assert_gt(rows, 10);
    schema_vendor_free(s.full);
    free(s.text);
    free(asked);
}

Test(rows_deleted, no_row_of_smmuv3_goes_unnoticed)
{
    check_table("smmuv3");
}

Test(rows_deleted, no_row_of_vtd_goes_unnoticed)
{
    check_table("vtd");
}

Test(rows_deleted, no_row_of_amdvi_goes_unnoticed)
{
    check_table("amdvi");
}
