// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Mistakes that other implementations of the same thing have made in public, each as a test of the
 * behaviour that they missed. Words were assembled by hand from the specifications.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xinv/session.h>

#include "tests/support/refdec.h"
#include "tests/support/vectorcaps.h"

#define N(x)     (sizeof(x) / sizeof((x)[0]))
#define BIT(tag) XINV_TAG_BIT(XINV_TAG_##tag)
#define WORDS    4096
#define STEPS    64

static uint64_t words[WORDS];
static struct xinv_step steps[STEPS];
static struct xinv_report report;

/* A platform with the stage whose entries its address-selective command reaches. */
struct user {
    const char *platform;
    uint8_t stage;
};

static const struct user users[] = {
    {"arm-smmuv3-generic", XINV_STAGE_STAGE1}, {"arm-smmuv3-generic", XINV_STAGE_STAGE2},
    {"arm-smmuv3-ril", XINV_STAGE_STAGE1},     {"arm-smmuv3-ril", XINV_STAGE_STAGE2},
    {"intel-vtd-legacy", XINV_STAGE_STAGE2},   {"qemu-intel-caching-mode", XINV_STAGE_STAGE2},
    {"intel-vtd-scalable", XINV_STAGE_STAGE1}, {"intel-vtd-scalable", XINV_STAGE_STAGE2},
    {"amd-vi-generic", XINV_STAGE_STAGE1},     {"amd-vi-generic", XINV_STAGE_STAGE2},
    {"qemu-amd-npcache", XINV_STAGE_STAGE2},
};

static struct xinv_iommu iommu_of(const char *name, const char *feature, uint16_t value)
{
    const struct xinv_platform *p = xinv_platform_find(name);
    struct xinv_setting set = {0, value};
    struct xinv_iommu iommu;

    cr_assert_not_null(p, "%s", name);
    if (feature) {
        int f = xinv_feature_find(p->vendor, feature);

        cr_assert_geq(f, 0, "%s", feature);
        set.feature = (uint8_t)f;
    }
    cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, &set, feature != NULL), 0);
    return iommu;
}

static struct xinv_attachment attachment(uint8_t stage)
{
    return (struct xinv_attachment){.stage = stage,
                                    .known = BIT(RID) | BIT(ASID) | BIT(DID) | BIT(VMID),
                                    .rid = 0x2b1,
                                    .asid = 0x35,
                                    .did = 0x47,
                                    .vmid = stage == XINV_STAGE_STAGE1 ? 0 : 0x59,
                                    .queue_depth = 16};
}

static struct xinv_request change(uint8_t stage, uint64_t first, uint64_t last)
{
    return (struct xinv_request){.change = stage == XINV_STAGE_STAGE2 ? XINV_CHANGE_STAGE2_PTE
                                                                      : XINV_CHANGE_STAGE1_PTE,
                                 .flags = XINV_REQ_RANGE,
                                 .first = first,
                                 .last = last};
}

static int run(const struct xinv_iommu *iommu, const struct xinv_attachment *at, size_t n,
               const struct xinv_request *request, const struct xinv_policy *policy,
               struct xinv_out *out)
{
    *out =
        (struct xinv_out){.words = words, .steps = steps, .cap_words = WORDS, .cap_steps = STEPS};
    memset(words, 0xa5, sizeof(words));
    return xinv_translate(iommu, at, n, request, policy, NULL, out, &report);
}

static void decode(const struct xinv_iommu *iommu, uint32_t at, struct refdec_cmd *cmd)
{
    struct refdec_caps caps = vector_caps(iommu);
    char err[160];

    cr_assert_eq(refdec_decode(vector_refdec_vendor(iommu), &caps, words + at, iommu->words, cmd,
                               err, sizeof(err)),
                 0, "%016" PRIx64 " %016" PRIx64 ": %s", words[at], words[at + 1], err);
}

static const char *names(const struct xinv_iommu *iommu, const struct xinv_out *out)
{
    static char text[2048];

    text[0] = '\0';
    for (uint32_t i = 0; i < out->n_words; i += iommu->words) {
        struct refdec_cmd cmd;

        decode(iommu, i, &cmd);
        if (*text)
            strcat(text, " ");
        strcat(text, cmd.name);
    }
    return text;
}

static bool is_atc(const char *name)
{
    return !strcmp(name, "ATC_INV") || strstr(name, "dev_tlb") ||
           !strcmp(name, "INVALIDATE_IOTLB_PAGES");
}

/* What the address-selective commands say in all: lowest and highest byte, bytes - 1 in sum, and
 * how many. */
struct covered {
    uint64_t first;
    uint64_t last;
    uint64_t sum;
    unsigned n;
};

static struct covered cover(const struct xinv_iommu *iommu, const struct xinv_out *out, bool atc)
{
    struct covered c = {UINT64_MAX, 0, 0, 0};

    for (uint32_t i = 0; i < out->n_words; i += iommu->words) {
        struct refdec_cmd cmd;

        decode(iommu, i, &cmd);
        if (!cmd.has_range || is_atc(cmd.name) != atc)
            continue;
        /* blocks come in order: each starts where the one before ends */
        if (c.n)
            cr_assert_eq(cmd.first, c.last + 1, "blocks touch and do not overlap");
        c.first = cmd.first < c.first ? cmd.first : c.first;
        c.last = cmd.last;
        c.sum += cmd.last - cmd.first;
        c.n++;
    }
    return c;
}

