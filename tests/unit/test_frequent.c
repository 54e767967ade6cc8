// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The commands that have decoders of their own: these say what the table's decoder says. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/layout.h"
#include "tests/support/random.h"

#define ROUNDS 20000

/* Commands as drivers send them, one of each that has a decoder of its own. */
static const struct {
    const char *platform;
    uint64_t words[4];
} commands[] = {
    {"arm-smmuv3-ril", {UINT64_C(0x0005000000002012), 0x100701}},
    {"arm-smmuv3-ril", {UINT64_C(0x0005000300000011), 0}},
    {"arm-smmuv3-ril", {UINT64_C(0x000000050000202a), UINT64_C(0x7f3c5a401)}},
    {"arm-smmuv3-ril", {UINT64_C(0x0000000300005840), 4}},
    {"arm-smmuv3-ril", {0x0fc02046, 0}},
    {"arm-smmuv3-minimal", {UINT64_C(0x0005000000000012), 0x100001}},
    {"nvidia-tegra241-cmdqv", {0x46, 0}},
    {"intel-vtd-legacy", {0x2a00f2, UINT64_C(0x7f3c5a001)}},
    {"intel-vtd-legacy", {UINT64_C(0x0000031000000003), UINT64_C(0x7f3c5a000)}},
    {"intel-vtd-legacy", {UINT64_C(0x0000000200000025), 0x1052c04}},
    {"intel-vtd-scalable", {UINT64_C(0x0000000500010036), 0x200049}},
    {"intel-vtd-scalable", {UINT64_C(0x0040031000040003), UINT64_C(0x7f3c5a000)}},
    {"intel-vtd-client", {0x2a00f2, UINT64_C(0x7f3c5a001)}},
    {"amd-vi-generic", {UINT64_C(0x3000005500000000), UINT64_C(0x7ffffffffffff003)}},
    {"amd-vi-generic", {UINT64_C(0x4000031020000310), UINT64_C(0x7f3c5a000)}},
    {"amd-vi-generic", {UINT64_C(0x1000123456789abd), 7}},
    {"amd-rd890", {UINT64_C(0x3000005500000000), UINT64_C(0x7ffffffffffff003)}},
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same(const struct xinv_decoded *a, const struct xinv_decoded *b)
{
    if (!same_text(a->name, b->name) || a->n_fields != b->n_fields)
        return false;
    for (unsigned i = 0; i < a->n_fields; i++)
        if (!same_text(a->fields[i].name, b->fields[i].name) ||
            a->fields[i].value != b->fields[i].value)
            return false;
    return a->fault.kind == b->fault.kind && a->fault.hardware == b->fault.hardware &&
           a->fault.word == b->fault.word && a->fault.bit == b->fault.bit &&
           same_text(a->fault.field, b->fault.field) && same_text(a->fault.rule, b->fault.rule) &&
           a->fault.limit == b->fault.limit;
}

static int check(const struct xinv_iommu *iommu, const uint64_t *words)
{
    struct xinv_decoded own;
    struct xinv_decoded table;
    int ret;

    memset(&own, 0xa5, sizeof(own));
    memset(&table, 0x5a, sizeof(table));
    ret = xinv_decode(iommu, words, &own);
    cr_assert_eq(ret, xinv_decode_by_table(iommu, words, &table));
    cr_assert(same(&own, &table), "%s: 0x%016llx 0x%016llx", iommu->platform->name,
              (unsigned long long)words[0], (unsigned long long)words[1]);
    return ret;
}

Test(frequent, commands_and_those_with_a_few_bits_changed_are_what_the_table_says)
{
    unsigned taken = 0;
    unsigned refused = 0;

    random_start();
    for (unsigned k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
        struct xinv_iommu iommu;

        cr_assert_eq(
            xinv_iommu_init(&iommu, xinv_platform_find(commands[k].platform), NULL, NULL, 0), 0);
        cr_assert_eq(check(&iommu, commands[k].words), 0, "%s, %u", commands[k].platform, k);
        for (unsigned i = 0; i < ROUNDS; i++) {
            uint64_t words[4];

            memcpy(words, commands[k].words, sizeof(words));
            for (uint64_t n = 1 + random_next() % 3; n > 0; n--)
                words[random_next() % iommu.words] ^= UINT64_C(1) << (random_next() & 63);
            if (check(&iommu, words))
                refused++;
            else
                taken++;
        }
    }
    cr_expect_gt(taken, ROUNDS);
    cr_expect_gt(refused, ROUNDS);
}
