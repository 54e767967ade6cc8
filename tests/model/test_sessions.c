// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Whole sessions on machines with caches: no stale entry can ever be hit. Scripts are in
 * tests/model/sessions; random ones follow XINV_SEED, XINV_MODEL_SESSIONS sets how many.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xinv/platforms.h>
#include <xinv/session.h>

#include "model/rules.h"
#include "tests/support/hardware.h"
#include "tests/support/random.h"
#include "tests/support/scriptrun.h"

#ifdef __SANITIZE_ADDRESS__
#define SESSIONS 3
#else
#define SESSIONS 20
#endif

/* ---- Scripts -----------------------------------------------------------------------------------
 */

struct count {
    unsigned long runs;
    unsigned long refused;
    unsigned long commands;
    unsigned long filled;
    unsigned long judged;
    unsigned failures;
};

static void fail(const struct script *script, const struct scriptrun *setup,
                 const struct script_result *result, struct count *count)
{
    static struct script shrunk;
    struct script_result last = *result;

    if (count->failures++ >= 4)
        return;
    shrunk = *script;
    if (result->end == SCRIPT_STALE) {
        script_shrink(&shrunk, setup);
        script_run(&shrunk, setup, &last);
    }
    script_report(&shrunk, setup, &last, stdout);
}

static bool run_one(const struct script *script, const struct scriptrun *setup, struct count *count)
{
    struct script_result result;

    script_run(script, setup, &result);
    count->commands += result.commands;
    count->filled += result.filled;
    count->judged += result.judged;
    if (result.end == SCRIPT_REFUSED) {
        count->refused++;
        return false;
    }
    count->runs++;
    if (result.end != SCRIPT_FINE)
        fail(script, setup, &result, count);
    return true;
}

static const struct xinv_policy policies[] = {
    {.kind = XINV_POLICY_EXACT, .max_commands = 512},
    {.kind = XINV_POLICY_LATENCY, .max_commands = 512},
    {.kind = XINV_POLICY_AT_MOST, .blocks = 2, .max_commands = 512},
};

static bool has_kick(const struct script *script)
{
    for (unsigned i = 0; i < script->n_steps; i++)
        if (script->steps[i].op == SCRIPT_KICK)
            return true;
    return false;
}

/* Every stage, policy, with and without ATS, and (unless the script forbids) with DMA all the time;
 * half of them with prepared lists.
 * The second IOMMU is the same, or the next platform. Returns how many of them the platform can be.
 */
static unsigned run_on(const struct script *script, unsigned p, struct count *count)
{
    unsigned stages = script->n_contexts ? 1 : 2;
    unsigned able = 0;

    for (unsigned i = 0; i < stages * 48; i++) {
        const struct xinv_platform *other = hardware_at(p + 1);
        struct scriptrun setup = {
            .platforms = {hardware_at(p), i & 4 ? other ? other : hardware_at(0) : hardware_at(p)},
            .stage = i / 48 ? XINV_STAGE_STAGE1 : XINV_STAGE_STAGE2,
            .ats = i & 1,
            .eager = i & 2,
            .late = i & 8,
            .policy = &policies[i / 16 % 3],
            .lists = (p + i / 16) % 2 ? 3 : 0};

        if ((setup.stage == XINV_STAGE_STAGE1 && script->stage2_only) ||
            (setup.stage == XINV_STAGE_STAGE2 && script->stage1_only) ||
            (setup.eager && script->lazy) || (i & 4 && !script->two_iommus) ||
            (setup.late && !has_kick(script)))
            continue;
        able += run_one(script, &setup, count);
    }
    return able;
}

static void script_named(const char *name, struct script *script)
{
    const char *root = getenv("XINV_SOURCE_DIR");
    char path[512];
    char error[512];

    snprintf(path, sizeof(path), "%s/tests/model/sessions/%s", root ? root : ".", name);
    cr_assert(script_read(script, path, error, sizeof(error)), "%s", error);
}

