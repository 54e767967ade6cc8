// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What a batch costs, of 1 to 4096 requests: UNMAPs of pages that touch, which become one range,
 * and of pages apart, each with commands of its own. Prints a JSON object a line. With a number,
 * batches of that size alone, once each, and with "single" as many requests one by one:
 * scripts/check-batch-cost.sh counts their instructions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xinv/session.h>

#define MOST  4096u
#define TRIES 9

static uint64_t words[MOST * 16];
static struct xinv_step steps[64];
static struct xinv_ladders ladders;

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* The bytes of an ATTACH of endpoint 8, a MAP or an UNMAP, in domain 1. */
static size_t request(uint8_t *b, uint8_t type, uint64_t first)
{
    static const size_t sizes[] = {0, 20, 20, 36, 28};

    memset(b, 0, 36);
    b[0] = type;
    put(b + 4, 1, 4);
    put(b + 8, type == XINV_VIRTIO_ATTACH ? 8 : first, 8);
    if (type != XINV_VIRTIO_ATTACH)
        put(b + 16, first | 0xfff, 8);
    if (type == XINV_VIRTIO_MAP)
        put(b + 32, 3, 4);
    return sizes[type];
}

/* One request at once, for what comes before the batch. */
static void prepare(struct xinv_session *session, uint8_t type, uint64_t first)
{
    struct xinv_outcome outcome;
    uint8_t b[36];
    uint8_t tail[4];
    size_t n = request(b, type, first);

    if (xinv_session_request(session, b, n, tail, sizeof(tail), NULL, NULL, NULL, NULL, NULL,
                             &outcome) < 0 ||
        outcome.status)
        exit(1);
}

/* The page of the i-th UNMAP: the batch does not come in the order of addresses. */
static uint64_t page(uint32_t i, uint32_t n, uint32_t stride)
{
    uint32_t half = (n + 1) / 2;

    return (uint64_t)(i % 2 ? half + i / 2 : i / 2) * stride << 12;
}

/* Kept whole, and apart from what calls it, for the count of its instructions. */
__attribute__((noinline)) int batch_of(struct xinv_session *session, uint32_t n, uint32_t stride);

int batch_of(struct xinv_session *session, uint32_t n, uint32_t stride)
{
    const struct xinv_completion done = {.store = 1, .address = 0x1000, .data = 1};
    struct xinv_out out = {.words = words,
                           .steps = steps,
                           .cap_words = sizeof(words) / sizeof(words[0]),
                           .cap_steps = sizeof(steps) / sizeof(steps[0])};
    struct xinv_outcome outcome;
    uint8_t b[36];
    uint8_t tail[4];

    for (uint32_t i = 0; i < n; i++) {
        size_t size = request(b, XINV_VIRTIO_UNMAP, page(i, n, stride));

        if (xinv_session_batch_add(session, b, size, tail, sizeof(tail), NULL, &outcome) ||
            outcome.status)
            exit(1);
    }
    return xinv_session_batch_flush(session, NULL, &done, &out, NULL, &outcome);
}

/* The same, each request with commands of its own at once. */
__attribute__((noinline)) int single_of(struct xinv_session *session, uint32_t n);

int single_of(struct xinv_session *session, uint32_t n)
{
    const struct xinv_completion done = {.store = 1, .address = 0x1000, .data = 1};
    struct xinv_outcome outcome;
    int commands = 0;
    uint8_t b[36];
    uint8_t tail[4];

    for (uint32_t i = 0; i < n; i++) {
        struct xinv_out out = {.words = words,
                               .steps = steps,
                               .cap_words = sizeof(words) / sizeof(words[0]),
                               .cap_steps = sizeof(steps) / sizeof(steps[0])};
        size_t size = request(b, XINV_VIRTIO_UNMAP, page(i, n, 2));
        int ret = xinv_session_request(session, b, size, tail, sizeof(tail), NULL, NULL, &done,
                                       &out, NULL, &outcome);

        if (ret <= 0 || outcome.status)
            exit(1);
        commands += ret;
    }
    return commands;
}

