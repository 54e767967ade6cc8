// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Outputs of every size below the need: nothing may change, and the need must be told. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/sessionrig.h"

#define S2 XINV_STAGE_STAGE2

/* What the outputs hold before the call. */
#define HAD_WORDS 8
#define HAD_STEPS 3

static struct rig r;

enum kind {
    ATTACH,
    ATTACH_BYPASS,
    ATTACH_ELSEWHERE,
    DETACH,
    MAP,
    UNMAP,
    UNMAP_ALL,
    RESET,
    SET_BYPASS,
    KINDS
};

/* Stage 2 where the IOMMU has it. */
static uint8_t stage_of(const struct xinv_iommu *iommu)
{
    return iommu->stages & XINV_STAGE_BIT(S2) ? S2 : XINV_STAGE_STAGE1;
}

/* An endpoint of IOMMU i with what that has: ATS if it can be, and a store on completion. */
static int add(uint32_t id, uint32_t i)
{
    struct xinv_endpoint e = rig_endpoint(id, i, stage_of(&r.iommu[i]));
    struct xinv_out none = {0};
    int ret = xinv_session_add_endpoint(r.session, &e);

    if (xinv_sync(&r.iommu[i], &r.done[i], &none) < 0)
        r.done[i].store = 0;
    if (ret != -XINV_E_UNSUPP)
        return ret;
    e.flags = 0;
    return xinv_session_add_endpoint(r.session, &e);
}

/*
 * Endpoints 0 and 1 are in domain 1, on two IOMMUs; 2 and 3 in none. Each IOMMU has two. Returns
 * false if IOMMU 0 cannot have any.
 */
static bool open_prepared(const char *platform)
{
    struct xinv_session_config config = rig_config(2);

    rig_platform(&r, 0, platform, NULL, 0);
    rig_platform(&r, 1, "arm-smmuv3-ril", NULL, 0);
    rig_open(&r, &config);
    for (uint32_t id = 0; id < 4; id++) {
        int ret = add(id, id % 2);

        if (ret) {
            cr_assert_eq(ret, -XINV_E_UNSUPP);
            rig_close(&r);
            return false;
        }
        if (id < 2)
            cr_assert_eq(rig_attach(&r, 1, id, 0), XINV_VIRTIO_OK);
    }
    cr_assert_eq(rig_map(&r, 1, 0x3000, 0x8fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xa000, 0xafff, 0), XINV_VIRTIO_OK);
    return true;
}

static int act(enum kind kind, uint8_t *reply)
{
    uint8_t b[36];
    size_t n = 0;

    switch (kind) {
    case ATTACH:
        n = rig_attach_bytes(b, 1, 2, 0);
        break;
    case ATTACH_BYPASS:
        n = rig_attach_bytes(b, 2, 1, 1);
        break;
    case ATTACH_ELSEWHERE:
        n = rig_attach_bytes(b, 2, 0, 0);
        break;
    case DETACH:
        n = rig_detach_bytes(b, 1, 1);
        break;
    case MAP:
        n = rig_map_bytes(b, 1, 0x10000, 0x12fff, 0, 3);
        break;
    case UNMAP:
        n = rig_unmap_bytes(b, 1, 0xa000, 0xafff);
        break;
    case UNMAP_ALL:
        n = rig_unmap_bytes(b, 1, 0, UINT64_MAX);
        break;
    case RESET:
        return xinv_session_reset(r.session, NULL, r.done, r.outs, r.reports, &r.outcome);
    default:
        return xinv_session_set_bypass(r.session, 1, NULL, r.done, r.outs, r.reports, &r.outcome);
    }
    return xinv_session_request(r.session, b, n, reply, 4, NULL, NULL, r.done, r.outs, r.reports,
                                &r.outcome);
}

static bool all_poison(const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        if (b[i] != RIG_POISON)
            return false;
    return true;
}

/* Poisoned buffers with room for these many more words and steps of each IOMMU. */
static void give(const uint32_t *words, const uint32_t *steps)
{
    memset(r.words, RIG_POISON, sizeof(r.words));
    memset(r.steps, RIG_POISON, sizeof(r.steps));
    for (uint32_t i = 0; i < 2; i++)
        r.outs[i] = (struct xinv_out){.words = r.words[i],
                                      .steps = r.steps[i],
                                      .cap_words = HAD_WORDS + words[i],
                                      .cap_steps = HAD_STEPS + steps[i],
                                      .n_words = HAD_WORDS,
                                      .n_steps = HAD_STEPS};
}

