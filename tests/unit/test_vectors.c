// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The worked examples of tests/vectors/: requests whose commands were assembled by hand. Words are
 * compared as FORMAT.md says; where another minimal cut of a range is as right, coverage, number of
 * commands and excess are compared, through a decoder that shares nothing with the encoder.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/refdec.h"
#include "tests/support/vector.h"
#include "tests/support/vectorcaps.h"

#define MAX_WORDS    8192
#define MAX_COMMANDS 2048

struct example {
    char file[256];
    char name[120];
    size_t index;
};

struct list {
    size_t n;
    size_t width;
    const char *name[MAX_COMMANDS];
    unsigned phase[MAX_COMMANDS];
    uint64_t words[MAX_COMMANDS][4];
};

static const char *source_dir(void)
{
    const char *dir = getenv("XINV_SOURCE_DIR");

    return dir ? dir : ".";
}

static void path_of(char *path, size_t size, const char *file)
{
    snprintf(path, size, "%s/tests/vectors/%s", source_dir(), file);
}

/* Which vendor a file is about: its name up to the dash. */
static const char *vendor_of(const char *file)
{
    if (!strncmp(file, "smmuv3", 6))
        return "smmuv3";
    return !strncmp(file, "vtd", 3) ? "vtd" : "amdvi";
}

static enum refdec_vendor refdec_vendor_of(const char *vendor)
{
    if (!strcmp(vendor, "smmuv3"))
        return REFDEC_SMMUV3;
    return !strcmp(vendor, "vtd") ? REFDEC_VTD : REFDEC_AMDVI;
}

static void read_list(struct ynode commands, struct list *list, size_t width)
{
    list->n = ylen(commands);
    list->width = width;
    cr_assert(list->n <= MAX_COMMANDS);
    for (size_t i = 0; i < list->n; i++) {
        struct ynode c = yat(commands, i);

        list->name[i] = ystr(yget(c, "name"));
        list->phase[i] = (unsigned)yu64(yget(c, "phase"));
        cr_assert_eq(ylen(yget(c, "words")), width, "an example's command has %zu words", width);
        for (size_t w = 0; w < width; w++)
            list->words[i][w] = yu64(yat(yget(c, "words"), w));
    }
}

/* Bits that FORMAT.md leaves open are cleared on both sides. */
static void canonical(const struct vector *v, const char *vendor, const uint64_t *in, uint64_t *out,
                      size_t width)
{
    memcpy(out, in, width * sizeof(*in));
    if (!strcmp(vendor, "smmuv3") && (in[0] & 0xff) == 0x46 && (in[0] >> 12 & 3) != 1)
        out[0] &= ~(UINT64_C(0x3f) << 22);
    if (!strcmp(vendor, "vtd") && (in[0] & 0x3f) == 0x31 &&
        v->iommu.feature[xinv_feature_find(v->iommu.vendor, "ttm")])
        out[0] &= ~UINT64_C(0xffff0000);
}

static bool same_words(const struct vector *v, const char *vendor, const uint64_t *a,
                       const uint64_t *b, size_t width)
{
    uint64_t x[4];
    uint64_t y[4];

    canonical(v, vendor, a, x, width);
    canonical(v, vendor, b, y, width);
    return !memcmp(x, y, width * sizeof(*x));
}

/* Is got[from..from+n) a permutation of the phase? */
static bool same_phase(const struct vector *v, const char *vendor, const struct list *want,
                       size_t from, size_t n, const uint64_t *got)
{
    bool used[MAX_COMMANDS] = {false};

    for (size_t i = from; i < from + n; i++) {
        size_t k;

        for (k = 0; k < n; k++)
            if (!used[k] &&
                same_words(v, vendor, want->words[i], got + (from + k) * want->width, want->width))
                break;
        if (k == n)
            return false;
        used[k] = true;
    }
    return true;
}

/* ---- As right another way: the same entries, the same number of commands ---- */

struct piece {
    struct refdec_cmd cmd;
    bool taken;
};