/* Asserts that the words of a list are exactly these; syncs behind them are for other tests. */
static void expect_words(const char *what, const struct xinv_iommu *iommu,
                         const struct xinv_out *out, const uint64_t (*list)[2], size_t n)
{
    cr_assert_geq(out->n_words, n * iommu->words, "%s", what);
    for (size_t i = 0; i < n; i++) {
        const uint64_t *w = words + i * iommu->words;

        cr_expect(w[0] == list[i][0] && w[1] == list[i][1],
                  "%s, command %zu: %016" PRIx64 " %016" PRIx64 " instead of %016" PRIx64
                  " %016" PRIx64,
                  what, i, w[0], w[1], list[i][0], list[i][1]);
        for (unsigned k = 2; k < iommu->words; k++)
            cr_expect_eq(w[k], 0, "%s", what);
    }
    /* what follows removes nothing */
    for (uint32_t i = (uint32_t)n * iommu->words; i < out->n_words; i += iommu->words) {
        struct refdec_cmd cmd;

        decode(iommu, i, &cmd);
        cr_expect(!strcmp(cmd.name, "SYNC") || !strcmp(cmd.name, "COMPLETION_WAIT"), "%s: %s", what,
                  cmd.name);
    }
}

struct expected {
    struct user user;
    uint8_t granule;
    uint8_t policy;
    uint64_t first;
    uint64_t last;
    size_t n;
    uint64_t w[4][2];
};

static void check(const struct expected *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct xinv_iommu iommu = iommu_of(list[i].user.platform, NULL, 0);
        struct xinv_attachment at = attachment(list[i].user.stage);
        struct xinv_request r = change(list[i].user.stage, list[i].first, list[i].last);
        struct xinv_policy policy = {.kind = list[i].policy};
        struct xinv_out out;
        char what[96];

        r.log2_granule = list[i].granule;
        snprintf(what, sizeof(what), "%s, line %zu", list[i].user.platform, i);
        cr_assert_gt(run(&iommu, &at, 1, &r, &policy, &out), 0, "%s", what);
        expect_words(what, &iommu, &out, list[i].w, list[i].n);
    }
}

#define SMMU                                    \
    {                                           \
        "arm-smmuv3-generic", XINV_STAGE_STAGE2 \
    }
#define SMMU_RIL                            \
    {                                       \
        "arm-smmuv3-ril", XINV_STAGE_STAGE1 \
    }
#define VTD                                   \
    {                                         \
        "intel-vtd-legacy", XINV_STAGE_STAGE2 \
    }
#define VTD_FIRST                               \
    {                                           \
        "intel-vtd-scalable", XINV_STAGE_STAGE1 \
    }
#define AMD                                 \
    {                                       \
        "amd-vi-generic", XINV_STAGE_STAGE2 \
    }

/* 1: page-aligning an inclusive end that ends in 000 lost the last page */
Test(peer_bugs, a_last_byte_in_the_first_byte_of_a_page_keeps_that_page)
{
    static const struct expected list[] = {
        {SMMU,
         0,
         0,
         0x40000000,
         0x40001000,
         2,
         {{UINT64_C(0x000000590000002a), 0x40000000}, {UINT64_C(0x000000590000002a), 0x40001000}}},
        {SMMU_RIL, 0, 0, 0x40000000, 0x40001000, 1, {{UINT64_C(0x0035000000100012), 0x40000400}}},
        {VTD, 0, 0, 0x40000000, 0x40001000, 1, {{0x4700f2, 0x40000001}}},
        {VTD_FIRST, 0, 0, 0x40000000, 0x40001000, 1, {{0x470036, 0x40000001}}},
        {AMD, 0, 0, 0x40000000, 0x40001000, 1, {{UINT64_C(0x3000004700000000), 0x40000003}}},
    };

    check(list, N(list));
}

/* 2: end + 1 wrapped at the top of 64 bits, then a shift by 64 */
Test(peer_bugs, a_last_byte_at_the_top_of_64_bits_keeps_its_range_at_every_granule)
{
    static const struct expected list[] = {
        {SMMU_RIL,
         12,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_MAX,
         1,
         {{UINT64_C(0x0035000000100012), UINT64_C(0xffffffffffffe400)}}},
        {SMMU_RIL,
         14,
         0,
         UINT64_C(0xffffffffffff8000),
         UINT64_MAX,
         1,
         {{UINT64_C(0x0035000000100012), UINT64_C(0xffffffffffff8800)}}},
        {SMMU_RIL,
         16,
         0,
         UINT64_C(0xfffffffffffe0000),
         UINT64_MAX,
         1,
         {{UINT64_C(0x0035000000100012), UINT64_C(0xfffffffffffe0c00)}}},
        {VTD,
         0,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_MAX,
         1,
         {{0x4700f2, UINT64_C(0xffffffffffffe001)}}},
        {VTD_FIRST,
         0,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_MAX,
         1,
         {{0x470036, UINT64_C(0xffffffffffffe001)}}},
        {AMD,
         0,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_MAX,
         1,
         {{UINT64_C(0x3000004700000000), UINT64_C(0xffffffffffffe003)}}},
        {VTD,
         0,
         XINV_POLICY_LATENCY,
         UINT64_MAX,
         UINT64_MAX,
         1,
         {{0x4700f2, UINT64_C(0xfffffffffffff000)}}},
        {AMD,
         0,
         XINV_POLICY_LATENCY,
         UINT64_MAX,
         UINT64_MAX,
         1,
         {{UINT64_C(0x3000004700000000), UINT64_C(0xfffffffffffff002)}}},
    };

    check(list, N(list));
}