struct need {
    uint32_t words[2];
    uint32_t steps[2];
};

static void must_fail(enum kind kind, const struct need *room, const struct need *need)
{
    uint8_t reply[4] = {RIG_POISON, RIG_POISON, RIG_POISON, RIG_POISON};
    struct xinv_out before[2];

    give(room->words, room->steps);
    memcpy(before, r.outs, sizeof(before));
    rig_remember(&r);
    cr_assert_eq(act(kind, reply), -XINV_E_NOSPACE);
    cr_assert(rig_unchanged(&r));
    cr_assert_arr_eq(r.outs, before, sizeof(before));
    cr_assert(all_poison(r.words, sizeof(r.words)));
    cr_assert(all_poison(r.steps, sizeof(r.steps)));
    cr_assert(all_poison(reply, sizeof(reply)));
    cr_assert_eq(r.outcome.error, -XINV_E_NOSPACE);
    cr_assert_eq(r.outcome.status, XINV_VIRTIO_DEVERR);
    cr_assert_eq(r.outcome.iommus, 0);
    cr_assert_eq(r.outcome.written, 0);
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert_eq(r.reports[i].need_words, need->words[i]);
        cr_assert_eq(r.reports[i].need_steps, need->steps[i]);
    }
}

static void must_work(enum kind kind, const struct need *need)
{
    uint8_t reply[4];

    give(need->words, need->steps);
    cr_assert_geq(act(kind, reply), 0);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t words = HAD_WORDS + need->words[i];
        uint32_t steps = HAD_STEPS + need->steps[i];

        cr_assert_eq(r.outs[i].n_words, words);
        cr_assert_eq(r.outs[i].n_steps, steps);
        cr_assert(all_poison(r.words[i], HAD_WORDS * sizeof(uint64_t)));
        cr_assert(all_poison(r.words[i] + words, (RIG_WORDS - words) * sizeof(uint64_t)));
        cr_assert(all_poison(r.steps[i], HAD_STEPS * sizeof(struct xinv_step)));
        cr_assert(all_poison(r.steps[i] + steps, (RIG_STEPS - steps) * sizeof(struct xinv_step)));
    }
}

/* The need by a count alone: in a session of its own, since counting changes the state. */
static struct need count_need(enum kind kind, const char *platform)
{
    uint8_t reply[4];
    struct need need;

    (void)open_prepared(platform);
    memset(r.outs, 0, sizeof(r.outs));
    cr_assert_geq(act(kind, reply), 0);
    for (uint32_t i = 0; i < 2; i++) {
        need.words[i] = r.outs[i].n_words;
        need.steps[i] = r.outs[i].n_steps;
    }
    rig_close(&r);
    return need;
}

static unsigned try_all(enum kind kind, const char *platform)
{
    struct need need = count_need(kind, platform);
    unsigned n = 0;

    (void)open_prepared(platform);
    for (uint32_t i = 0; i < 2; i++) {
        struct need room = need;

        for (room.words[i] = 0; room.words[i] < need.words[i]; room.words[i]++, n++)
            must_fail(kind, &room, &need);
        for (room.steps[i] = 0; room.steps[i] < need.steps[i]; room.steps[i]++, n++)
            must_fail(kind, &room, &need);
    }
    must_work(kind, &need);
    rig_close(&r);
    return n;
}

Test(session_nospace, every_request_on_every_platform_at_every_size)
{
    const struct xinv_platform *p;
    unsigned refused = 0;

    for (unsigned i = 0; (p = xinv_platform_at(i)); i++) {
        bool passes;

        if (!open_prepared(p->name)) {
            refused++;
            continue;
        }
        passes = r.iommu[0].stages & XINV_STAGE_BIT(XINV_STAGE_PASSTHROUGH);
        rig_close(&r);
        for (enum kind kind = ATTACH; kind < KINDS; kind++) {
            unsigned n;

            if (!passes && kind == SET_BYPASS)
                continue;
            n = try_all(kind, p->name);
            /* these remove something everywhere; the others depend on what is cached */
            if (kind != ATTACH && kind != MAP && kind != SET_BYPASS)
                cr_assert_gt(n, 0, "%s, kind %d", p->name, kind);
        }
    }
    cr_assert_eq(refused, 1, "%u: a guest queue takes no configuration command", refused);
}

