// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/sessionrig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/testiommu.h"
#include "tests/support/vectorcaps.h"

#define F_ALL                                                             \
    (XINV_VIRTIO_F_MAP_UNMAP | XINV_VIRTIO_F_PROBE | XINV_VIRTIO_F_MMIO | \
     XINV_VIRTIO_F_BYPASS_CONFIG)

struct xinv_session_config rig_config(uint32_t n_iommus)
{
    return (struct xinv_session_config){.page_size_mask = ~UINT64_C(0xfff),
                                        .probe_size = 64,
                                        .features = F_ALL,
                                        .n_iommus = n_iommus,
                                        .max_endpoints = 8,
                                        .max_domains = 8,
                                        .max_mappings = 64};
}

struct xinv_endpoint rig_endpoint(uint32_t id, uint32_t iommu, uint8_t stage)
{
    return (struct xinv_endpoint){.id = id,
                                  .iommu = iommu,
                                  .rid = 0x100 + id,
                                  .stage = stage,
                                  .flags = XINV_ATT_ATS,
                                  .queue_depth = 16};
}

void rig_platform(struct rig *r, uint32_t iommu, const char *name, const char *feature,
                  uint16_t value)
{
    r->iommu[iommu] = test_iommu(name, feature, value);
}

void rig_open(struct rig *r, const struct xinv_session_config *config)
{
    const struct xinv_iommu *iommus[RIG_IOMMUS] = {&r->iommu[0], &r->iommu[1]};

    r->config = *config;
    r->size = xinv_session_size(config);
    cr_assert_neq(r->size, 0);
    r->memory = aligned_alloc(16, r->size);
    r->before = malloc(r->size);
    cr_assert(r->memory && r->before);
    memset(r->memory, RIG_POISON, r->size);
    cr_assert_eq(xinv_session_init(r->memory, r->size, config, iommus, &r->session), 0);
    r->hint = NULL;
    r->policy = NULL;
    for (uint32_t i = 0; i < RIG_IOMMUS; i++) {
        r->done[i] =
            (struct xinv_completion){.store = 1, .address = 0x7000 + 0x1000 * i, .data = 0x51 + i};
        /* where the last sync cannot store, completion is seen in the queue alone */
        if (i < config->n_iommus && xinv_sync(&r->iommu[i], &r->done[i], &(struct xinv_out){0}) < 0)
            r->done[i] = (struct xinv_completion){0};
    }
}

void rig_close(struct rig *r)
{
    free(r->memory);
    free(r->before);
}

void rig_add(struct rig *r, const struct xinv_endpoint *endpoint)
{
    cr_assert_eq(xinv_session_add_endpoint(r->session, endpoint), 0, "endpoint %u", endpoint->id);
}

void rig_open_pair(struct rig *r, const char *platform, uint8_t stage)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, stage);
    struct xinv_endpoint b = rig_endpoint(9, 0, stage);

    rig_platform(r, 0, platform, NULL, 0);
    rig_open(r, &config);
    rig_add(r, &a);
    rig_add(r, &b);
}

static void poison(struct rig *r)
{
    memset(r->words, RIG_POISON, sizeof(r->words));
    memset(r->steps, RIG_POISON, sizeof(r->steps));
    memset(r->reply, RIG_POISON, sizeof(r->reply));
    for (uint32_t i = 0; i < RIG_IOMMUS; i++) {
        r->outs[i] = (struct xinv_out){.words = r->words[i],
                                       .steps = r->steps[i],
                                       .cap_words = RIG_COMMANDS * (uint32_t)r->iommu[i].words,
                                       .cap_steps = RIG_STEPS};
        r->n_cmd[i] = 0;
    }
}

static bool poisoned(const void *p, size_t n)
{
    const uint8_t *b = p;

    /* each byte is as the one before it */
    return !n || (b[0] == RIG_POISON && !memcmp(b, b + 1, n - 1));
}

/* Does a command store at the address that the test gave for the list's completion? */
static bool completes(const struct rig *r, uint32_t i, const struct refdec_cmd *c)
{
    static const char *const address[] = {
        [REFDEC_SMMUV3] = "MSIAddr", [REFDEC_VTD] = "status_address", [REFDEC_AMDVI] = "Address"};
    static const char *const names[] = {
        [REFDEC_SMMUV3] = "SYNC", [REFDEC_VTD] = "wait", [REFDEC_AMDVI] = "COMPLETION_WAIT"};
    enum refdec_vendor vendor = vector_refdec_vendor(&r->iommu[i]);

    return !strcmp(c->name, names[vendor]) && r->done[i].store &&
           refdec_field(c, address[vendor]) == r->done[i].address;
}