static struct xinv_session *open_session(const struct xinv_iommu *iommu, void **memory)
{
    static const struct xinv_session_config config = {.page_size_mask = ~UINT64_C(0xfff),
                                                      .features = XINV_VIRTIO_F_MAP_UNMAP,
                                                      .n_iommus = 1,
                                                      .max_endpoints = 1,
                                                      .max_domains = 1,
                                                      .max_mappings = MOST,
                                                      .prepared_lists = 4};
    const struct xinv_endpoint endpoint = {.id = 8, .rid = 0x310, .stage = XINV_STAGE_STAGE2};
    size_t size = xinv_session_size(&config);
    struct xinv_session *session;

    *memory = aligned_alloc(16, size);
    if (!*memory || xinv_session_init(*memory, size, &config, &iommu, &session) ||
        xinv_session_add_endpoint(session, &endpoint))
        exit(1);
    prepare(session, XINV_VIRTIO_ATTACH, 0);
    return session;
}

/* Nanoseconds of a batch, the least of `times`, each of mappings that are made anew. */
static uint64_t measure(const struct xinv_iommu *iommu, uint32_t n, uint32_t stride, uint32_t times,
                        int *commands)
{
    void *memory;
    struct xinv_session *session = open_session(iommu, &memory);
    uint64_t least = UINT64_MAX;

    for (uint32_t t = 0; t < times; t++) {
        uint64_t start;
        uint64_t ns;

        for (uint32_t i = 0; i < n; i++)
            prepare(session, XINV_VIRTIO_MAP, page(i, n, stride));
        start = now();
        *commands = batch_of(session, n, stride);
        ns = now() - start;
        least = ns < least ? ns : least;
        if (*commands < 0)
            exit(1);
    }
    free(memory);
    return least;
}

static void print(const char *platform, uint32_t n, uint32_t stride, uint32_t times)
{
    struct xinv_iommu iommu;
    int commands = 0;
    uint64_t ns;

    if (xinv_iommu_init(&iommu, xinv_platform_find(platform), NULL, NULL, 0))
        exit(1);
    xinv_iommu_prepare(&iommu, &ladders);
    ns = measure(&iommu, n, stride, times, &commands);
    printf("{\"curve\": \"requests of one batch, %s\", \"platform\": \"%s\", \"n\": %" PRIu32
           ", \"ns\": %" PRIu64 ", \"commands\": %d}\n",
           stride == 1 ? "touching" : "apart", platform, n, ns, commands);
}

/* Once a session has its list. */
static void print_single(const char *platform, uint32_t n)
{
    struct xinv_iommu iommu;
    struct xinv_session *session;
    void *memory;

    if (xinv_iommu_init(&iommu, xinv_platform_find(platform), NULL, NULL, 0))
        exit(1);
    xinv_iommu_prepare(&iommu, &ladders);
    session = open_session(&iommu, &memory);
    for (uint32_t k = 0; k < 2; k++) {
        prepare(session, XINV_VIRTIO_MAP, 0);
        prepare(session, XINV_VIRTIO_UNMAP, 0);
    }
    for (uint32_t i = 0; i < n; i++)
        prepare(session, XINV_VIRTIO_MAP, page(i, n, 2));
    printf("{\"platform\": \"%s\", \"n\": %" PRIu32 ", \"commands\": %d}\n", platform, n,
           single_of(session, n));
    free(memory);
}

int main(int argc, char **argv)
{
    static const char *const platforms[] = {"arm-smmuv3-ril", "intel-vtd-legacy", "amd-vi-generic"};
    bool single = argc > 2 && !strcmp(argv[2], "single");
    uint32_t only = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;

    if (argc > 1 && (!only || only > MOST))
        return 2;
    for (unsigned p = 0; single && p < sizeof(platforms) / sizeof(platforms[0]); p++)
        print_single(platforms[p], only);
    for (unsigned p = 0; !single && p < sizeof(platforms) / sizeof(platforms[0]); p++)
        for (uint32_t stride = 1; stride <= 2; stride++)
            for (uint32_t n = only ? only : 1; n <= (only ? only : MOST); n *= 4)
                print(platforms[p], n, stride, only ? 1 : TRIES);
    return 0;
}
