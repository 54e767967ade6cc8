// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Mistakes that other implementations of the same thing have made in public, each as a test of the
 * behaviour that they missed. Words were assembled by hand from the specifications.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xinv/session.h>

#include "tests/support/listrig.h"

/* 4: a bit-field write into an uninitialised array element */
Test(peer_bugs, every_output_byte_is_written_whatever_was_there)
{
    for (size_t u = 0; u < LIST_USERS; u++) {
        struct xinv_iommu iommu = test_iommu(list_users[u].platform, NULL, 0);
        struct xinv_attachment at = list_attachment(list_users[u].stage);
        struct xinv_request r = list_change(list_users[u].stage, 0x12345000, 0x12359fff);
        static uint64_t other[LIST_WORDS];
        static struct xinv_step other_steps[LIST_STEPS];
        struct xinv_out a = {.words = list_words,
                             .steps = list_steps,
                             .cap_words = LIST_WORDS,
                             .cap_steps = LIST_STEPS};
        struct xinv_out b = {
            .words = other, .steps = other_steps, .cap_words = LIST_WORDS, .cap_steps = LIST_STEPS};

        at.flags = XINV_ATT_ATS | XINV_ATT_PASID_ENABLED;
        memset(list_words, 0, sizeof(list_words));
        memset(list_steps, 0, sizeof(list_steps));
        memset(other, 0xff, sizeof(other));
        memset(other_steps, 0xff, sizeof(other_steps));
        cr_assert_gt(xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &a, NULL), 0, "%s",
                     list_users[u].platform);
        cr_assert_gt(xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &b, NULL), 0);
        cr_assert_eq(a.n_words, b.n_words);
        cr_assert_eq(a.n_steps, b.n_steps);
        cr_expect(!memcmp(list_words, other, a.n_words * sizeof(list_words[0])), "%s",
                  list_users[u].platform);
        for (uint32_t s = 0; s < a.n_steps; s++) {
            cr_expect_eq(list_steps[s].kind, other_steps[s].kind);
            cr_expect_eq(list_steps[s].row, other_steps[s].row);
            cr_expect_eq(list_steps[s].first, other_steps[s].first);
            cr_expect_eq(list_steps[s].count, other_steps[s].count);
            cr_expect_eq(list_steps[s].reg, other_steps[s].reg);
            cr_expect_eq(list_steps[s].poll_reg, other_steps[s].poll_reg);
            cr_expect_eq(list_steps[s].bits, other_steps[s].bits);
        }
        for (uint32_t w = a.n_words; w < LIST_WORDS; w++)
            cr_assert(list_words[w] == 0 && other[w] == UINT64_MAX,
                      "nothing behind the end is touched");
    }
}

/* 6: a threshold compared the wrong way round: a loop for big ranges, a full flush for small ones
 */
