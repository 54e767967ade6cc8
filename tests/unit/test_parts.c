// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Lists of several requests: a command for a range does not go out where one for the whole device
 * TLB has gone out before it, in the same list, that removes all that it would.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/translate.h"
#include "tests/support/listrig.h"

/* Parts out of an array. */
struct array {
    struct xinv_parts parts;
    const struct xinv_part *part;
    unsigned n;
    unsigned at;
};

static void rewind_array(struct xinv_parts *parts)
{
    ((struct array *)parts)->at = 0;
}

static const struct xinv_part *next_of_array(struct xinv_parts *parts)
{
    struct array *a = (struct array *)parts;

    return a->at < a->n ? &a->part[a->at++] : NULL;
}

/* The device TLB of an attachment, as far as the scope says. */
static struct xinv_request of_device_tlb(uint8_t scope)
{
    struct xinv_request request = {
        .flags = XINV_REQ_INVALIDATE, .caches = XINV_INV_DEVICE_TLB, .scope = scope};

    if (scope == XINV_SCOPE_ADDRESS) {
        request.flags |= XINV_REQ_RANGE;
        request.first = 0x40000000;
        request.last = 0x40000fff;
    }
    return request;
}

static struct xinv_attachment endpoint(uint32_t rid, uint32_t pasid)
{
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);

    at.flags = XINV_ATT_ATS;
    at.rid = rid;
    at.pasid = pasid;
    at.known |= BIT(PASID);
    return at;
}

/* The list of two parts: each command for a device TLB as its PASID, if it has one, and what it is
 * about. */
static const char *list_of(const struct xinv_part *both)
{
    static char text[512];
    struct array a = {{rewind_array, next_of_array, NULL}, both, 2, 0};
    struct xinv_iommu iommu = test_iommu("intel-vtd-scalable", NULL, 0);
    struct xinv_out out = {
        .words = list_words, .steps = list_steps, .cap_words = LIST_WORDS, .cap_steps = LIST_STEPS};

    cr_assert_gt(xinv_translate_parts(&iommu, &a.parts, NULL, NULL, &out, &list_report), 0);
    text[0] = 0;
    for (uint32_t i = 0; i < out.n_words; i += iommu.words) {
        struct refdec_cmd cmd;
        char one[64];

        list_decode(&iommu, i, &cmd);
        if (!strstr(cmd.name, "dev_tlb"))
            continue;
        snprintf(one, sizeof(one), "%s%s %lx%s", text[0] ? ", " : "", cmd.name,
                 (unsigned long)refdec_field(&cmd, "SID"), refdec_field(&cmd, "S") ? " all" : "");
        strcat(text, one);
        if (!strcmp(cmd.name, "p_dev_tlb")) {
            snprintf(one, sizeof(one), " PASID %lx G %lx",
                     (unsigned long)refdec_field(&cmd, "PASID"),
                     (unsigned long)refdec_field(&cmd, "G"));
            strcat(text, one);
        }
    }
    return text;
}

static void expect(const struct xinv_attachment *first, uint8_t first_scope,
                   const struct xinv_attachment *second, uint8_t second_scope, const char *text)
{
    const struct xinv_request requests[] = {of_device_tlb(first_scope),
                                            of_device_tlb(second_scope)};
    const struct xinv_part both[] = {{.at = first, .n = 1, .request = &requests[0]},
                                     {.at = second, .n = 1, .request = &requests[1]}};

    cr_assert_str_eq(list_of(both), text);
}

Test(parts, a_range_of_a_device_tlb_that_goes_as_a_whole_is_not_sent)
{
    struct xinv_attachment plain = endpoint(0x310, 0);
    struct xinv_attachment tagged = endpoint(0x310, 5);

    expect(&plain, XINV_SCOPE_DOMAIN, &plain, XINV_SCOPE_ADDRESS, "dev_tlb 310 all");
    expect(&tagged, XINV_SCOPE_DOMAIN, &tagged, XINV_SCOPE_ADDRESS,
           "p_dev_tlb 310 all PASID 5 G 0");
    expect(&tagged, XINV_SCOPE_ENDPOINT, &tagged, XINV_SCOPE_ADDRESS,
           "dev_tlb 310 all, p_dev_tlb 310 all PASID 5 G 0");
}