static int is_script(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 8 && !strcmp(entry->d_name + n - 8, ".session");
}

Test(sessions, no_script_meets_a_stale_entry)
{
    static struct script script;
    const char *root = getenv("XINV_SOURCE_DIR");
    struct count count = {.runs = 0};
    struct dirent **names;
    char path[512];
    int n;

    snprintf(path, sizeof(path), "%s/tests/model/sessions", root ? root : ".");
    n = scandir(path, &names, is_script, alphasort);
    cr_assert_geq(n, 20);
    for (int i = 0; i < n; i++) {
        unsigned vendors = 0;

        script_named(names[i]->d_name, &script);
        for (unsigned p = 0; hardware_at(p); p++)
            if (run_on(&script, p, &count)) {
                struct xinv_iommu iommu;
                struct model_config config;

                xinv_iommu_init(&iommu, hardware_at(p), NULL, NULL, 0);
                cr_assert_eq(model_config_of(&config, &iommu), 0);
                vendors |= 1u << config.vendor;
            }
        cr_expect_eq(vendors, 7, "%s does not run on every vendor's: 0x%x", script.name, vendors);
        free(names[i]);
    }
    free(names);
    printf("%d scripts, %lu runs (%lu refused), %lu commands; %lu entries cached, %lu of them "
           "stale when commands ran\n",
           n, count.runs, count.refused, count.commands, count.filled, count.judged);
    cr_expect_eq(count.failures, 0);
    cr_expect_gt(count.judged, count.runs);
}

/* ---- Defects -----------------------------------------------------------------------------------
 */

static void forget(struct xinv_out *out)
{
    out->n_words = out->n_steps = 0;
}

/* One UNMAP of many is not told to the hardware. */
static void forget_one_unmap(const struct script_step *step, uint32_t iommu, struct xinv_out *out)
{
    (void)iommu;
    if (step->op == SCRIPT_UNMAP && step->first == 0x12000)
        forget(out);
}

static void forget_second_iommu(const struct script_step *step, uint32_t iommu,
                                struct xinv_out *out)
{
    if (step->op == SCRIPT_UNMAP && iommu == 1)
        forget(out);
}

static void forget_departures(const struct script_step *step, uint32_t iommu, struct xinv_out *out)
{
    (void)iommu;
    if (step->op == SCRIPT_DETACH)
        forget(out);
}

/* SMMUv3's opcodes */
#define SMMU_NH_ASID 0x11u
#define SMMU_SYNC    0x46u

/* The device entry goes, what was made under its tag stays. */
static void forget_asids(const struct script_step *step, uint32_t iommu, struct xinv_out *out)
{
    (void)iommu;
    for (uint32_t i = 0; i + 2 <= out->n_words && step->op == SCRIPT_DETACH; i += 2)
        if ((out->words[i] & 0xff) == SMMU_NH_ASID) {
            out->words[i] = SMMU_SYNC;
            out->words[i + 1] = 0;
        }
}

/* Every SYNC of an UNMAP goes to the end of its list. */
static void forget_fences(const struct script_step *step, uint32_t iommu, struct xinv_out *out)
{
    (void)iommu;
    for (uint32_t i = 0; i + 4 <= out->n_words && step->op == SCRIPT_UNMAP; i += 2) {
        if ((out->words[i] & 0xff) != SMMU_SYNC)
            continue;
        memmove(&out->words[i], &out->words[i + 2], (out->n_words - i - 2) * sizeof(uint64_t));
        out->words[out->n_words - 2] = SMMU_SYNC;
        out->words[out->n_words - 1] = 0;
    }
}