static void decode(struct rig *r, uint32_t i)
{
    const struct xinv_iommu *iommu = &r->iommu[i];
    struct refdec_caps caps = vector_caps(iommu);

    cr_assert_leq(r->outs[i].n_words, RIG_WORDS);
    cr_assert_eq(r->outs[i].n_words % iommu->words, 0);
    for (uint32_t w = 0; w < r->outs[i].n_words; w += iommu->words) {
        char err[160];

        cr_assert_eq(refdec_decode(vector_refdec_vendor(iommu), &caps, r->words[i] + w,
                                   iommu->words, &r->cmd[i][r->n_cmd[i]++], err, sizeof(err)),
                     0, "%016lx %016lx: %s", (unsigned long)r->words[i][w],
                     (unsigned long)r->words[i][w + 1], err);
    }
    cr_assert(poisoned(r->words[i] + r->outs[i].n_words,
                       (RIG_WORDS - r->outs[i].n_words) * sizeof(uint64_t)));
}

/* Queue steps take the words in order and whole; the last step of a queue's list is a wait. */
static void check_steps(const struct rig *r, uint32_t i)
{
    const struct xinv_out *out = &r->outs[i];
    uint32_t at = 0;

    for (uint32_t k = 0; k < out->n_steps; k++) {
        if (out->steps[k].kind != XINV_STEP_QUEUE)
            continue;
        cr_assert_eq(out->steps[k].first, at);
        cr_assert_gt(out->steps[k].count, 0);
        at += out->steps[k].count;
    }
    cr_assert_eq(at, out->n_words);
    if (!at)
        return;
    cr_assert_eq(out->steps[out->n_steps - 1].kind, XINV_STEP_WAIT);
    for (unsigned c = 0; c < r->n_cmd[i]; c++)
        cr_assert_eq(completes(r, i, &r->cmd[i][c]), r->done[i].store && c + 1 == r->n_cmd[i],
                     "the completion is told by the last command alone");
}

static void check(struct rig *r, int ret)
{
    uint32_t commands = 0;

    for (uint32_t i = 0; i < r->config.n_iommus; i++) {
        if (ret < 0 || r->outcome.status) {
            cr_assert_eq(r->outs[i].n_words, 0);
            cr_assert_eq(r->outs[i].n_steps, 0);
        }
        decode(r, i);
        if (ret < 0)
            continue;
        check_steps(r, i);
        commands += r->reports[i].commands;
        cr_assert_eq(r->reports[i].need_words, r->outs[i].n_words);
        cr_assert_eq(r->reports[i].need_steps, r->outs[i].n_steps);
        cr_assert_eq(r->outcome.iommus >> i & 1, r->outs[i].n_steps > 0);
    }
    if (ret < 0) {
        cr_assert_eq(r->outcome.iommus, 0);
        cr_assert_eq(r->outcome.error, ret);
        return;
    }
    cr_assert_eq((uint32_t)ret, commands);
    cr_assert_eq(r->outcome.error, 0);
}

/* The call for one request, its commands sent at once or held. */
static int call(struct rig *r, const void *readable, size_t n_readable, size_t n_writable,
                bool batched)
{
    /* exact sizes in heap blocks, so that a sanitizer sees one byte too many */
    uint8_t *in = malloc(n_readable ? n_readable : 1);
    uint8_t *out = malloc(n_writable ? n_writable : 1);
    int ret;

    cr_assert(in && out && n_writable <= RIG_REPLY);
    if (n_readable)
        memcpy(in, readable, n_readable);
    memset(out, RIG_POISON, n_writable);
    poison(r);
    if (batched)
        ret = xinv_session_batch_add(r->session, in, n_readable, out, n_writable, r->hint,
                                     &r->outcome);
    else
        ret = xinv_session_request(r->session, in, n_readable, out, n_writable, r->hint, r->policy,
                                   r->done, r->outs, r->reports, &r->outcome);
    memcpy(r->reply, out, n_writable);
    free(in);
    free(out);
    return ret;
}

/* The status of a request whose call has returned `ret`. */
static int status_of(const struct rig *r, int ret, size_t n_writable)
{
    if (ret < 0) {
        cr_assert(poisoned(r->reply, n_writable));
        return ret;
    }
    if (r->outcome.written) {
        cr_assert_eq(r->outcome.written, n_writable);
        cr_assert_eq(r->reply[n_writable - 4], r->outcome.status);
        for (size_t i = n_writable - 3; i < n_writable; i++)
            cr_assert_eq(r->reply[i], 0);
    } else {
        cr_assert(poisoned(r->reply, n_writable));
    }
    return r->outcome.status;
}