static bool range_field(const char *name)
{
    static const char *const names[] = {"NUM",  "SCALE", "TTL", "TG",   "Address",
                                        "ADDR", "AM",    "S",   "Size", NULL};

    for (size_t i = 0; names[i]; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static bool same_but_range(const struct refdec_cmd *a, const struct refdec_cmd *b)
{
    if (strcmp(a->name, b->name) || a->nfields != b->nfields || a->has_range != b->has_range)
        return false;
    for (unsigned i = 0; i < a->nfields; i++)
        if (!range_field(a->fields[i].name) && a->fields[i].value != b->fields[i].value)
            return false;
    return true;
}

static int by_first(const void *x, const void *y)
{
    const struct piece *a = x;
    const struct piece *b = y;

    return a->cmd.first < b->cmd.first ? -1 : a->cmd.first > b->cmd.first;
}

/* The union of ranges of the pieces like `like`, as a list of maximal intervals. */
static size_t ranges_like(struct piece *pieces, size_t n, const struct refdec_cmd *like,
                          uint64_t (*out)[2], size_t *count)
{
    size_t made = 0;

    *count = 0;
    qsort(pieces, n, sizeof(*pieces), by_first);
    for (size_t i = 0; i < n; i++) {
        if (!same_but_range(&pieces[i].cmd, like))
            continue;
        (*count)++;
        pieces[i].taken = true;
        if (made && pieces[i].cmd.first <= out[made - 1][1] + 1 && out[made - 1][1] != UINT64_MAX) {
            if (pieces[i].cmd.last > out[made - 1][1])
                out[made - 1][1] = pieces[i].cmd.last;
        } else if (!made || out[made - 1][1] != UINT64_MAX) {
            out[made][0] = pieces[i].cmd.first;
            out[made++][1] = pieces[i].cmd.last;
        }
    }
    return made;
}

static bool decode_all(const struct vector *v, const char *vendor, const uint64_t *words, size_t n,
                       size_t width, struct piece *pieces)
{
    struct refdec_caps caps = vector_caps(&v->iommu);
    char err[160];

    for (size_t i = 0; i < n; i++) {
        pieces[i].taken = false;
        if (refdec_decode(refdec_vendor_of(vendor), &caps, words + i * width, (unsigned)width,
                          &pieces[i].cmd, err, sizeof(err)))
            return false;
    }
    return true;
}

static bool equal_phase(const struct vector *v, const char *vendor, const struct list *want,
                        size_t from, size_t n, const uint64_t *got)
{
    static struct piece a[MAX_COMMANDS];
    static struct piece b[MAX_COMMANDS];
    static uint64_t ra[MAX_COMMANDS][2];
    static uint64_t rb[MAX_COMMANDS][2];
    static uint64_t flat[MAX_COMMANDS * 4];

    for (size_t i = 0; i < n; i++)
        memcpy(flat + i * want->width, want->words[from + i], want->width * sizeof(*flat));
    if (!decode_all(v, vendor, flat, n, want->width, a) ||
        !decode_all(v, vendor, got + from * want->width, n, want->width, b))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct refdec_cmd like = a[i].cmd;
        size_t ca;
        size_t cb;
        size_t na = ranges_like(a, n, &like, ra, &ca);
        size_t nb = ranges_like(b, n, &like, rb, &cb);

        if (!like.has_range || na != nb || ca != cb || memcmp(ra, rb, na * sizeof(*ra)))
            return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!b[i].taken)
            return false;
    return true;
}

static bool matches(const struct vector *v, const char *vendor, const struct list *want,
                    const uint64_t *got, size_t n)
{
    if (want->n != n)
        return false;
    for (size_t i = 0; i < n;) {
        size_t end = i;

        while (end < n && want->phase[end] == want->phase[i])
            end++;
        if (!same_phase(v, vendor, want, i, end - i, got) &&
            !equal_phase(v, vendor, want, i, end - i, got))
            return false;
        i = end;
    }
    return true;
}

/* ---- One example ---- */

static int expected_error(struct ynode expect)
{
    static const struct {
        const char *name;
        int code;
    } codes[] = {{"INVAL", XINV_E_INVAL},
                 {"RANGE", XINV_E_RANGE},
                 {"TAG", XINV_E_TAG},
                 {"UNSUPP", XINV_E_UNSUPP},
                 {"MUST_BLOCK", XINV_E_MUST_BLOCK}};
    const char *text = ystr(yget(expect, "error"));

    for (size_t i = 0; yhas(expect, "code") && i < sizeof(codes) / sizeof(codes[0]); i++)
        if (!strcmp(ystr(yget(expect, "code")), codes[i].name))
            return -codes[i].code;
    if (strstr(text, "above last") || strstr(text, "> last"))
        return -XINV_E_RANGE;
    if (strstr(text, "GTSup"))
        return -XINV_E_UNSUPP;
    return -XINV_E_TAG;
}

static uint8_t expected_widened(struct ynode node)
{
    uint8_t mask = 0;

    for (size_t i = 0; i < ylen(node); i++)
        mask |= XINV_TAG_BIT(vector_tag(ystr(yat(node, i))));
    return mask;
}

static void show(const uint64_t *words, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++) {
        fprintf(stderr, "   ");
        for (size_t w = 0; w < width; w++)
            fprintf(stderr, " 0x%016llx", (unsigned long long)words[i * width + w]);
        fprintf(stderr, "\n");
    }
}

