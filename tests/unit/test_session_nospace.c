// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Outputs of every size below the need: nothing may change, and the need must be told. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/hardware.h"
#include "tests/support/sessionrig.h"

#define S2 XINV_STAGE_STAGE2

/* What the outputs hold before the call. */
#define HAD_WORDS 8
#define HAD_STEPS 3

static struct rig r;

/* What a platform has of that which these tests use. */
struct means {
    bool attaches; /* a device entry of that stage can be changed */
    uint8_t stage;
    uint8_t flags; /* XINV_ATT_ATS where commands reach the device TLB */
    bool stores;   /* the last sync can store */
    bool passes;   /* endpoints can pass untranslated */
};

static struct means means_of(const struct xinv_platform *platform)
{
    struct xinv_completion store = {.store = 1, .address = 0x7000};
    struct xinv_request change = {.change = XINV_CHANGE_DEVICE_ENTRY};
    struct xinv_attachment at = {.known = 0x1d, .did = 5, .asid = 5, .vmid = 5};
    struct xinv_out none = {0};
    struct means m = {0};
    struct xinv_iommu iommu;

    cr_assert_eq(xinv_iommu_init(&iommu, platform, NULL, NULL, 0), 0);
    m.stage = iommu.stages & XINV_STAGE_BIT(S2) ? S2 : XINV_STAGE_STAGE1;
    at.stage = m.stage;
    m.attaches = xinv_translate(&iommu, &at, 1, &change, NULL, NULL, &none, NULL) >= 0;
    at.flags = XINV_ATT_ATS;
    if (xinv_translate(&iommu, &at, 1, &change, NULL, NULL, &none, NULL) >= 0)
        m.flags = XINV_ATT_ATS;
    m.passes = iommu.stages & XINV_STAGE_BIT(XINV_STAGE_PASSTHROUGH);
    m.stores = xinv_sync(&iommu, &store, &none) > 0;
    return m;
}

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

/* Endpoints 0 and 1 are in domain 1, on two IOMMUs; 2 and 3 in none. Each IOMMU has two. */
static void open_prepared(const char *const *platforms)
{
    struct xinv_session_config config = rig_config(2);

    rig_platform(&r, 0, platforms[0], NULL, 0);
    rig_platform(&r, 1, platforms[1], NULL, 0);
    rig_open(&r, &config);
    for (uint32_t id = 0; id < 4; id++) {
        struct means m = means_of(xinv_platform_find(platforms[id % 2]));
        struct xinv_endpoint e = rig_endpoint(id, id % 2, m.stage);

        e.flags = m.flags;
        rig_add(&r, &e);
        if (id < 2)
            cr_assert_eq(rig_attach(&r, 1, id, 0), XINV_VIRTIO_OK, "%s", platforms[id % 2]);
    }
    cr_assert_eq(rig_map(&r, 1, 0x3000, 0x8fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xa000, 0xafff, 0), XINV_VIRTIO_OK);
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
static struct need count_need(enum kind kind, const char *const *platforms)
{
    uint8_t reply[4];
    struct need need;

    open_prepared(platforms);
    memset(r.outs, 0, sizeof(r.outs));
    cr_assert_geq(act(kind, reply), 0, "%s, %s, kind %d", platforms[0], platforms[1], kind);
    for (uint32_t i = 0; i < 2; i++) {
        need.words[i] = r.outs[i].n_words;
        need.steps[i] = r.outs[i].n_steps;
    }
    rig_close(&r);
    return need;
}

static unsigned try_all(enum kind kind, const char *const *platforms)
{
    struct need need = count_need(kind, platforms);
    unsigned n = 0;

    open_prepared(platforms);
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

    for (unsigned i = 0; (p = hardware_at(i)); i++) {
        const struct xinv_platform *next = hardware_at(i + 1);
        const char *platforms[2] = {p->name, next ? next->name : hardware_at(0)->name};

        if (!means_of(p).attaches)
            continue; /* a guest's own queue: nothing can be attached through it */
        if (next && !means_of(next).attaches)
            platforms[1] = p->name;

        for (enum kind kind = ATTACH; kind < KINDS; kind++) {
            unsigned n;

            if (kind == SET_BYPASS && !(means_of(xinv_platform_find(platforms[0])).passes &&
                                        means_of(xinv_platform_find(platforms[1])).passes))
                continue;
            n = try_all(kind, platforms);

            /* these remove something everywhere; the others depend on what is cached */
            if (kind != ATTACH && kind != ATTACH_BYPASS && kind != MAP && kind != SET_BYPASS)
                cr_assert_gt(n, 0, "%s, kind %d", p->name, kind);
        }
    }
}

/* ---- Calls below the session ---- */

static int translate(const struct xinv_iommu *iommu, struct xinv_out *out,
                     struct xinv_report *report)
{
    struct means m = means_of(iommu->platform);
    struct xinv_attachment at = {.stage = m.stage,
                                 .flags = m.flags,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID) |
                                          XINV_TAG_BIT(XINV_TAG_VMID) | XINV_TAG_BIT(XINV_TAG_ASID),
                                 .asid = 5,
                                 .queue_depth = 16,
                                 .rid = 0x108,
                                 .did = 5,
                                 .vmid = 5};
    struct xinv_request request = {.change = m.stage == S2 ? XINV_CHANGE_STAGE2_PTE
                                                           : XINV_CHANGE_STAGE1_PTE,
                                   .flags = XINV_REQ_RANGE,
                                   .first = 0x3000,
                                   .last = 0x8fff};
    struct xinv_completion done = {.store = m.stores, .address = 0x7000, .data = 1};

    return xinv_translate(iommu, &at, 1, &request, NULL, &done, out, report);
}

static int sync(const struct xinv_iommu *iommu, struct xinv_out *out, struct xinv_report *report)
{
    struct xinv_completion done = {
        .store = means_of(iommu->platform).stores, .address = 0x7000, .data = 1};

    (void)report;
    return xinv_sync(iommu, &done, out);
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

    for (unsigned i = 0; (p = hardware_at(i)); i++) {
        rig_platform(&r, 0, p->name, NULL, 0);
        try_call(translate, true);
    }
}

Test(session_nospace, sync_at_every_size)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = hardware_at(i)); i++) {
        rig_platform(&r, 0, p->name, NULL, 0);
        try_call(sync, false);
    }
}