int rig_request(struct rig *r, const void *readable, size_t n_readable, size_t n_writable)
{
    int ret = call(r, readable, n_readable, n_writable, false);

    check(r, ret);
    return status_of(r, ret, n_writable);
}

int rig_batch_add(struct rig *r, const void *readable, size_t n_readable, size_t n_writable)
{
    int ret = call(r, readable, n_readable, n_writable, true);

    cr_assert_leq(ret, 0);
    cr_assert_eq(r->outcome.error, ret);
    if (ret || r->outcome.status)
        cr_assert_eq(r->outcome.iommus, 0);
    return status_of(r, ret, n_writable);
}

int rig_batch_map(struct rig *r, uint32_t domain, uint64_t first, uint64_t last)
{
    uint8_t b[36];

    return rig_batch_add(r, b, rig_map_bytes(b, domain, first, last, 0, 3), 4);
}

int rig_batch_unmap(struct rig *r, uint32_t domain, uint64_t first, uint64_t last)
{
    uint8_t b[28];

    return rig_batch_add(r, b, rig_unmap_bytes(b, domain, first, last), 4);
}

int rig_batch_attach(struct rig *r, uint32_t domain, uint32_t endpoint, uint32_t flags)
{
    uint8_t b[20];

    return rig_batch_add(r, b, rig_attach_bytes(b, domain, endpoint, flags), 4);
}

int rig_batch_detach(struct rig *r, uint32_t domain, uint32_t endpoint)
{
    uint8_t b[20];

    return rig_batch_add(r, b, rig_detach_bytes(b, domain, endpoint), 4);
}

void rig_open_members(struct rig *r, const char *platform)
{
    struct xinv_session_config config = rig_config(1);

    rig_platform(r, 0, platform, NULL, 0);
    rig_open(r, &config);
    for (uint32_t id = 8; id < 12; id++) {
        struct xinv_endpoint e = rig_endpoint(id, 0, XINV_STAGE_STAGE2);

        e.flags = 0;
        rig_add(r, &e);
    }
    cr_assert_eq(rig_attach(r, 1, 8, 0), XINV_VIRTIO_OK);
}

void rig_map_pages(struct rig *r, uint32_t domain, uint64_t first, unsigned n)
{
    for (unsigned i = 0; i < n; i++, first += 0x1000)
        cr_assert_eq(rig_map(r, domain, first, first + 0xfff, 0), XINV_VIRTIO_OK);
}

void rig_batch_unmap_pages(struct rig *r, uint32_t domain, uint64_t first, unsigned n)
{
    while (n--) {
        uint64_t page = first + n * UINT64_C(0x1000);

        cr_assert_eq(rig_batch_unmap(r, domain, page, page + 0xfff), XINV_VIRTIO_OK);
    }
}

int rig_flush(struct rig *r)
{
    int ret;

    poison(r);
    ret =
        xinv_session_batch_flush(r->session, r->policy, r->done, r->outs, r->reports, &r->outcome);
    check(r, ret);
    return ret;
}

static void put32(uint8_t *b, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        b[i] = (uint8_t)(v >> (8 * i));
}

static void put64(uint8_t *b, uint64_t v)
{
    put32(b, (uint32_t)v);
    put32(b + 4, (uint32_t)(v >> 32));
}

size_t rig_attach_bytes(uint8_t *b, uint32_t domain, uint32_t endpoint, uint32_t flags)
{
    memset(b, 0, 20);
    b[0] = 1;
    put32(b + 4, domain);
    put32(b + 8, endpoint);
    put32(b + 12, flags);
    return 20;
}

size_t rig_detach_bytes(uint8_t *b, uint32_t domain, uint32_t endpoint)
{
    memset(b, 0, 20);
    b[0] = 2;
    put32(b + 4, domain);
    put32(b + 8, endpoint);
    return 20;
}

size_t rig_map_bytes(uint8_t *b, uint32_t domain, uint64_t first, uint64_t last, uint64_t phys,
                     uint32_t flags)
{
    memset(b, 0, 36);
    b[0] = 3;
    put32(b + 4, domain);
    put64(b + 8, first);
    put64(b + 16, last);
    put64(b + 24, phys);
    put32(b + 32, flags);
    return 36;
}