/* Runs a script with a defect, and expects what is left of it, a step a line. */
static void expect_shrunk(const char *name, struct scriptrun *setup, const char *steps,
                          const char *why)
{
    static struct script script;
    struct script_result result;
    char got[1024] = "";
    char line[160];

    script_named(name, &script);
    script_run(&script, setup, &result);
    cr_assert_eq(result.end, SCRIPT_STALE, "%s", result.text);
    cr_expect_gt(script_shrink(&script, setup), script.n_steps);
    script_run(&script, setup, &result);
    cr_assert_eq(result.end, SCRIPT_STALE);
    for (unsigned i = 0; i < script.n_steps; i++) {
        script_step_text(&script.steps[i], line, sizeof(line));
        strcat(strcat(got, line), "\n");
    }
    cr_expect_str_eq(got, steps);
    cr_expect_str_eq(result.text, why);
}

Test(sessions, a_forgotten_unmap_shrinks_to_four_steps)
{
    struct scriptrun setup = {.platforms = {&xinv_platform_intel_vtd_legacy},
                              .stage = XINV_STAGE_STAGE2,
                              .tamper = forget_one_unmap};

    /* an access anywhere below 512 GiB takes the table's page that goes with its last mapping */
    expect_shrunk("many-unmaps-in-a-kick.session", &setup,
                  "attach 1 9\n"
                  "map 1 0x12000..0x13fff\n"
                  "dma 9 0x7ffff000\n"
                  "unmap 1 0x12000..0x13fff\n",
                  "IOMMU 0: stage-2 table entry: DID 2 0x0..0x7fffffffff: no command is about it");
    /* where everybody accesses everything, three are enough */
    setup.eager = true;
    expect_shrunk("many-unmaps-in-a-kick.session", &setup,
                  "attach 1 9\n"
                  "map 1 0x12000..0x13fff\n"
                  "unmap 1 0x12000..0x13fff\n",
                  "IOMMU 0: stage-2 table entry: DID 2 0x0..0x7fffffffff: no command is about it");
}

Test(sessions, an_iommu_that_is_not_told_is_named)
{
    struct scriptrun setup = {
        .platforms = {&xinv_platform_amd_vi_generic, &xinv_platform_amd_vi_generic},
        .stage = XINV_STAGE_STAGE2,
        .ats = true,
        .tamper = forget_second_iommu};

    expect_shrunk("two-iommus.session", &setup,
                  "attach 1 9\n"
                  "map 1 0x1000..0x4fff\n"
                  "dma 9 0x4000\n"
                  "unmap 1 0x1000..0x4fff\n",
                  "IOMMU 1: stage-2 table entry: DomainID 2 0x0..0x7fffffffff: "
                  "no command is about it");
}

Test(sessions, a_departure_that_is_not_told_leaves_the_device_entry)
{
    struct scriptrun setup = {.platforms = {&xinv_platform_arm_smmuv3_generic},
                              .stage = XINV_STAGE_STAGE1,
                              .tamper = forget_departures};

    expect_shrunk("tag-reuse.session", &setup,
                  "attach 1 8\n"
                  "dma 8 0x2000\n"
                  "detach 1 8\n",
                  "IOMMU 0: STE: RID 0x108: no command is about it");
}

Test(sessions, a_tag_that_is_not_clean_is_noticed_when_it_is_used_again)
{
    struct scriptrun setup = {.platforms = {&xinv_platform_arm_smmuv3_generic},
                              .stage = XINV_STAGE_STAGE1,
                              .tamper = forget_asids};

    expect_shrunk("tag-reuse.session", &setup,
                  "attach 1 8\n"
                  "map 1 0x1000..0x2fff\n"
                  "dma 8 0x2000\n"
                  "detach 1 8\n"
                  "attach 2 9\n",
                  "IOMMU 0: stage-1 table entry: VMID 0 ASID 1 0x0..0x7fffffffff: "
                  "no command is about it");
}

