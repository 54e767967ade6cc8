// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Rows that go out for every live value of a tag, on a table of two. When everything is reset, an
 * endpoint with a table of stage 2 asks for every context entry, and the one command for those
 * names a source ID; an endpoint that passes asks for the translations of its DID alone.
 */
#include <criterion/criterion.h>

#include "backends/vtd/vtd.h"
#include "tests/support/listrig.h"

static struct xinv_vendor vendor;
static struct xinv_platform platform;
static struct xinv_command_def commands[2];
static struct xinv_removal_def removals[2];
static struct xinv_need_def needs[2];
static struct xinv_change_def changes[2];

static struct xinv_iommu make(void)
{
    static const uint8_t caches[] = {XINV_CACHE_DEVICE_CONFIG, XINV_CACHE_STAGE2};
    static const uint8_t match[] = {BIT(RID), BIT(DID)};
    static const uint8_t ops[] = {XINV_VTD_OP_CC_DEVICE, XINV_VTD_OP_IOTLB_DOMAIN};
    static const uint8_t phases[] = {XINV_PHASE_CONFIG, XINV_PHASE_STAGE1};
    static const uint8_t stages[] = {XINV_STAGE_STAGE2, XINV_STAGE_PASSTHROUGH};
    struct xinv_iommu iommu;

    platform = *xinv_platform_find("intel-vtd-legacy");
    vendor = *platform.vendor;
    platform.vendor = &vendor;
    for (uint8_t i = 0; i < 2; i++) {
        xinv_axes classes = vendor.caches[caches[i]].axes;

        removals[i] = (struct xinv_removal_def){caches[i], match[i], 1, classes};
        commands[i] = (struct xinv_command_def){.name = i ? "iotlb" : "cc",
                                                .op = ops[i],
                                                .phase = phases[i],
                                                .operands = BIT(RID) | BIT(DID),
                                                .removals = {i, 1}};
        needs[i] = (struct xinv_need_def){
            .cache = caches[i], .tags = i ? BIT(DID) : 0, .classes = classes};
        changes[i] = (struct xinv_change_def){.change = XINV_CHANGE_EVERYTHING,
                                              .from = XINV_FROM_PRESENT,
                                              .stages = XINV_STAGE_BIT(stages[i]),
                                              .needs = {i, 1}};
    }
    vendor.commands = commands;
    vendor.removals = removals;
    vendor.needs = needs;
    vendor.changes = changes;
    vendor.n_commands = vendor.n_changes = 2;
    vendor.n_repeats = 0;
    cr_assert_eq(xinv_iommu_init(&iommu, &platform, NULL, NULL, 0), 0);
    return iommu;
}

static struct xinv_attachment attachment(uint8_t stage, uint32_t rid)
{
    struct xinv_attachment at = list_narrow_attachment(stage, 0);

    at.known = BIT(RID) | BIT(DID);
    at.rid = rid;
    return at;
}

static const struct xinv_request everything = {.change = XINV_CHANGE_EVERYTHING,
                                               .flags = XINV_REQ_ENUMERATED};

Test(listed, every_attachment_sends_its_own_value)
{
    struct xinv_iommu iommu = make();
    struct xinv_attachment at[2] = {attachment(XINV_STAGE_STAGE2, 0x310),
                                    attachment(XINV_STAGE_STAGE2, 0x311)};
    struct xinv_out out;

    cr_assert_geq(list_run(&iommu, at, 2, &everything, NULL, &out), 0);
    cr_assert_str_eq(list_names(&iommu, &out), "cc cc");
}

Test(listed, a_value_that_its_attachment_does_not_send_is_refused)
{
    struct xinv_iommu iommu = make();
    struct xinv_attachment at[2] = {attachment(XINV_STAGE_STAGE2, 0x310),
                                    attachment(XINV_STAGE_PASSTHROUGH, 0x311)};
    struct xinv_out out;

    cr_assert_eq(list_run(&iommu, at, 2, &everything, NULL, &out), -XINV_E_MUST_BLOCK);
    cr_assert_eq(list_report.at, &at[0]);
    cr_assert_eq(list_report.at_cache, XINV_CACHE_DEVICE_CONFIG);
}