Test(peer_bugs, both_sides_of_a_command_limit_choose_as_they_should)
{
    static const struct {
        struct list_user user;
        uint64_t pages;
        uint16_t commands; /* that the range needs exactly */
        uint64_t wide[2];
    } cases[] = {
        /* one page a command */
        {LIST_SMMU, 512, 512, {UINT64_C(0x0000005900000028), 0}},
        /* pages 1 to 22: 1 2 4 8 and 4 2 1 */
        {LIST_VTD, 22, 7, {0x4700e2, 0}},
        {LIST_AMD, 22, 7, {UINT64_C(0x3000004700000000), UINT64_C(0x7ffffffffffff003)}},
        {LIST_VTD_FIRST, 22, 7, {0x470026, 0}},
        /* 33 granules: a window of 1 and one of 32 */
        {LIST_SMMU_RIL, 33, 2, {UINT64_C(0x0035000000000011), 0}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = test_iommu(cases[i].user.platform, NULL, 0);
        struct xinv_attachment at = list_attachment(cases[i].user.stage);
        struct xinv_request r =
            list_change(cases[i].user.stage, 0x1000, 0x1000 + (cases[i].pages << 12) - 1);
        struct xinv_policy policy = {.kind = XINV_POLICY_EXACT, .max_commands = cases[i].commands};
        struct xinv_out out;

        cr_assert_gt(list_run(&iommu, &at, 1, &r, &policy, &out), 0);
        cr_expect_eq(list_cover(&iommu, &out, false).n, cases[i].commands, "%s",
                     cases[i].user.platform);
        cr_expect_eq(list_report.widened, 0);
        policy.max_commands--;
        cr_assert_gt(list_run(&iommu, &at, 1, &r, &policy, &out), 0);
        list_expect_removals(cases[i].user.platform, &iommu, &out, &cases[i].wide, 1);
        cr_expect_eq(list_report.widened, BIT(ADDRESS));
    }
}

/* 7: the mask was passed as the shift when setting S */
Test(peer_bugs, the_size_bit_stands_beside_every_size_and_nowhere_else)
{
    for (unsigned order = 0; order <= 40; order++) {
        uint64_t size = UINT64_C(4096) << order;
        uint64_t base = UINT64_C(0xa) << 56 | (order < 40 ? size : 0);
        uint64_t ones = 0;
        struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
        struct xinv_request r;
        struct xinv_iommu iommu = test_iommu("amd-vi-generic", NULL, 0);
        struct xinv_out out;

        base &= ~(size - 1);
        r = list_change(XINV_STAGE_STAGE2, base, base + size - 1);
        for (unsigned bit = 12; bit + 1 < 12 + order; bit++)
            ones |= UINT64_C(1) << bit;
        at.flags = XINV_ATT_ATS;
        cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_eq(list_words[1], base | ones | 2 | (order > 0), "order %u: %016" PRIx64, order,
                     list_words[1]);
        cr_expect_eq(list_words[5], base | ones | (order > 0), "order %u: %016" PRIx64, order,
                     list_words[5]);
        if (order > 18)
            continue; /* CAP.MAMV of this unit */
        iommu = test_iommu("intel-vtd-legacy", "DT", 1);
        cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_eq(list_words[1], base | order, "order %u: %016" PRIx64, order, list_words[1]);
        cr_expect_eq(list_words[3], base | ones | (order > 0), "order %u: %016" PRIx64, order,
                     list_words[3]);
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
        struct xinv_iommu iommu = test_iommu(cases[i].platform, NULL, 0);
        struct xinv_decoded d;

        cr_expect_eq(xinv_decode(&iommu, cases[i].good, &d), 0, "%s", cases[i].platform);
        cr_expect_eq(xinv_decode(&iommu, cases[i].bad, &d), -XINV_E_INVAL, "%s", cases[i].platform);
        cr_expect_eq(xinv_decode(&iommu, cases[i].none, &d), -XINV_E_NOENT, "%s",
                     cases[i].platform);
    }
}

/* 10: 512 page commands for each request, until the watchdog bit */
Test(peer_bugs, the_number_of_commands_is_bounded_by_policy_without_range_commands)
{
    static const uint64_t by_asid[][2] = {{UINT64_C(0x0035000000000011), 0}};
    static const struct xinv_policy policies[] = {
        {XINV_POLICY_LATENCY, 0, 0}, {XINV_POLICY_AT_MOST, 16, 0}, {XINV_POLICY_EXACT, 0, 64}};
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-generic", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
    struct xinv_request r = list_change(XINV_STAGE_STAGE1, 0x200000, 0x3fffff);
    struct xinv_out out;

    for (size_t i = 0; i < N(policies); i++) {
        cr_assert_eq(list_run(&iommu, &at, 1, &r, &policies[i], &out), 2);
        list_expect_removals("one ASID", &iommu, &out, by_asid, 1);
        cr_expect_eq(list_report.widened, BIT(ADDRESS));
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
    struct xinv_iommu iommu = test_iommu("intel-vtd-scalable", NULL, 0);
    struct xinv_attachment at[2] = {list_attachment(XINV_STAGE_NESTED),
                                    list_attachment(XINV_STAGE_NESTED)};
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x40000000, 0x40000fff);
    struct xinv_out out;

    for (unsigned i = 0; i < 2; i++) {
        at[i].flags = XINV_ATT_ATS;
        at[i].rid += i;
        at[i].did += i;
        at[i].pasid = 5;
        at[i].known |= BIT(PASID);
    }
    cr_assert_eq(list_run(&iommu, at, 2, &r, NULL, &out), 4);
    list_expect_removals("nested", &iommu, &out, expected, N(expected));
}

/* 12: the stage 2 of a VM serves every host DomainID that its guests' tables were given */
Test(peer_bugs, a_stage_2_change_reaches_every_host_domain_id)
{
    static const uint64_t expected[][2] = {
        {UINT64_C(0x3000001000000000), 0x40000002},
        {UINT64_C(0x3000001100000000), 0x40000002},
        {UINT64_C(0x3000001200000000), 0x40000002},
    };
    struct xinv_iommu iommu = test_iommu("amd-vi-generic", NULL, 0);
    struct xinv_attachment at[3];
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x40000000, 0x40000fff);
    struct xinv_out out;

    for (unsigned i = 0; i < 3; i++) {
        at[i] = list_attachment(XINV_STAGE_NESTED);
        at[i].rid += i;
        at[i].did = 0x10 + i;
        at[i].pasid = 5; /* the same number in each guest */
        at[i].known |= BIT(PASID);
    }
    cr_assert_eq(list_run(&iommu, at, 3, &r, NULL, &out), 4);
    list_expect_removals("nested", &iommu, &out, expected, N(expected));
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
            struct xinv_iommu iommu = test_iommu("arm-smmuv3-ril", "REPEAT_TLBI", erratum);
            struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
            struct xinv_request r = list_change(XINV_STAGE_STAGE1, 0x40000000, 0x40000fff);
            struct xinv_out out;

            at.flags = XINV_ATT_ATS;
            r.change = cases[i].what;
            if (r.change != XINV_CHANGE_STAGE1_PTE)
                r.flags = 0;
            cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
            cr_expect_str_eq(list_names(&iommu, &out), erratum ? cases[i].twice : cases[i].once,
                             "%s", list_names(&iommu, &out));
        }
    for (size_t u = 0; u < LIST_USERS; u++) {
        struct xinv_iommu iommu = test_iommu(list_users[u].platform, NULL, 0);
        struct xinv_attachment at = list_attachment(list_users[u].stage);
        struct xinv_request r = list_change(list_users[u].stage, 0x40000000, 0x40000fff);
        struct xinv_out out;

        cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_eq(list_cover(&iommu, &out, false).n, 1, "%s", list_users[u].platform);
    }
}

