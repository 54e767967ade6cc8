// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What one call costs: a page of a guest unmapped on each vendor, by a prepared list and planned
 * anew, next to a bare builder of the same words; each further command; one command's words to
 * fields.
 *
 *   calls          a JSON object a line: nanoseconds a call, median of rounds that take turns
 *   calls --names  the cases that --count runs, in order
 *   calls --count  each case once, through counted(): instructions are between two of its calls
 *                  (scripts/check-call-cost.sh)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xinv/prepared.h>

#include "bench/bare.h"

#define ROUNDS      301
#define ROUND_CALLS 500
#define N(list)     (sizeof(list) / sizeof((list)[0]))

static uint64_t words[1024];
static struct xinv_step steps[32];

struct unmap {
    const char *platform;
    bool ats;
    bool store; /* the vendor's lists end with a sync only where it tells somebody */
    bare_builder *bare;
};

static const struct unmap unmaps[] = {
    {"arm-smmuv3-ril", false, false, bare_smmuv3},
    {"arm-smmuv3-ril", true, false, bare_smmuv3_ats},
    {"arm-smmuv3-generic", false, false, bare_smmuv3},
    {"intel-vtd-legacy", false, true, bare_vtd},
    {"intel-vtd-legacy", true, true, bare_vtd_ats},
    {"intel-vtd-scalable", false, true, bare_vtd_wide},
    {"intel-vtd-scalable", true, true, bare_vtd_wide_ats},
    {"amd-vi-generic", false, false, bare_amdvi},
    {"amd-vi-generic", true, false, bare_amdvi_ats},
};

/* Ranges that come to many commands: those of a call less those of one page are further ones. */
static const struct {
    const char *platform;
    uint64_t first;
    uint64_t last;
} longer[] = {
    {"arm-smmuv3-ril", 0x40000000, 0x41040fff}, /* a pair that overlaps */
    {"arm-smmuv3-generic", 0x40000000, 0x4003ffff}, {"intel-vtd-legacy", 0x40001000, 0x41ffefff},
    {"intel-vtd-scalable", 0x40001000, 0x41ffefff}, {"amd-vi-generic", 0x40001000, 0x41ffefff},
};

static const struct {
    const char *platform;
    uint64_t words[4];
} decoded[] = {
    {"arm-smmuv3-ril", {UINT64_C(0x0005000000002012), 0x100701}},
    {"arm-smmuv3-ril", {UINT64_C(0x0000000300005840), 4}},
    {"arm-smmuv3-ril", {0x0fc02046, 0}},
    {"intel-vtd-legacy", {0x2a00f2, UINT64_C(0x7f3c5a001)}},
    {"intel-vtd-legacy", {UINT64_C(0x0000000200000025), 0x1052c04}},
    {"intel-vtd-scalable", {UINT64_C(0x0000000500010036), 0x200049}},
    {"amd-vi-generic", {UINT64_C(0x3000005500000000), UINT64_C(0x7ffffffffffff003)}},
    {"amd-vi-generic", {UINT64_C(0x1000123456789abd), 7}},
};

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* An IOMMU, an attachment and a request, ready to be translated again and again. */
struct rig {
    struct xinv_ladders ladders;
    struct xinv_iommu iommu;
    struct xinv_attachment at;
    struct xinv_request request;
    struct xinv_completion completion;
    struct xinv_report report;
    struct xinv_out out;
    struct xinv_prepared list;
    struct xinv_prepared_command commands[8];
    bool planned; /* each call plans anew */
    bool ring;    /* words go to a ring */
    bool asks;    /* for the report of a prepared list */
    bool bare;    /* for its words alone; the sync is the caller's own */
    uint64_t sync[4];
    struct xinv_decoded decoded;
    uint64_t command[4];
};

static void rig_iommu(struct rig *rig, const char *platform)
{
    memset(rig, 0, sizeof(*rig));
    if (xinv_iommu_init(&rig->iommu, xinv_platform_find(platform), NULL, NULL, 0))
        exit(1);
    xinv_iommu_prepare(&rig->iommu, &rig->ladders);
}

