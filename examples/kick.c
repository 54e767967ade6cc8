// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A doorbell of a virtio-iommu: its requests in one batch, whose commands share their sync. */
#include <inttypes.h>
#include <stdio.h>
#include <xinv/platforms.h>
#include <xinv/session.h>

static _Alignas(16) unsigned char memory[1 << 16];
static const unsigned char requests[][36] = {
    {XINV_VIRTIO_ATTACH, [4] = 1, [8] = 0x10},                                  /* domain 1 */
    {XINV_VIRTIO_MAP, [4] = 1, [9] = 0x10, [16] = 0xff, [17] = 0x1f, [32] = 3}, /* 0x1000 */
    {XINV_VIRTIO_MAP, [4] = 1, [9] = 0x20, [16] = 0xff, [17] = 0x2f, [32] = 3}, /* 0x2000 */
    {XINV_VIRTIO_UNMAP, [4] = 1, [9] = 0x10, [16] = 0xff, [17] = 0x1f},
    {XINV_VIRTIO_UNMAP, [4] = 1, [9] = 0x20, [16] = 0xff, [17] = 0x2f},
    {XINV_VIRTIO_MAP, [4] = 1, [9] = 0x20, [16] = 0xff, [17] = 0x2f, [32] = 3}, /* 0x2000 again */
};
static const unsigned sizes[] = {20, 36, 36, 28, 28, 36};

/* Sends what is held, and waits for it; then every response so far may be published. */
static int send_batch(struct xinv_session *session, const struct xinv_iommu *iommu)
{
    uint64_t words[64];
    struct xinv_step steps[16];
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = 64, .cap_steps = 16};
    struct xinv_outcome outcome;
    int n = xinv_session_batch_flush(session, NULL, NULL, &out, NULL, &outcome);

    printf("batch: %d commands\n", n);
    for (uint32_t w = 0; n > 0 && w < out.n_words; w += iommu->words)
        printf("  %016" PRIx64 " %016" PRIx64 "\n", words[w], words[w + 1]);
    xinv_session_complete(session, outcome.token); /* once the hardware has seen the last sync */
    return n;
}

int main(void)
{
    struct xinv_iommu iommu;
    const struct xinv_iommu *iommus[] = {&iommu};
    struct xinv_session_config config = {.page_size_mask = ~UINT64_C(0xfff),
                                         .n_iommus = 1,
                                         .features = XINV_VIRTIO_F_MAP_UNMAP,
                                         .max_domains = 4,
                                         .max_endpoints = 4,
                                         .max_mappings = 64,
                                         .prepared_lists = 4};
    struct xinv_endpoint endpoint = {.id = 0x10, .rid = 0x310, .stage = XINV_STAGE_STAGE2};
    struct xinv_session *session;
    unsigned i = 0;

    if (xinv_iommu_init(&iommu, &xinv_platform_arm_smmuv3_ril, NULL, NULL, 0) ||
        xinv_session_init(memory, sizeof(memory), &config, iommus, &session) ||
        xinv_session_add_endpoint(session, &endpoint))
        return 1;
    while (i < sizeof(sizes) / sizeof(sizes[0])) {
        struct xinv_outcome outcome;
        unsigned char reply[4];
        int ret = xinv_session_batch_add(session, requests[i], sizes[i], reply, 4, NULL, &outcome);

        if (ret == -XINV_E_AGAIN) { /* the page at 0x2000 must be forgotten before it is mapped */
            if (send_batch(session, &iommu) < 0)
                return 1;
            continue;
        }
        if (ret || outcome.status != XINV_VIRTIO_OK)
            return 1;
        printf("request %u: status %u, to be published %s\n", i, outcome.status,
               outcome.iommus ? "after the batch" : "at once");
        i++;
    }
    return send_batch(session, &iommu) < 0;
}