/* ---- Calls below the session ---- */

static uint8_t ats;
static struct xinv_completion done;

static int translate(const struct xinv_iommu *iommu, struct xinv_out *out,
                     struct xinv_report *report)
{
    bool second = stage_of(iommu) == S2;
    struct xinv_attachment at = {.stage = stage_of(iommu),
                                 .flags = ats,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_ASID) |
                                          XINV_TAG_BIT(XINV_TAG_DID) | XINV_TAG_BIT(XINV_TAG_VMID),
                                 .queue_depth = 16,
                                 .rid = 0x108,
                                 .asid = 5,
                                 .did = 5,
                                 .vmid = second ? 5 : 0};
    struct xinv_request request = {.change =
                                       second ? XINV_CHANGE_STAGE2_PTE : XINV_CHANGE_STAGE1_PTE,
                                   .flags = XINV_REQ_RANGE,
                                   .first = 0x3000,
                                   .last = 0x8fff};

    return xinv_translate(iommu, &at, 1, &request, NULL, &done, out, report);
}

static int sync(const struct xinv_iommu *iommu, struct xinv_out *out, struct xinv_report *report)
{
    (void)report;
    return xinv_sync(iommu, &done, out);
}

/* Takes a platform, and what it has of ATS and of stores on completion. */
static void fit(const struct xinv_platform *p)
{
    struct xinv_report report;
    struct xinv_out none = {0};

    rig_platform(&r, 0, p->name, NULL, 0);
    done = (struct xinv_completion){.store = 1, .address = 0x7000, .data = 1};
    if (sync(&r.iommu[0], &none, &report) < 0)
        done.store = 0;
    ats = XINV_ATT_ATS;
    if (translate(&r.iommu[0], &none, &report) == -XINV_E_MUST_BLOCK)
        ats = 0;
}

typedef int call(const struct xinv_iommu *iommu, struct xinv_out *out, struct xinv_report *report);

static void call_fails(call *f, const uint32_t *words, const uint32_t *steps,
                       const struct xinv_out *need, bool told)
{
    struct xinv_report report = {0};
    struct xinv_out before;

    give(words, steps);
    before = r.outs[0];
    cr_assert_eq(f(&r.iommu[0], &r.outs[0], &report), -XINV_E_NOSPACE);
    cr_assert_arr_eq(&r.outs[0], &before, sizeof(before));
    cr_assert(all_poison(r.words, sizeof(r.words)));
    cr_assert(all_poison(r.steps, sizeof(r.steps)));
    if (!told)
        return;
    cr_assert_eq(report.need_words, need->n_words);
    cr_assert_eq(report.need_steps, need->n_steps);
}

static void try_call(call *f, bool told)
{
    struct xinv_report report;
    struct xinv_out need = {0};
    uint32_t words[2] = {0, 0};
    uint32_t steps[2] = {0, 0};

    cr_assert_gt(f(&r.iommu[0], &need, &report), 0);
    steps[0] = need.n_steps;
    for (words[0] = 0; words[0] < need.n_words; words[0]++)
        call_fails(f, words, steps, &need, told);
    for (steps[0] = 0; steps[0] < need.n_steps; steps[0]++)
        call_fails(f, words, steps, &need, told);
    give(words, steps);
    cr_assert_gt(f(&r.iommu[0], &r.outs[0], &report), 0);
    cr_assert_eq(r.outs[0].n_words, HAD_WORDS + need.n_words);
    cr_assert_eq(r.outs[0].n_steps, HAD_STEPS + need.n_steps);
    cr_assert(all_poison(r.words[0] + r.outs[0].n_words, sizeof(uint64_t) * 64));
    cr_assert(all_poison(r.steps[0] + r.outs[0].n_steps, sizeof(struct xinv_step) * 16));
}

Test(session_nospace, translate_at_every_size)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = xinv_platform_at(i)); i++) {
        fit(p);
        try_call(translate, true);
    }
}

Test(session_nospace, sync_at_every_size)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = xinv_platform_at(i)); i++) {
        fit(p);
        try_call(sync, false);
    }
}