static void rig_unmap(struct rig *rig, const char *platform, bool ats, bool store)
{
    rig_iommu(rig, platform);
    rig->at =
        (struct xinv_attachment){.stage = XINV_STAGE_STAGE2,
                                 .flags = ats ? XINV_ATT_ATS : 0,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID) |
                                          XINV_TAG_BIT(XINV_TAG_VMID),
                                 .rid = BARE_RID,
                                 .did = BARE_TAG,
                                 .vmid = BARE_TAG};
    rig->request = (struct xinv_request){.change = XINV_CHANGE_STAGE2_PTE,
                                         .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY,
                                         .first = 0x40000000,
                                         .last = 0x40000fff};
    if (store)
        rig->completion = (struct xinv_completion){.store = 1, .address = BARE_STATUS, .data = 1};
    if (xinv_prepare(&rig->list, rig->commands, N(rig->commands), &rig->iommu, &rig->at, 1,
                     &rig->request, NULL) <= 0)
        exit(1);
    rig->out = (struct xinv_out){
        .words = rig->sync, .steps = steps, .cap_words = N(rig->sync), .cap_steps = N(steps)};
    (void)xinv_sync(&rig->iommu, &rig->completion, &rig->out); /* where it can be said */
}

static void empty(struct rig *rig)
{
    rig->out = (struct xinv_out){.words = words,
                                 .steps = steps,
                                 .ring_words = rig->ring ? N(words) : 0,
                                 .cap_words = N(words),
                                 .cap_steps = N(steps)};
}

/* The words of a page, for a queue of the caller's own and with its sync. */
static inline int page(struct rig *rig)
{
    uint32_t n = xinv_prepared_page(&rig->list, rig->request.first, words);

    words[n] = rig->sync[0];
    words[n + 1] = rig->sync[1];
    if (rig->iommu.words == 4) {
        words[n + 2] = rig->sync[2];
        words[n + 3] = rig->sync[3];
    }
    rig->out.n_words = n + rig->iommu.words;
    return n ? (int)(rig->out.n_words / rig->iommu.words) : -1;
}

/* The call that is measured. What a prepared list reports does not change from call to call but for
 * its counts, so nobody asks for it there. */
static int call(struct rig *rig)
{
    if (rig->bare)
        return page(rig);
    if (rig->planned)
        return xinv_translate(&rig->iommu, &rig->at, 1, &rig->request, NULL, &rig->completion,
                              &rig->out, &rig->report);
    return xinv_prepared_emit(&rig->list, rig->request.first, rig->request.last, &rig->completion,
                              &rig->out, rig->asks ? &rig->report : NULL);
}

static int counted(struct rig *rig, bool decode)
{
    return decode ? xinv_decode(&rig->iommu, rig->command, &rig->decoded) : call(rig);
}

/* A call that no compiler sees through: the function keeps its name. */
static int (*volatile call_counted)(struct rig *rig, bool decode) = counted;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *list, size_t n)
{
    qsort(list, n, sizeof(*list), by_value);
    return list[n / 2];
}

static double time_calls(struct rig *rig)
{
    uint64_t start = now();

    for (unsigned i = 0; i < ROUND_CALLS; i++) {
        rig->request.first = UINT64_C(0x40000000) + ((uint64_t)i << 12);
        rig->request.last = rig->request.first + 0xfff;
        empty(rig);
        if (call(rig) < 0)
            exit(1);
    }
    return (double)(now() - start) / ROUND_CALLS;
}

static double time_pages(struct rig *rig)
{
    uint64_t start = now();

    for (unsigned i = 0; i < ROUND_CALLS; i++) {
        rig->request.first = UINT64_C(0x40000000) + ((uint64_t)i << 12);
        if (page(rig) < 0)
            exit(1);
    }
    return (double)(now() - start) / ROUND_CALLS;
}

static double time_bare(bare_builder *bare)
{
    uint64_t start = now();

    for (unsigned i = 0; i < ROUND_CALLS; i++) {
        bare(words, BARE_TAG, BARE_RID, UINT64_C(0x40000000) + ((uint64_t)i << 12));
        __asm__ volatile("" : : : "memory");
    }
    return (double)(now() - start) / ROUND_CALLS;
}