Test(sessions, a_missing_fence_lets_the_device_tlb_refill)
{
    struct scriptrun setup = {.platforms = {&xinv_platform_arm_smmuv3_generic},
                              .stage = XINV_STAGE_STAGE2,
                              .ats = true,
                              .tamper = forget_fences};

    expect_shrunk("unmap-under-dma.session", &setup,
                  "attach 1 8\n"
                  "map 1 0x1000..0x1fff\n"
                  "dma 8 0x1000\n"
                  "unmap 1 0x0..0xffffffffffffffff\n",
                  "IOMMU 0: device TLB entry: RID 0x108 no PASID 0x1000..0x1fff: "
                  "it is removed too early, and comes back");
}

/* ---- Random sessions ---------------------------------------------------------------------------
 */

/* Pages, a leaf of 2 MiB, its neighbours on both sides, and one that cannot be a leaf. */
static void random_range(struct script_step *s)
{
    static const struct {
        uint64_t first;
        uint64_t last;
    } odd[] = {{0x200000, 0x3fffff},
               {0x1ff000, 0x400fff},
               {0x40000000, 0x401fffff},
               {0x3ffff000, 0x40000fff},
               {0x201000, 0x202fff}};
    unsigned i = random_below(12);

    if (i < 5) {
        s->first = odd[i].first;
        s->last = odd[i].last;
        return;
    }
    s->first = (uint64_t)(1 + random_below(6)) << 12;
    s->last = s->first + ((uint64_t)(1 + random_below(3)) << 12) - 1;
}

static uint64_t random_address(void)
{
    struct script_step s;

    random_range(&s);
    return random_chance(50) ? s.first : model_base(s.last, 12);
}

static void random_request(struct script *script, struct script_step *s)
{
    static const uint8_t ops[] = {SCRIPT_MAP,    SCRIPT_MAP,    SCRIPT_UNMAP,
                                  SCRIPT_UNMAP,  SCRIPT_UNMAP,  SCRIPT_ATTACH,
                                  SCRIPT_ATTACH, SCRIPT_DETACH, SCRIPT_BYPASS};

    s->op = ops[random_below(sizeof(ops))];
    s->number = 1 + random_below(4);
    s->endpoint = script->endpoints[random_below(script->n_endpoints)].id;
    if (s->op == SCRIPT_MAP || s->op == SCRIPT_UNMAP)
        random_range(s);
    if (s->op == SCRIPT_UNMAP && random_chance(10)) {
        s->first = 0;
        s->last = UINT64_MAX;
    }
    if (s->op == SCRIPT_UNMAP)
        s->flags = (uint8_t[]){0, 0, SCRIPT_HINT, SCRIPT_LEAF_ONLY}[random_below(4)];
    if (s->op == SCRIPT_ATTACH && s->number == 4)
        s->flags = SCRIPT_BYPASSED;
    if (s->op == SCRIPT_BYPASS)
        s->first = random_below(2);
    if (s->op == SCRIPT_MAP && random_chance(20))
        s->log2_leaf = 12;
}

static void random_session(struct script *script)
{
    bool in_kick = false;

    memset(script, 0, sizeof(*script));
    strcpy(script->name, "random session");
    script->max_domains = 3 + random_below(3);
    script->n_endpoints = 2 + random_below(2);
    script->two_iommus = random_chance(40);
    for (unsigned i = 0; i < script->n_endpoints; i++)
        script->endpoints[i] = (struct script_endpoint){.id = 8 + i,
                                                        .iommu = script->two_iommus && i,
                                                        .no_ats = random_chance(20),
                                                        .other_stage = random_chance(20)};
    while (script->n_steps < 60) {
        struct script_step *s = &script->steps[script->n_steps++];

        s->status = SCRIPT_ANY;
        if (random_chance(8)) {
            s->op = in_kick ? SCRIPT_DONE : SCRIPT_KICK;
            in_kick = !in_kick;
        } else if (random_chance(1)) {
            s->op = SCRIPT_RESET;
        } else if (random_chance(50)) {
            s->op = SCRIPT_DMA;
            s->endpoint = script->endpoints[random_below(script->n_endpoints)].id;
            s->first = random_address();
        } else {
            random_request(script, s);
        }
    }
}