size_t rig_unmap_bytes(uint8_t *b, uint32_t domain, uint64_t first, uint64_t last)
{
    memset(b, 0, 28);
    b[0] = 4;
    put32(b + 4, domain);
    put64(b + 8, first);
    put64(b + 16, last);
    return 28;
}

size_t rig_probe_bytes(uint8_t *b, uint32_t endpoint)
{
    memset(b, 0, 72);
    b[0] = 5;
    put32(b + 4, endpoint);
    return 72;
}

int rig_attach(struct rig *r, uint32_t domain, uint32_t endpoint, uint32_t flags)
{
    uint8_t b[20];

    return rig_request(r, b, rig_attach_bytes(b, domain, endpoint, flags), 4);
}

int rig_detach(struct rig *r, uint32_t domain, uint32_t endpoint)
{
    uint8_t b[20];

    return rig_request(r, b, rig_detach_bytes(b, domain, endpoint), 4);
}

int rig_map(struct rig *r, uint32_t domain, uint64_t first, uint64_t last, uint64_t phys)
{
    uint8_t b[36];

    return rig_request(r, b, rig_map_bytes(b, domain, first, last, phys, 3), 4);
}

int rig_unmap(struct rig *r, uint32_t domain, uint64_t first, uint64_t last)
{
    uint8_t b[28];

    return rig_request(r, b, rig_unmap_bytes(b, domain, first, last), 4);
}

int rig_reset(struct rig *r)
{
    int ret;

    poison(r);
    ret = xinv_session_reset(r->session, r->policy, r->done, r->outs, r->reports, &r->outcome);
    check(r, ret);
    return ret;
}

int rig_set_bypass(struct rig *r, uint8_t bypass)
{
    int ret;

    poison(r);
    ret = xinv_session_set_bypass(r->session, bypass, r->policy, r->done, r->outs, r->reports,
                                  &r->outcome);
    check(r, ret);
    return ret;
}

void rig_complete(struct rig *r)
{
    xinv_session_complete(r->session, r->outcome.token);
}

const char *rig_names(struct rig *r, uint32_t iommu)
{
    r->text[0] = '\0';
    for (unsigned c = 0; c < r->n_cmd[iommu]; c++) {
        if (c)
            strcat(r->text, " ");
        strcat(r->text, r->cmd[iommu][c].name);
    }
    return r->text;
}

static bool is(const struct refdec_cmd *c, const char *name, const char *field, uint64_t value)
{
    return !strcmp(c->name, name) && (!field || refdec_field(c, field) == value);
}

const struct refdec_cmd *rig_find(const struct rig *r, uint32_t iommu, const char *name,
                                  const char *field, uint64_t value)
{
    for (unsigned c = 0; c < r->n_cmd[iommu]; c++)
        if (is(&r->cmd[iommu][c], name, field, value))
            return &r->cmd[iommu][c];
    return NULL;
}

bool rig_covers_exactly(const struct rig *r, uint32_t iommu, const char *name, const char *field,
                        uint64_t value, uint64_t first, uint64_t last)
{
    bool more = true;

    for (unsigned c = 0; c < r->n_cmd[iommu]; c++) {
        const struct refdec_cmd *cmd = &r->cmd[iommu][c];

        if (is(cmd, name, field, value) &&
            (!cmd->has_range || cmd->first < first || cmd->last > last))
            return false;
    }
    while (more) {
        more = false;
        for (unsigned c = 0; c < r->n_cmd[iommu]; c++) {
            const struct refdec_cmd *cmd = &r->cmd[iommu][c];

            if (!is(cmd, name, field, value) || cmd->first > first || cmd->last < first)
                continue;
            if (cmd->last >= last)
                return true;
            first = cmd->last + 1;
            more = true;
        }
    }
    return false;
}

uint32_t rig_tag(const struct rig *r, uint32_t domain, uint32_t iommu, uint32_t rid)
{
    struct xinv_attachment at[16];
    int n = xinv_session_attachments(r->session, domain, iommu, at, 16);

    for (int i = 0; i < n; i++) {
        if (at[i].rid != rid)
            continue;
        if (at[i].asid)
            return at[i].asid;
        return at[i].did ? at[i].did : at[i].vmid;
    }
    cr_assert_fail("endpoint with rid 0x%x is not in domain %u", rid, domain);
    return 0;
}

void rig_remember(struct rig *r)
{
    memcpy(r->before, r->memory, r->size);
}

bool rig_unchanged(const struct rig *r)
{
    return memcmp(r->before, r->memory, r->size) == 0;
}
