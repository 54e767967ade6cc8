// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * How costs grow: attachments of one domain, requests of one kick, endpoints of one session. Prints
 * a JSON object a line: nanoseconds of one operation, the least of a few, and the commands that it
 * emitted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xinv/prepared.h>
#include <xinv/session.h>

#define MOST_ATTACHMENTS 4096
#define MOST_REQUESTS    4096
#define MOST_ENDPOINTS   65536
#define ENDPOINTS_OF_ONE 16 /* endpoints of one domain: VMIDs and DIDs have 16 bits at most */
#define LISTS_OF_ONE     4 /* prepared lists for each domain; two are used, more find their place */
#define TRIES            5
#define EMITS            64 /* of a prepared list between two looks at the clock */

static uint64_t words[1 << 20];
static struct xinv_step steps[1 << 15];
static struct xinv_ladders ladders;

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct xinv_out output(void)
{
    return (struct xinv_out){.words = words,
                             .steps = steps,
                             .cap_words = sizeof(words) / sizeof(words[0]),
                             .cap_steps = sizeof(steps) / sizeof(steps[0])};
}

static void set_up(struct xinv_iommu *iommu, const char *platform)
{
    if (xinv_iommu_init(iommu, xinv_platform_find(platform), NULL, NULL, 0))
        exit(1);
    xinv_iommu_prepare(iommu, &ladders);
}

static void print(const char *curve, const char *platform, unsigned n, uint64_t ns,
                  uint64_t commands)
{
    printf("{\"curve\": \"%s\", \"platform\": \"%s\", \"n\": %u, \"ns\": %" PRIu64
           ", \"commands\": %" PRIu64 "}\n",
           curve, platform, n, ns, commands);
    fflush(stdout);
}

/* ---- Attachments of one domain: a page unmapped ---- */

static const struct xinv_request unmap = {.change = XINV_CHANGE_STAGE2_PTE,
                                          .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY,
                                          .first = 0x40000000,
                                          .last = 0x40000fff};

/* Every list ends with a sync: where one that tells nobody cannot be said, it stores. */
static const struct xinv_completion *sync_of(const struct xinv_iommu *iommu)
{
    static const struct xinv_completion store = {.store = 1, .address = 0x10000, .data = 1};

    return iommu->vendor->final_sync ? NULL : &store;
}

static void planned(const struct xinv_iommu *iommu, const struct xinv_attachment *at, unsigned n,
                    const char *curve)
{
    struct xinv_report report;
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < TRIES; i++) {
        struct xinv_out out = output();
        uint64_t start = now();
        uint64_t ns;

        if (xinv_translate(iommu, at, n, &unmap, NULL, sync_of(iommu), &out, &report) < 0)
            exit(1);
        ns = now() - start;
        least = ns < least ? ns : least;
    }
    print(curve, iommu->platform->name, n, least, report.commands);
}

static void prepared(const struct xinv_iommu *iommu, const struct xinv_attachment *at, unsigned n,
                     const char *curve)
{
    static struct xinv_prepared_command commands[2 * MOST_ATTACHMENTS];
    struct xinv_prepared list;
    struct xinv_report report;
    uint64_t least = UINT64_MAX;

    if (xinv_prepare(&list, commands, 2 * MOST_ATTACHMENTS, iommu, at, n, &unmap, NULL) <= 0)
        exit(1);
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t start = now();
        uint64_t ns;

        for (unsigned k = 0; k < EMITS; k++) {
            struct xinv_out out = output();

            if (xinv_prepared_emit(&list, unmap.first, unmap.last, sync_of(iommu), &out, &report) <
                0)
                exit(1);
        }
        ns = (now() - start) / EMITS;
        least = ns < least ? ns : least;
    }
    print(curve, iommu->platform->name, n, least, report.commands);
}

static void attachments(const char *platform, bool ats, unsigned n)
{
    static struct xinv_attachment at[MOST_ATTACHMENTS];
    struct xinv_iommu iommu;

    set_up(&iommu, platform);
    for (unsigned i = 0; i < n; i++)
        at[i] = (struct xinv_attachment){.stage = XINV_STAGE_STAGE2,
                                         .flags = ats ? XINV_ATT_ATS : 0,
                                         .known = XINV_TAG_BIT(XINV_TAG_RID) |
                                                  XINV_TAG_BIT(XINV_TAG_DID) |
                                                  XINV_TAG_BIT(XINV_TAG_VMID),
                                         .rid = i + 8,
                                         .did = 5,
                                         .vmid = 5};
    planned(&iommu, at, n, ats ? "attachments, device TLBs" : "attachments, one tag");
    prepared(&iommu, at, n,
             ats ? "attachments, device TLBs, prepared" : "attachments, one tag, prepared");
}

/* ---- A session ---- */

static void *memory;

static struct xinv_session *make_session(const struct xinv_iommu *iommu, uint32_t endpoints,
                                         uint32_t mappings)
{
    const uint32_t domains = (endpoints + ENDPOINTS_OF_ONE - 1) / ENDPOINTS_OF_ONE;
    const struct xinv_session_config config = {.page_size_mask = ~UINT64_C(0xfff),
                                               .n_iommus = 1,
                                               .features = XINV_VIRTIO_F_MAP_UNMAP,
                                               .max_domains = endpoints,
                                               .max_endpoints = endpoints,
                                               .max_mappings = mappings,
                                               .prepared_lists = LISTS_OF_ONE * domains};
    size_t size = xinv_session_size(&config);
    struct xinv_session *session;

    memory = aligned_alloc(16, (size + 15) / 16 * 16);
    if (!size || !memory || xinv_session_init(memory, size, &config, &iommu, &session))
        exit(1);
    return session;
}