/* Changes of PASIDs and of guests' memory: two PASIDs over tables of their own, or two guests over
 * one parent. */
static void random_changes(struct script *script)
{
    static const uint8_t ops[] = {SCRIPT_S1MAP,   SCRIPT_S1MAP, SCRIPT_S1UNMAP,
                                  SCRIPT_S1UNMAP, SCRIPT_S2MAP, SCRIPT_S2UNMAP,
                                  SCRIPT_ENTER,   SCRIPT_ENTER, SCRIPT_LEAVE};
    static const char text[][320] = {
        "context a stage1 pasid=5 tag=5 s1=A\n"
        "context b stage1 pasid=6 tag=6 s1=B\n",
        "context a nested tag=5 asid=1 s1=A s2=D\n"
        "context b nested rid=0x318 tag=6 asid=1 s1=B s2=D\n"
        "s2map D 0x80000000..0x800fffff leaf=12\n",
        "context a nested pasid=5 tag=5 asid=1 s1=A s2=D\n"
        "context b nested pasid=6 tag=5 asid=2 s1=B s2=D\n"
        "s2map D 0x80000000..0x800fffff leaf=12\n",
    };
    char error[80];

    memset(script, 0, sizeof(*script));
    strcpy(script->name, "random changes");
    cr_assert(script_parse(script, text[random_below(3)], error, sizeof(error)), "%s", error);
    while (script->n_steps < 60) {
        struct script_step *s = &script->steps[script->n_steps++];

        s->status = SCRIPT_ANY;
        s->op = random_chance(45) ? SCRIPT_C_DMA : ops[random_below(sizeof(ops))];
        s->number = random_below(2);
        if (s->op == SCRIPT_S2MAP || s->op == SCRIPT_S2UNMAP) {
            s->number = 3; /* without nesting nobody walks it */
            if (random_chance(20)) {
                s->first = UINT64_C(0x80000000);
                s->last = UINT64_C(0x800fffff);
                continue;
            }
        }
        random_range(s);
        if (s->op == SCRIPT_C_DMA)
            s->first = random_address();
        if ((s->op == SCRIPT_S1UNMAP || s->op == SCRIPT_S2UNMAP) && random_chance(30))
            s->flags = SCRIPT_LEAF_ONLY;
    }
}

static void random_runs(void (*make)(struct script *script))
{
    static struct script script;
    unsigned n = (unsigned)random_given("XINV_MODEL_SESSIONS", SESSIONS);
    struct count count = {.runs = 0};

    random_start_at(20241130);
    for (unsigned i = 0; i < n; i++) {
        make(&script);
        for (unsigned p = 0; hardware_at(p); p++) {
            const struct xinv_platform *other = hardware_at(random_below(30));
            struct scriptrun setup = {.platforms = {hardware_at(p), other ? other : hardware_at(0)},
                                      .stage =
                                          random_chance(50) ? XINV_STAGE_STAGE1 : XINV_STAGE_STAGE2,
                                      .ats = random_chance(60),
                                      .eager = random_chance(30),
                                      .late = random_chance(50),
                                      .policy = &policies[random_below(3)],
                                      .lists = random_below(4)};

            run_one(&script, &setup, &count);
        }
    }
    printf("%u random sequences, %lu runs (%lu refused), %lu commands; %lu entries cached, %lu of "
           "them stale when commands ran\n",
           n, count.runs, count.refused, count.commands, count.filled, count.judged);
    cr_expect_eq(count.failures, 0);
    cr_expect_gt(count.judged, count.runs);
}

Test(sessions, no_random_session_meets_a_stale_entry)
{
    random_runs(random_session);
}

Test(sessions, no_random_changes_of_pasids_and_guests_leave_a_stale_entry)
{
    random_runs(random_changes);
}