Test(parts, what_the_whole_leaves_is_sent)
{
    struct xinv_attachment plain = endpoint(0x310, 0);
    struct xinv_attachment other = endpoint(0x318, 0);
    struct xinv_attachment five = endpoint(0x310, 5);
    struct xinv_attachment six = endpoint(0x310, 6);

    expect(&other, XINV_SCOPE_DOMAIN, &plain, XINV_SCOPE_ADDRESS, "dev_tlb 318 all, dev_tlb 310");
    expect(&plain, XINV_SCOPE_DOMAIN, &five, XINV_SCOPE_ADDRESS,
           "dev_tlb 310 all, p_dev_tlb 310 PASID 5 G 0");
    expect(&six, XINV_SCOPE_DOMAIN, &five, XINV_SCOPE_ADDRESS,
           "p_dev_tlb 310 all PASID 6 G 0, p_dev_tlb 310 PASID 5 G 0");
    expect(&five, XINV_SCOPE_DOMAIN, &plain, XINV_SCOPE_ADDRESS,
           "p_dev_tlb 310 all PASID 5 G 0, dev_tlb 310");
}

/* Looking ahead is not worth it: what is too much does no harm. */
Test(parts, a_range_before_the_whole_is_sent)
{
    struct xinv_attachment plain = endpoint(0x310, 0);

    expect(&plain, XINV_SCOPE_ADDRESS, &plain, XINV_SCOPE_DOMAIN, "dev_tlb 310, dev_tlb 310 all");
}

Test(parts, an_endpoint_that_needs_a_command_twice_is_not_served_by_one)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-scalable", NULL, 0);
    struct xinv_attachment once = endpoint(0x310, 0);
    struct xinv_attachment twice = endpoint(0x310, 0);

    twice.quirks = xinv_endpoint_quirks(&iommu, 0x8086, 0x4940); /* a QAT */
    cr_assert_neq(twice.quirks, 0);
    expect(&once, XINV_SCOPE_DOMAIN, &twice, XINV_SCOPE_ADDRESS,
           "dev_tlb 310 all, dev_tlb 310, dev_tlb 310");
    expect(&twice, XINV_SCOPE_DOMAIN, &twice, XINV_SCOPE_ADDRESS,
           "dev_tlb 310 all, dev_tlb 310 all");
}

/* Each VMID has a queue of its own there, and nothing is known of the order between two. */
Test(parts, what_the_queue_of_another_target_has_sent_serves_nobody)
{
    struct xinv_iommu iommu = test_iommu("iommufd-arm-smmuv3", NULL, 0);
    struct xinv_attachment one = list_attachment(XINV_STAGE_NESTED);
    struct xinv_attachment two = list_attachment(XINV_STAGE_NESTED);
    const struct xinv_request whole = of_device_tlb(XINV_SCOPE_ENDPOINT);
    const struct xinv_request range = of_device_tlb(XINV_SCOPE_ADDRESS);
    const struct xinv_part both[] = {{.at = &one, .n = 1, .request = &whole},
                                     {.at = &two, .n = 1, .request = &range}};
    struct array a = {{rewind_array, next_of_array, NULL}, both, 2, 0};
    struct xinv_out out = {
        .words = list_words, .steps = list_steps, .cap_words = LIST_WORDS, .cap_steps = LIST_STEPS};
    unsigned queues = 0;

    one.flags = two.flags = XINV_ATT_ATS;
    one.vmid = 1;
    two.vmid = 2;
    cr_assert_gt(xinv_translate_parts(&iommu, &a.parts, NULL, NULL, &out, &list_report), 0);
    for (uint32_t i = 0; i < out.n_steps; i++)
        if (list_steps[i].kind == XINV_STEP_QUEUE)
            queues |= 1u << list_steps[i].target;
    cr_assert_eq(queues, 1u << 1 | 1u << 2);
}