static void put(unsigned char *at, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

/* virtio 1.3, 5.13.6; the sizes of the readable parts without the tail */
static int request(struct xinv_session *session, uint8_t type, uint32_t domain, uint32_t endpoint,
                   uint64_t first, uint64_t last, struct xinv_out *out)
{
    unsigned char bytes[36] = {type};
    unsigned char reply[4];
    struct xinv_outcome outcome;
    unsigned n = type == XINV_VIRTIO_ATTACH ? 20 : type == XINV_VIRTIO_MAP ? 36 : 28;
    int ret;

    put(bytes + 4, domain, 4);
    if (type == XINV_VIRTIO_ATTACH) {
        put(bytes + 8, endpoint, 4);
    } else {
        put(bytes + 8, first, 8);
        put(bytes + 16, last, 8);
    }
    if (type == XINV_VIRTIO_MAP) {
        put(bytes + 24, first, 8);
        put(bytes + 32, 3, 4);
    }
    ret = xinv_session_request(session, bytes, n, reply, 4, NULL, NULL, NULL, out, NULL, &outcome);
    if (ret < 0 || outcome.status != XINV_VIRTIO_OK) {
        fprintf(stderr, "growth: request type %u: %d, status %u\n", type, ret, outcome.status);
        exit(1);
    }
    xinv_session_complete(session, outcome.token);
    return ret;
}

static void attach(struct xinv_session *session, uint32_t i)
{
    const struct xinv_endpoint endpoint = {
        .id = i + 1, .rid = i, .stage = XINV_STAGE_STAGE2, .queue_depth = 32};
    struct xinv_out out = output();

    if (xinv_session_add_endpoint(session, &endpoint))
        exit(1);
    request(session, XINV_VIRTIO_ATTACH, 1 + i / ENDPOINTS_OF_ONE, i + 1, 0, 0, &out);
}

static uint64_t address(unsigned i)
{
    return UINT64_C(0x40000000) + ((uint64_t)i << 13); /* every second page */
}

/* n UNMAPs of a page each, one kick. */
static void requests(const char *platform, unsigned n)
{
    uint64_t least = UINT64_MAX;
    uint64_t commands = 0;
    struct xinv_session *session;
    struct xinv_iommu iommu;

    set_up(&iommu, platform);
    session = make_session(&iommu, 1, MOST_REQUESTS + 1);
    attach(session, 0);
    for (unsigned k = 0; k < TRIES; k++) {
        struct xinv_out out = output();
        uint64_t start;
        uint64_t ns;

        for (unsigned i = 0; i < n; i++)
            request(session, XINV_VIRTIO_MAP, 1, 0, address(i), address(i) + 0xfff, &out);
        commands = 0;
        start = now();
        for (unsigned i = 0; i < n; i++)
            commands += (uint64_t)request(session, XINV_VIRTIO_UNMAP, 1, 0, address(i),
                                          address(i) + 0xfff, &out);
        ns = now() - start;
        least = ns < least ? ns : least;
    }
    print("requests of one kick", platform, n, least, commands);
    free(memory);
}

/* One UNMAP of a page, with n endpoints in all: of each domain three, the first two of which make
 * its lists. */
static void endpoints(const char *platform, unsigned n)
{
    uint64_t least = UINT64_MAX;
    uint64_t commands = 0;
    struct xinv_session *session;
    struct xinv_iommu iommu;

    set_up(&iommu, platform);
    session = make_session(&iommu, n, n);
    for (unsigned i = 0; i < n; i++)
        attach(session, i);
    for (unsigned k = 0; k < TRIES * 20; k++) {
        uint32_t domain = 1 + (uint32_t)((uint64_t)(k / 3) * 7919 % (n / ENDPOINTS_OF_ONE));
        struct xinv_out out = output();
        uint64_t start;
        uint64_t ns;

        request(session, XINV_VIRTIO_MAP, domain, 0, address(0), address(0) + 0xfff, &out);
        start = now();
        commands = (uint64_t)request(session, XINV_VIRTIO_UNMAP, domain, 0, address(0),
                                     address(0) + 0xfff, &out);
        ns = now() - start;
        least = ns < least ? ns : least;
    }
    print("endpoints of one session", platform, n, least, commands);
    free(memory);
}

int main(void)
{
    static const char *const platforms[] = {"arm-smmuv3-ril", "intel-vtd-legacy", "amd-vi-generic"};

    for (unsigned p = 0; p < sizeof(platforms) / sizeof(platforms[0]); p++) {
        for (unsigned ats = 0; ats < 2; ats++)
            for (unsigned n = 1; n <= MOST_ATTACHMENTS; n *= 4)
                attachments(platforms[p], ats, n);
        for (unsigned n = 1; n <= MOST_REQUESTS; n *= 4)
            requests(platforms[p], n);
        for (unsigned n = 16; n <= MOST_ENDPOINTS; n *= 4)
            endpoints(platforms[p], n);
    }
    return 0;
}