/* 3: an empty gather (first = ~0, last = 0) flushed the whole address space */
Test(peer_bugs, first_above_last_is_an_error_on_every_platform_and_never_everything)
{
    static const uint64_t empty[][2] = {
        {UINT64_MAX, 0}, {0x1000, 0xfff}, {1, 0}, {UINT64_MAX, UINT64_MAX - 1}};

    for (size_t u = 0; u < N(users); u++)
        for (size_t e = 0; e < N(empty); e++)
            for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_AT_MOST; policy++)
                for (unsigned given = 0; given < 2; given++) {
                    struct xinv_iommu iommu = iommu_of(users[u].platform, NULL, 0);
                    struct xinv_attachment at = attachment(users[u].stage);
                    struct xinv_request r = change(users[u].stage, empty[e][0], empty[e][1]);
                    struct xinv_policy p = {.kind = (uint8_t)policy, .blocks = 1};
                    struct xinv_out out;

                    if (given) {
                        r.flags |= XINV_REQ_INVALIDATE;
                        r.caches = XINV_INV_IOTLB;
                        r.scope = XINV_SCOPE_ADDRESS;
                    }
                    cr_assert_eq(run(&iommu, &at, 1, &r, &p, &out), -XINV_E_RANGE, "%s",
                                 users[u].platform);
                    cr_assert_eq(out.n_words, 0);
                    cr_assert_eq(out.n_steps, 0);
                    cr_assert_eq(words[0], UINT64_C(0xa5a5a5a5a5a5a5a5));
                }
}

/* 4: a bit-field write into an uninitialised array element */
Test(peer_bugs, every_output_byte_is_written_whatever_was_there)
{
    for (size_t u = 0; u < N(users); u++) {
        struct xinv_iommu iommu = iommu_of(users[u].platform, NULL, 0);
        struct xinv_attachment at = attachment(users[u].stage);
        struct xinv_request r = change(users[u].stage, 0x12345000, 0x12359fff);
        static uint64_t other[WORDS];
        static struct xinv_step other_steps[STEPS];
        struct xinv_out a = {
            .words = words, .steps = steps, .cap_words = WORDS, .cap_steps = STEPS};
        struct xinv_out b = {
            .words = other, .steps = other_steps, .cap_words = WORDS, .cap_steps = STEPS};

        at.flags = XINV_ATT_ATS | XINV_ATT_PASID_ENABLED;
        memset(words, 0, sizeof(words));
        memset(steps, 0, sizeof(steps));
        memset(other, 0xff, sizeof(other));
        memset(other_steps, 0xff, sizeof(other_steps));
        cr_assert_gt(xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &a, NULL), 0, "%s",
                     users[u].platform);
        cr_assert_gt(xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &b, NULL), 0);
        cr_assert_eq(a.n_words, b.n_words);
        cr_assert_eq(a.n_steps, b.n_steps);
        cr_expect(!memcmp(words, other, a.n_words * sizeof(words[0])), "%s", users[u].platform);
        for (uint32_t s = 0; s < a.n_steps; s++) {
            cr_expect_eq(steps[s].kind, other_steps[s].kind);
            cr_expect_eq(steps[s].row, other_steps[s].row);
            cr_expect_eq(steps[s].first, other_steps[s].first);
            cr_expect_eq(steps[s].count, other_steps[s].count);
            cr_expect_eq(steps[s].reg, other_steps[s].reg);
            cr_expect_eq(steps[s].poll_reg, other_steps[s].poll_reg);
            cr_expect_eq(steps[s].bits, other_steps[s].bits);
        }
        for (uint32_t w = a.n_words; w < WORDS; w++)
            cr_assert(words[w] == 0 && other[w] == UINT64_MAX, "nothing behind the end is touched");
    }
}

/* 5: alignment (the lowest set bit) confused with size (the highest) at the split */
Test(peer_bugs, every_small_range_is_cut_into_blocks_that_say_it_exactly)
{
    for (size_t u = 0; u < N(users); u++) {
        struct xinv_iommu iommu = iommu_of(users[u].platform, NULL, 0);

        for (uint64_t a = 0; a < 20; a++)
            for (uint64_t b = a; b < 20; b++) {
                struct xinv_attachment at = attachment(users[u].stage);
                struct xinv_request r = change(users[u].stage, a << 12, (b << 12) | 0xfff);
                struct xinv_out out;

                at.flags = XINV_ATT_ATS;
                cr_assert_gt(run(&iommu, &at, 1, &r, NULL, &out), 0);
                for (unsigned atc = 0; atc < 2; atc++) {
                    struct covered c = cover(&iommu, &out, atc);

                    cr_assert_eq(c.first, r.first, "%s: pages %d to %d", users[u].platform, (int)a,
                                 (int)b);
                    cr_assert_eq(c.last, r.last, "%s: pages %d to %d", users[u].platform, (int)a,
                                 (int)b);
                }
                cr_assert_eq(report.widened, 0);
            }
    }
}

/* 6: a threshold compared the wrong way round: a loop for big ranges, a full flush for small ones
 */