/* 20: end - start + 1 of the full range wraps to 0 */
Test(peer_bugs, the_full_range_is_everything_in_a_change_and_in_an_explicit_request)
{
    static const uint16_t flags[] = {XINV_REQ_RANGE, XINV_REQ_RANGE | XINV_REQ_INVALIDATE};

    for (size_t u = 0; u < LIST_USERS; u++)
        for (size_t f = 0; f < N(flags); f++)
            for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_AT_MOST; policy++) {
                struct xinv_iommu iommu = test_iommu(list_users[u].platform, NULL, 0);
                struct xinv_attachment at = list_attachment(list_users[u].stage);
                struct xinv_request r = list_change(list_users[u].stage, 0, UINT64_MAX);
                struct xinv_policy p = {.kind = (uint8_t)policy, .blocks = 1};
                static uint64_t full[64];
                struct xinv_out out;
                uint32_t n;

                at.flags = XINV_ATT_ATS;
                r.flags = flags[f];
                r.caches = XINV_INV_IOTLB | XINV_INV_DEVICE_TLB;
                r.scope = XINV_SCOPE_ADDRESS;
                cr_assert_gt(list_run(&iommu, &at, 1, &r, &p, &out), 0, "%s",
                             list_users[u].platform);
                n = out.n_words;
                cr_assert_leq(n, N(full), "%s", list_users[u].platform);
                memcpy(full, list_words, n * sizeof(list_words[0]));
                cr_expect_eq(list_report.widened, 0);
                /* the same as a request that gives no range */
                r.flags &= (uint16_t)~XINV_REQ_RANGE;
                r.scope = XINV_SCOPE_DOMAIN;
                cr_assert_gt(list_run(&iommu, &at, 1, &r, &p, &out), 0);
                cr_assert_eq(out.n_words, n, "%s", list_users[u].platform);
                cr_expect(!memcmp(full, list_words, n * sizeof(list_words[0])), "%s",
                          list_users[u].platform);
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
        struct list_user user;
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
        struct xinv_iommu iommu = test_iommu(cases[i].user.platform, NULL, 0);
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
        struct xinv_out out = {.words = list_words,
                               .steps = list_steps,
                               .cap_words = LIST_WORDS,
                               .cap_steps = LIST_STEPS};
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
        list_expect_removals(cases[i].user.platform, &iommu, &out, &cases[i].w, 1);
    }
}