static void check_costs(const struct example *x, struct ynode expect,
                        const struct xinv_report *report)
{
    const char *extra = ystr(yget(expect, "extra_pages"));

    cr_expect_eq(report->widened, expected_widened(yget(expect, "widened")), "%s: widened 0x%x",
                 x->name, report->widened);
    if (!*extra)
        return;
    if (!strcmp(extra, "all"))
        cr_expect(report->extra_unbounded, "%s: the address was given up", x->name);
    else
        cr_expect(!report->extra_unbounded &&
                      report->extra_pages == yu64(yget(expect, "extra_pages")),
                  "%s: extra pages %llu unbounded %d, expected %s", x->name,
                  (unsigned long long)report->extra_pages, report->extra_unbounded, extra);
}

static void check_example(const struct example *x, struct ynode node)
{
    static struct list want;
    static uint64_t words[MAX_WORDS];
    const char *vendor = vendor_of(x->file);
    struct ynode expect = yget(node, "expect");
    struct ynode alternatives = yget(expect, "alternatives");
    struct xinv_step steps[64];
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = MAX_WORDS, .cap_steps = 64};
    struct xinv_report report;
    struct vector v;
    bool flush = false;
    int ret;

    vector_read(&v, vendor, node);
    memset(words, 0xa5, sizeof(words));
    ret = xinv_translate(&v.iommu, v.at, v.n, &v.request, &v.policy, &v.completion, &out, &report);
    if (yhas(expect, "error")) {
        cr_assert_eq(ret, expected_error(expect), "%s: %d %s", x->name, ret, xinv_strerror(ret));
        cr_assert_eq(out.n_words, 0);
        return;
    }
    cr_assert(ret >= 0, "%s: %s", x->name, xinv_strerror(ret));
    for (uint32_t i = 0; i < out.n_steps; i++)
        flush |= steps[i].kind == XINV_STEP_REGISTER;
    cr_expect_eq(flush, yhas(expect, "write_buffer_flush"), "%s: write buffer flush", x->name);
    read_list(yget(expect, "commands"), &want, v.iommu.words);
    if (matches(&v, vendor, &want, words, out.n_words / v.iommu.words)) {
        check_costs(x, expect, &report);
        return;
    }
    for (size_t i = 0; i < ylen(alternatives); i++) {
        struct ynode other = yat(alternatives, i);

        read_list(yget(other, "commands"), &want, v.iommu.words);
        if (matches(&v, vendor, &want, words, out.n_words / v.iommu.words)) {
            check_costs(x, yhas(other, "extra_pages") ? other : expect, &report);
            return;
        }
    }
    fprintf(stderr, "%s/%s: got\n", x->file, x->name);
    show(words, out.n_words / v.iommu.words, v.iommu.words);
    read_list(yget(expect, "commands"), &want, v.iommu.words);
    fprintf(stderr, "  expected\n");
    for (size_t i = 0; i < want.n; i++)
        show(want.words[i], 1, want.width);
    cr_assert_fail("%s/%s: other commands", x->file, x->name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_yaml(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return n > 5 && !strcmp(d->d_name + n - 5, ".yaml");
}

ParameterizedTestParameters(vectors, worked_example)
{
    static struct example *list;
    static size_t n;
    struct dirent **files;
    char path[1024];
    int n_files;

    path_of(path, sizeof(path), "");
    n_files = scandir(path, &files, is_yaml, by_name);
    if (n_files <= 0) {
        fprintf(stderr, "no examples in %s\n", path);
        abort();
    }
    list = cr_malloc(400 * sizeof(*list));
    for (int f = 0; f < n_files; f++) {
        yaml_document_t doc;

        path_of(path, sizeof(path), files[f]->d_name);
        yload(path, &doc);
        for (size_t i = 0; i < ylen(yroot(&doc)) && n < 400; i++) {
            struct example *x = &list[n++];

            snprintf(x->file, sizeof(x->file), "%s", files[f]->d_name);
            snprintf(x->name, sizeof(x->name), "%s", ystr(yget(yat(yroot(&doc), i), "name")));
            x->index = i;
        }
        yaml_document_delete(&doc);
        free(files[f]);
    }
    free(files);
    return cr_make_param_array(struct example, list, n, NULL);
}

ParameterizedTest(struct example *x, vectors, worked_example)
{
    yaml_document_t doc;
    char path[1024];

    path_of(path, sizeof(path), x->file);
    yload(path, &doc);
    check_example(x, yat(yroot(&doc), x->index));
    yaml_document_delete(&doc);
}