Test(peer_bugs, both_sides_of_a_command_limit_choose_as_they_should)
{
    static const struct {
        struct user user;
        uint64_t pages;
        uint16_t commands; /* that the range needs exactly */
        uint64_t wide[2];
    } cases[] = {
        /* one page a command */
        {SMMU, 512, 512, {UINT64_C(0x0000005900000028), 0}},
        /* pages 1 to 22: 1 2 4 8 and 4 2 1 */
        {VTD, 22, 7, {0x4700e2, 0}},
        {AMD, 22, 7, {UINT64_C(0x3000004700000000), UINT64_C(0x7ffffffffffff003)}},
        {VTD_FIRST, 22, 7, {0x470026, 0}},
        /* 33 granules: a window of 1 and one of 32 */
        {SMMU_RIL, 33, 2, {UINT64_C(0x0035000000000011), 0}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = iommu_of(cases[i].user.platform, NULL, 0);
        struct xinv_attachment at = attachment(cases[i].user.stage);
        struct xinv_request r =
            change(cases[i].user.stage, 0x1000, 0x1000 + (cases[i].pages << 12) - 1);
        struct xinv_policy policy = {.kind = XINV_POLICY_EXACT, .max_commands = cases[i].commands};
        struct xinv_out out;

        cr_assert_gt(run(&iommu, &at, 1, &r, &policy, &out), 0);
        cr_expect_eq(cover(&iommu, &out, false).n, cases[i].commands, "%s", cases[i].user.platform);
        cr_expect_eq(report.widened, 0);
        policy.max_commands--;
        cr_assert_gt(run(&iommu, &at, 1, &r, &policy, &out), 0);
        expect_words(cases[i].user.platform, &iommu, &out, &cases[i].wide, 1);
        cr_expect_eq(report.widened, BIT(ADDRESS));
    }
}

/* 6: the same for the largest block */
Test(peer_bugs, both_sides_of_the_largest_block_choose_as_they_should)
{
    static const struct {
        uint64_t first;
        uint64_t last;
        uint8_t leaf;
        size_t n;
        uint64_t w[3][2];
    } cases[] = {
        {0x40000000, 0x401fffff, 12, 1, {{0x4700f2, 0x40000009}}},
        {0x40000000, 0x401fffff, 21, 1, {{0x4700f2, 0x40000009}}},
        {0x40000000, 0x403fffff, 21, 2, {{0x4700f2, 0x40000009}, {0x4700f2, 0x40200009}}},
        {0x401ff000,
         0x40400fff,
         12,
         3,
         {{0x4700f2, 0x401ff000}, {0x4700f2, 0x40200009}, {0x4700f2, 0x40400000}}},
        {0x40000000, 0x401fffff, 22, 1, {{0x4700e2, 0}}},
        {0x40000000, 0x7fffffff, 30, 1, {{0x4700e2, 0}}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = iommu_of("intel-vtd-legacy", "MAMV", 9);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2);
        struct xinv_request r = change(XINV_STAGE_STAGE2, cases[i].first, cases[i].last);
        struct xinv_out out;
        char what[32];

        snprintf(what, sizeof(what), "line %zu", i);
        r.log2_leaf_size = cases[i].leaf;
        cr_assert_gt(run(&iommu, &at, 1, &r, NULL, &out), 0);
        expect_words(what, &iommu, &out, cases[i].w, cases[i].n);
    }
}

/* 7: the mask was passed as the shift when setting S */
Test(peer_bugs, the_size_bit_stands_beside_every_size_and_nowhere_else)
{
    for (unsigned order = 0; order <= 40; order++) {
        uint64_t size = UINT64_C(4096) << order;
        uint64_t base = UINT64_C(0xa) << 56 | (order < 40 ? size : 0);
        uint64_t ones = 0;
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2);
        struct xinv_request r;
        struct xinv_iommu iommu = iommu_of("amd-vi-generic", NULL, 0);
        struct xinv_out out;

        base &= ~(size - 1);
        r = change(XINV_STAGE_STAGE2, base, base + size - 1);
        for (unsigned bit = 12; bit + 1 < 12 + order; bit++)
            ones |= UINT64_C(1) << bit;
        at.flags = XINV_ATT_ATS;
        cr_assert_gt(run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_eq(words[1], base | ones | 2 | (order > 0), "order %u: %016" PRIx64, order,
                     words[1]);
        cr_expect_eq(words[5], base | ones | (order > 0), "order %u: %016" PRIx64, order, words[5]);
        if (order > 18)
            continue; /* CAP.MAMV of this unit */
        iommu = iommu_of("intel-vtd-legacy", "DT", 1);
        cr_assert_gt(run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_eq(words[1], base | order, "order %u: %016" PRIx64, order, words[1]);
        cr_expect_eq(words[3], base | ones | (order > 0), "order %u: %016" PRIx64, order, words[3]);
    }
}

/* 8: a duplicated break made a filter of guest commands accept everything */
Test(peer_bugs, a_checked_command_is_refused_for_one_bad_bit_and_for_its_opcode)
{
    static const struct {
        const char *platform;
        uint64_t good[2];
        uint64_t bad[2];
        uint64_t none[2];
    } cases[] = {
        {"arm-smmuv3-ril",
         {UINT64_C(0x5678123400000011), 0},
         {UINT64_C(0x5678123400000011), 1},
         {0x08, 0}},
        {"intel-vtd-legacy", {0x4700e2, 0}, {UINT64_C(0x1004700e2), 0}, {0x0a, 0}},
        {"amd-vi-generic",
         {UINT64_C(0x20000000000003e6), 0},
         {UINT64_C(0x20000000000103e6), 0},
         {UINT64_C(0xb000000000000000), 0}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = iommu_of(cases[i].platform, NULL, 0);
        struct xinv_decoded d;

        cr_expect_eq(xinv_decode(&iommu, cases[i].good, &d), 0, "%s", cases[i].platform);
        cr_expect_eq(xinv_decode(&iommu, cases[i].bad, &d), -XINV_E_INVAL, "%s", cases[i].platform);
        cr_expect_eq(xinv_decode(&iommu, cases[i].none, &d), -XINV_E_NOENT, "%s",
                     cases[i].platform);
    }
}

static uint64_t state;

static uint64_t random64(void)
{
    /* splitmix64 */
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void seed(void)
{
    const char *given = getenv("XINV_SEED");

    state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    fprintf(stderr, "XINV_SEED=%" PRIu64 "\n", state);
}

/* 9: a helper passed an empty range on, every range became everything, and nobody saw it */
Test(peer_bugs, an_exact_invalidation_removes_what_was_asked_and_no_page_more)
{
    seed();
    for (unsigned i = 0; i < 20000; i++) {
        const struct user *user = &users[random64() % N(users)];
        struct xinv_iommu iommu = iommu_of(user->platform, NULL, 0);
        struct xinv_attachment at = attachment(user->stage);
        uint64_t first = random64() >> (random64() % 24 + 8);
        uint64_t last = first + (random64() & ((UINT64_C(1) << (random64() % 19)) - 1));
        struct xinv_request r = change(user->stage, first, last);
        struct xinv_out out;

        at.flags = XINV_ATT_ATS;
        cr_assert_gt(run(&iommu, &at, 1, &r, NULL, &out), 0);
        for (unsigned atc = 0; atc < 2; atc++) {
            struct covered c = cover(&iommu, &out, atc);

            cr_assert_eq(c.first, first & ~UINT64_C(0xfff), "%s", user->platform);
            cr_assert_eq(c.last, last | 0xfff, "%s", user->platform);
        }
        cr_assert_eq(report.widened, 0, "%s", user->platform);
        cr_assert_eq(report.extra_pages, 0);
        cr_assert_not(report.extra_unbounded);
    }
}

/* 10: 512 page commands for each request, until the watchdog bit */
Test(peer_bugs, the_number_of_commands_is_bounded_by_policy_without_range_commands)
{
    static const uint64_t by_asid[][2] = {{UINT64_C(0x0035000000000011), 0}};
    static const struct xinv_policy policies[] = {
        {XINV_POLICY_LATENCY, 0, 0}, {XINV_POLICY_AT_MOST, 16, 0}, {XINV_POLICY_EXACT, 0, 64}};
    struct xinv_iommu iommu = iommu_of("arm-smmuv3-generic", NULL, 0);
    struct xinv_attachment at = attachment(XINV_STAGE_STAGE1);
    struct xinv_request r = change(XINV_STAGE_STAGE1, 0x200000, 0x3fffff);
    struct xinv_out out;

    for (size_t i = 0; i < N(policies); i++) {
        cr_assert_eq(run(&iommu, &at, 1, &r, &policies[i], &out), 2);
        expect_words("one ASID", &iommu, &out, by_asid, 1);
        cr_expect_eq(report.widened, BIT(ADDRESS));
    }
}

/* 11: a stage-2 change under nesting cannot name Device-TLB entries by its address */
Test(peer_bugs, a_stage_2_change_empties_the_device_tlb_of_each_nested_device)
{
    static const uint64_t expected[][2] = {
        /* both DIDs, by the guest-physical page; nested entries of the DID go at any address */
        {0x4700f2, 0x40000000},
        {0x4800f2, 0x40000000},
        /* PASID 5, MIP 16, every address */
        {UINT64_C(0x0000000502b10108), UINT64_C(0x7ffffffffffff800)},
        {UINT64_C(0x0000000502b20108), UINT64_C(0x7ffffffffffff800)},
    };
    struct xinv_iommu iommu = iommu_of("intel-vtd-scalable", NULL, 0);
    struct xinv_attachment at[2] = {attachment(XINV_STAGE_NESTED), attachment(XINV_STAGE_NESTED)};
    struct xinv_request r = change(XINV_STAGE_STAGE2, 0x40000000, 0x40000fff);
    struct xinv_out out;

    for (unsigned i = 0; i < 2; i++) {
        at[i].flags = XINV_ATT_ATS;
        at[i].rid += i;
        at[i].did += i;
        at[i].pasid = 5;
        at[i].known |= BIT(PASID);
    }
    cr_assert_eq(run(&iommu, at, 2, &r, NULL, &out), 4);
    expect_words("nested", &iommu, &out, expected, N(expected));
}

/* 12: the stage 2 of a VM serves every host DomainID that its guests' tables were given */
Test(peer_bugs, a_stage_2_change_reaches_every_host_domain_id)
{
    static const uint64_t expected[][2] = {
        {UINT64_C(0x3000001000000000), 0x40000002},
        {UINT64_C(0x3000001100000000), 0x40000002},
        {UINT64_C(0x3000001200000000), 0x40000002},
    };
    struct xinv_iommu iommu = iommu_of("amd-vi-generic", NULL, 0);
    struct xinv_attachment at[3];
    struct xinv_request r = change(XINV_STAGE_STAGE2, 0x40000000, 0x40000fff);
    struct xinv_out out;

    for (unsigned i = 0; i < 3; i++) {
        at[i] = attachment(XINV_STAGE_NESTED);
        at[i].rid += i;
        at[i].did = 0x10 + i;
        at[i].pasid = 5; /* the same number in each guest */
        at[i].known |= BIT(PASID);
    }
    cr_assert_eq(run(&iommu, at, 3, &r, NULL, &out), 4);
    expect_words("nested", &iommu, &out, expected, N(expected));
}

/* 13: the lowest set bit of address 0 is undefined */
Test(peer_bugs, a_range_that_starts_at_address_0_is_cut_like_any_other)
{
    static const struct expected list[] = {
        {AMD, 0, 0, 0, 0xfff, 1, {{UINT64_C(0x3000004700000000), 0x2}}},
        {AMD,
         0,
         0,
         0,
         0x2fff,
         2,
         {{UINT64_C(0x3000004700000000), 0x3}, {UINT64_C(0x3000004700000000), 0x2002}}},
        {AMD,
         0,
         0,
         0,
         0x6fff,
         3,
         {{UINT64_C(0x3000004700000000), 0x1003},
          {UINT64_C(0x3000004700000000), 0x4003},
          {UINT64_C(0x3000004700000000), 0x6002}}},
        {AMD, 0, XINV_POLICY_LATENCY, 0, 0x2fff, 1, {{UINT64_C(0x3000004700000000), 0x1003}}},
        {{"qemu-amd-npcache", XINV_STAGE_STAGE2},
         0,
         0,
         0,
         0x2fff,
         2,
         {{UINT64_C(0x3000004700000000), 0x3}, {UINT64_C(0x3000004700000000), 0x2002}}},
        {VTD, 0, 0, 0, 0x2fff, 2, {{0x4700f2, 1}, {0x4700f2, 0x2000}}},
        {SMMU_RIL, 0, 0, 0, 0x2fff, 1, {{UINT64_C(0x0035000000002012), 0x400}}},
    };

    check(list, N(list));
}

/* 15: every TLBI or CFGI list with its SYNC runs twice on one part, and on that part alone */
Test(peer_bugs, an_erratum_repeats_the_list_with_its_sync_once_and_nowhere_else)
{
    static const struct {
        uint8_t what;
        const char *once;
        const char *twice;
    } cases[] = {
        {XINV_CHANGE_STAGE1_PTE, "TLBI_NH_VA SYNC ATC_INV SYNC",
         "TLBI_NH_VA SYNC TLBI_NH_VA SYNC ATC_INV SYNC"},
        {XINV_CHANGE_PASID_ENTRY, "CFGI_CD SYNC TLBI_NH_ASID SYNC ATC_INV SYNC",
         "CFGI_CD SYNC CFGI_CD SYNC TLBI_NH_ASID SYNC TLBI_NH_ASID SYNC ATC_INV SYNC"},
        {XINV_CHANGE_TAG_RELEASE, "TLBI_NH_ASID SYNC", "TLBI_NH_ASID SYNC TLBI_NH_ASID SYNC"},
    };

    for (size_t i = 0; i < N(cases); i++)
        for (uint16_t erratum = 0; erratum < 2; erratum++) {
            struct xinv_iommu iommu = iommu_of("arm-smmuv3-ril", "REPEAT_TLBI", erratum);
            struct xinv_attachment at = attachment(XINV_STAGE_STAGE1);
            struct xinv_request r = change(XINV_STAGE_STAGE1, 0x40000000, 0x40000fff);
            struct xinv_out out;

            at.flags = XINV_ATT_ATS;
            r.change = cases[i].what;
            if (r.change != XINV_CHANGE_STAGE1_PTE)
                r.flags = 0;
            cr_assert_gt(run(&iommu, &at, 1, &r, NULL, &out), 0);
            cr_expect_str_eq(names(&iommu, &out), erratum ? cases[i].twice : cases[i].once, "%s",
                             names(&iommu, &out));
        }
    for (size_t u = 0; u < N(users); u++) {
        struct xinv_iommu iommu = iommu_of(users[u].platform, NULL, 0);
        struct xinv_attachment at = attachment(users[u].stage);
        struct xinv_request r = change(users[u].stage, 0x40000000, 0x40000fff);
        struct xinv_out out;

        cr_assert_gt(run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_eq(cover(&iommu, &out, false).n, 1, "%s", users[u].platform);
    }
}

/* 16: no address bit is shared, and the mask becomes as wide as the address space */
Test(peer_bugs, a_range_across_the_middle_of_the_address_space_stays_two_pages)
{
    static const uint64_t low = UINT64_C(0x7ffffffffffff000);
    static const uint64_t high = UINT64_C(0x8000000000000000);
    static const struct expected list[] = {
        {SMMU_RIL,
         0,
         0,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         1,
         {{UINT64_C(0x0035000000100012), UINT64_C(0x7ffffffffffff400)}}},
        {VTD,
         0,
         0,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         2,
         {{0x4700f2, UINT64_C(0x7ffffffffffff000)}, {0x4700f2, UINT64_C(0x8000000000000000)}}},
        {VTD_FIRST,
         0,
         0,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         2,
         {{0x470036, UINT64_C(0x7ffffffffffff000)}, {0x470036, UINT64_C(0x8000000000000000)}}},
        {AMD,
         0,
         0,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         2,
         {{UINT64_C(0x3000004700000000), UINT64_C(0x7ffffffffffff002)},
          {UINT64_C(0x3000004700000000), UINT64_C(0x8000000000000002)}}},
        /* as one block it is everything, and everything has a form of its own: bit 63 is 0 */
        {VTD,
         0,
         XINV_POLICY_LATENCY,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         1,
         {{0x4700e2, 0}}},
        {AMD,
         0,
         XINV_POLICY_LATENCY,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         1,
         {{UINT64_C(0x3000004700000000), UINT64_C(0x7ffffffffffff003)}}},
    };

    check(list, N(list));
    for (size_t u = 0; u < N(users); u++)
        for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_AT_MOST; policy++) {
            struct xinv_iommu iommu = iommu_of(users[u].platform, NULL, 0);
            struct xinv_attachment at = attachment(users[u].stage);
            struct xinv_request r = change(users[u].stage, low, high + 0xfff);
            struct xinv_policy p = {.kind = (uint8_t)policy, .blocks = 2};
            struct xinv_out out;

            at.flags = XINV_ATT_ATS;
            cr_assert_gt(run(&iommu, &at, 1, &r, &p, &out), 0);
            /* the decoder refuses an address of all ones, which has no size */
            (void)names(&iommu, &out);
            if (policy != XINV_POLICY_LATENCY && users[u].stage == XINV_STAGE_STAGE2)
                cr_expect_eq(cover(&iommu, &out, true).n, 2, "%s", users[u].platform);
        }
}

/* 17: a guest had to round its page count up to a power of two, since the host could say nothing
 * else */
Test(peer_bugs, ragged_page_counts_are_right_and_cheap)
{
    for (size_t u = 0; u < N(users); u++) {
        struct xinv_iommu iommu = iommu_of(users[u].platform, NULL, 0);
        bool scaled = !strcmp(users[u].platform, "arm-smmuv3-ril");

        if (!strcmp(users[u].platform, "arm-smmuv3-generic"))
            continue; /* a page a command: the ragged count is its cost */
        for (uint64_t pages = 1; pages <= 512; pages++) {
            struct xinv_attachment at = attachment(users[u].stage);
            struct xinv_request r =
                change(users[u].stage, 0x40003000, 0x40003000 + (pages << 12) - 1);
            struct xinv_policy two = {.kind = XINV_POLICY_AT_MOST, .blocks = 2};
            struct covered c;
            struct xinv_out out;

            cr_assert_gt(run(&iommu, &at, 1, &r, NULL, &out), 0);
            c = cover(&iommu, &out, false);
            cr_assert_eq(c.first, r.first);
            cr_assert_eq(c.last, r.last);
            cr_assert_leq(c.n, scaled ? 2 : 18, "%s: %d pages in %u", users[u].platform, (int)pages,
                          c.n);
            cr_assert_gt(run(&iommu, &at, 1, &r, &two, &out), 0);
            c = cover(&iommu, &out, false);
            cr_assert_leq(c.n, 2);
            cr_assert_leq(c.first, r.first);
            cr_assert_geq(c.last, r.last);
            cr_assert_lt(report.extra_pages, pages, "%s: less than as much again",
                         users[u].platform);
        }
    }
}

/* 18: a page size that is not a power of two was rounded down */
Test(peer_bugs, a_size_that_is_no_power_of_two_and_ragged_ends_are_rounded_outward)
{
    static const struct expected list[] = {
        /* 12 KiB at 60 KiB: pages 15 to 17; in granules of 16 KiB 3 and 4; in those of 64 KiB 0 and
           1 */
        {SMMU_RIL, 12, 0, 0xf000, 0x11fff, 1, {{UINT64_C(0x0035000000002012), 0xf400}}},
        {SMMU_RIL, 14, 0, 0xf000, 0x11fff, 1, {{UINT64_C(0x0035000000100012), 0xc800}}},
        {SMMU_RIL, 16, 0, 0xf000, 0x11fff, 1, {{UINT64_C(0x0035000000100012), 0x0c00}}},
        {VTD, 0, 0, 0xf000, 0x11fff, 2, {{0x4700f2, 0xf000}, {0x4700f2, 0x10001}}},
        {AMD,
         0,
         0,
         0xf000,
         0x11fff,
         2,
         {{UINT64_C(0x3000004700000000), 0xf002}, {UINT64_C(0x3000004700000000), 0x10003}}},
        /* bytes */
        {SMMU_RIL, 12, 0, 0x40000801, 0x400017fe, 1, {{UINT64_C(0x0035000000100012), 0x40000400}}},
        {VTD, 0, 0, 0x40000801, 0x400017fe, 1, {{0x4700f2, 0x40000001}}},
        {VTD_FIRST, 0, 0, 0x40000801, 0x400017fe, 1, {{0x470036, 0x40000001}}},
        {AMD, 0, 0, 0x40000801, 0x400017fe, 1, {{UINT64_C(0x3000004700000000), 0x40000003}}},
    };

    check(list, N(list));
}

/* 20: end - start + 1 of the full range wraps to 0 */
Test(peer_bugs, the_full_range_is_everything_in_a_change_and_in_an_explicit_request)
{
    static const uint16_t flags[] = {XINV_REQ_RANGE, XINV_REQ_RANGE | XINV_REQ_INVALIDATE};

    for (size_t u = 0; u < N(users); u++)
        for (size_t f = 0; f < N(flags); f++)
            for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_AT_MOST; policy++) {
                struct xinv_iommu iommu = iommu_of(users[u].platform, NULL, 0);
                struct xinv_attachment at = attachment(users[u].stage);
                struct xinv_request r = change(users[u].stage, 0, UINT64_MAX);
                struct xinv_policy p = {.kind = (uint8_t)policy, .blocks = 1};
                static uint64_t full[64];
                struct xinv_out out;
                uint32_t n;

                at.flags = XINV_ATT_ATS;
                r.flags = flags[f];
                r.caches = XINV_INV_IOTLB | XINV_INV_DEVICE_TLB;
                r.scope = XINV_SCOPE_ADDRESS;
                cr_assert_gt(run(&iommu, &at, 1, &r, &p, &out), 0, "%s", users[u].platform);
                n = out.n_words;
                cr_assert_leq(n, N(full), "%s", users[u].platform);
                memcpy(full, words, n * sizeof(words[0]));
                cr_expect_eq(report.widened, 0);
                /* the same as a request that gives no range */
                r.flags &= (uint16_t)~XINV_REQ_RANGE;
                r.scope = XINV_SCOPE_DOMAIN;
                cr_assert_gt(run(&iommu, &at, 1, &r, &p, &out), 0);
                cr_assert_eq(out.n_words, n, "%s", users[u].platform);
                cr_expect(!memcmp(full, words, n * sizeof(words[0])), "%s", users[u].platform);
            }
}

static void put(uint8_t *bytes, unsigned at, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        bytes[at + i] = (uint8_t)(value >> (8 * i));
}

/* 20: the same through the wire format: MAP and UNMAP of 0 to 2^64 - 1 */
Test(peer_bugs, the_full_range_is_mapped_and_unmapped_by_requests)
{
    static const struct {
        struct user user;
        uint64_t w[2];
    } cases[] = {
        /* the first free tag of each vendor, everything of it */
        {{"arm-smmuv3-generic", XINV_STAGE_STAGE2}, {UINT64_C(0x0000000100000028), 0}},
        {{"arm-smmuv3-ril", XINV_STAGE_STAGE1}, {UINT64_C(0x0001000000000011), 0}},
        {{"intel-vtd-legacy", XINV_STAGE_STAGE2}, {0x0200e2, 0}},
        {{"intel-vtd-scalable", XINV_STAGE_STAGE1}, {0x020026, 0}},
        {{"amd-vi-generic", XINV_STAGE_STAGE2},
         {UINT64_C(0x3000000200000000), UINT64_C(0x7ffffffffffff003)}},
    };
    static _Alignas(16) uint8_t memory[1 << 16];

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = iommu_of(cases[i].user.platform, NULL, 0);
        const struct xinv_iommu *list[] = {&iommu};
        struct xinv_session_config config = {.page_size_mask = ~UINT64_C(0xfff),
                                             .input_end = UINT64_MAX,
                                             .domain_end = 15,
                                             .features = XINV_VIRTIO_F_MAP_UNMAP,
                                             .n_iommus = 1,
                                             .max_endpoints = 2,
                                             .max_domains = 2,
                                             .max_mappings = 4};
        struct xinv_endpoint endpoint = {.id = 8, .rid = 8, .stage = cases[i].user.stage};
        struct xinv_session *s;
        struct xinv_out out = {
            .words = words, .steps = steps, .cap_words = WORDS, .cap_steps = STEPS};
        struct xinv_outcome outcome;
        uint8_t request[36] = {0};
        uint8_t tail[4];

        cr_assert_eq(xinv_session_init(memory, sizeof(memory), &config, list, &s), 0);
        cr_assert_eq(xinv_session_add_endpoint(s, &endpoint), 0);
        put(request, 0, XINV_VIRTIO_ATTACH, 4);
        put(request, 4, 1, 4); /* domain */
        put(request, 8, 8, 4); /* endpoint */
        cr_assert_geq(
            xinv_session_request(s, request, 20, tail, 4, NULL, NULL, NULL, &out, NULL, &outcome),
            0);
        cr_assert_eq(tail[0], XINV_VIRTIO_OK);
        memset(request, 0, sizeof(request));
        put(request, 0, XINV_VIRTIO_MAP, 4);
        put(request, 4, 1, 4);
        put(request, 16, UINT64_MAX, 8); /* virt_end */
        put(request, 32, 3, 4);          /* read and write */
        cr_assert_geq(
            xinv_session_request(s, request, 36, tail, 4, NULL, NULL, NULL, &out, NULL, &outcome),
            0);
        cr_assert_eq(tail[0], XINV_VIRTIO_OK, "%s: %u", cases[i].user.platform, tail[0]);
        cr_assert_eq(xinv_session_mappings(s, 1), 1);
        put(request, 0, XINV_VIRTIO_UNMAP, 4);
        put(request, 24, 0, 4);
        out.n_words = 0;
        out.n_steps = 0;
        cr_assert_gt(
            xinv_session_request(s, request, 28, tail, 4, NULL, NULL, NULL, &out, NULL, &outcome),
            0);
        cr_assert_eq(tail[0], XINV_VIRTIO_OK);
        cr_assert_eq(xinv_session_mappings(s, 1), 0);
        expect_words(cases[i].user.platform, &iommu, &out, &cases[i].w, 1);
    }
}