/* A baseline that builds other words compares nothing. */
static void check_bare(struct rig *rig, const struct unmap *unmap)
{
    uint64_t bare[16];
    unsigned n = unmap->bare(bare, BARE_TAG, BARE_RID, rig->request.first);

    empty(rig);
    if (call(rig) < 0 || rig->out.n_words != n || memcmp(bare, words, n * sizeof(bare[0])) != 0) {
        fprintf(stderr, "%s: the bare builder's words are not those of the call\n",
                unmap->platform);
        exit(1);
    }
}

static void time_unmap(struct rig *rig, const struct unmap *unmap, const char *kind)
{
    static double ours[ROUNDS];
    static double bare[ROUNDS];
    static double ratio[ROUNDS];

    rig_unmap(rig, unmap->platform, unmap->ats, unmap->store);
    rig->planned = strcmp(kind, "plan") == 0;
    rig->bare = strcmp(kind, "page") == 0;
    check_bare(rig, unmap);
    for (unsigned i = 0; i < ROUNDS; i++) {
        bare[i] = time_bare(unmap->bare);
        ours[i] = rig->bare ? time_pages(rig) : time_calls(rig);
        ratio[i] = ours[i] / bare[i];
    }
    printf("{\"case\": \"%s %s%s\", \"commands\": %" PRIu32
           ", \"ns\": %.1f, \"bare_ns\": %.2f, \"ratio\": %.1f}\n",
           kind, unmap->platform, unmap->ats ? " ats" : "", rig->out.n_words / rig->iommu.words,
           median(ours, ROUNDS), median(bare, ROUNDS), median(ratio, ROUNDS));
}

static void time_decode(struct rig *rig, unsigned k)
{
    static double ns[ROUNDS];

    rig_iommu(rig, decoded[k].platform);
    memcpy(rig->command, decoded[k].words, sizeof(rig->command));
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = now();

        for (unsigned c = 0; c < ROUND_CALLS; c++)
            if (xinv_decode(&rig->iommu, rig->command, &rig->decoded))
                exit(1);
        ns[i] = (double)(now() - start) / ROUND_CALLS;
    }
    printf("{\"case\": \"decode %s %s\", \"ns\": %.1f}\n", decoded[k].platform, rig->decoded.name,
           median(ns, ROUNDS));
}

static void count_case(struct rig *rig, const char *kind, bool decode, bool names)
{
    int commands;

    empty(rig);
    commands = call_counted(rig, decode);
    if (commands < 0)
        exit(1);
    if (names)
        printf("%s %s%s%s\t%d\n", kind, rig->iommu.platform->name, decode ? " " : "",
               decode          ? rig->decoded.name
               : rig->at.flags ? " ats"
                               : "",
               decode ? 1 : commands);
}

static void count(struct rig *rig, bool names)
{
    for (size_t i = 0; i < N(unmaps); i++) {
        rig_unmap(rig, unmaps[i].platform, unmaps[i].ats, unmaps[i].store);
        count_case(rig, "unmap", false, names);
        rig->ring = true;
        rig->asks = true;
        count_case(rig, "ring", false, names);
        rig->ring = false;
        rig->bare = true;
        count_case(rig, "page", false, names);
        rig->bare = false;
        rig->planned = true;
        count_case(rig, "plan", false, names);
    }
    for (size_t i = 0; i < N(longer); i++) {
        rig_unmap(rig, longer[i].platform, false, false);
        rig->request.first = longer[i].first;
        rig->request.last = longer[i].last;
        rig->completion.store = strstr(longer[i].platform, "vtd") != NULL;
        rig->completion.address = BARE_STATUS;
        count_case(rig, "longer", false, names);
    }
    for (size_t i = 0; i < N(decoded); i++) {
        rig_iommu(rig, decoded[i].platform);
        memcpy(rig->command, decoded[i].words, sizeof(rig->command));
        count_case(rig, "decode", true, names);
    }
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"unmap", "page", "plan"};
    static struct rig rig;

    if (argc > 1) {
        count(&rig, strcmp(argv[1], "--names") == 0);
        return 0;
    }
    for (size_t k = 0; k < N(kinds); k++)
        for (size_t i = 0; i < N(unmaps); i++)
            time_unmap(&rig, &unmaps[i], kinds[k]);
    for (unsigned i = 0; i < N(decoded); i++)
        time_decode(&rig, i);
    return 0;
}
