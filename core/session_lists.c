// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Prepared lists that a session keeps: the commands of a change of a domain's tables, for any range
 * of them. Its key is what a list holds for: the domain's attachments, by a number that no other
 * state of any domain has had (xinv_domain.epoch), and everything of a request but its range.
 */
#include "core/iommu.h"
#include "core/session_job.h"

/* A list takes the time of some requests to make: it is made for what is asked for again before
 * others have asked for its place so often, and what was asked for more often stays for longer. */
#define FIRST_USES 2
#define MOST_USES  8
#define IN_USE     (MOST_USES + 1u) /* by this call */

/* A list is in one of so many slots from where its key's hash points. */
#define PROBES 4u

/* Which of the granules the tables of an IOMMU have, if that is sure. */
static bool granule_of(const struct xinv_session *s, uint32_t iommu, uint8_t *log2)
{
    const unsigned mask = s->tables[iommu].granules;

    *log2 = xinv_session_granules[__builtin_ctz(mask)];
    return !(mask & (mask - 1));
}

/*
 * The leaf size that is planned for. Where leaves lie within the range, and tables may have gone
 * with them, their size matters only to commands whose blocks must be as large, and to those only
 * if a leaf is larger than they can say: one list serves all others.
 */
static uint8_t leaf_of(const struct xinv_session *s, uint32_t iommu,
                       const struct xinv_pending_range *range)
{
    const uint16_t flags = XINV_REQ_LEAVES_WITHIN | XINV_REQ_LEAF_ONLY;

    if ((range->flags & flags) == XINV_REQ_LEAVES_WITHIN &&
        range->log2_leaf <= s->tables[iommu].log2_block)
        return 12;
    return range->log2_leaf;
}

/* All that a list depends on beside the attachments, as a number. */
static uint64_t change_of(const struct xinv_pending_range *range, uint8_t log2_leaf, uint32_t iommu,
                          const struct xinv_policy *policy, uint8_t blocks)
{
    return (uint64_t)range->from | (uint64_t)log2_leaf << 2 | (uint64_t)iommu << 8 |
           (uint64_t)range->flags << 16 | (uint64_t)policy->kind << 32 | (uint64_t)blocks << 40 |
           (uint64_t)policy->max_commands << 48;
}

static uint32_t hash_of(const struct xinv_session *s, uint64_t epoch, uint64_t change)
{
    uint64_t hash = (epoch * UINT64_C(0x9e3779b97f4a7c15) ^ change) * UINT64_C(0xd6e8feb86659fd93);

    return (uint32_t)((hash >> 32) * s->config.prepared_lists >> 32);
}

/* What a list is worth: nothing, once its domain has changed; more than any other, while a call
 * uses it. */
static unsigned worth_of(const struct xinv_session *s, const struct xinv_session_list *slot)
{
    if (slot->epoch != s->domains[slot->domain].epoch)
        return 0;
    return slot->call == s->calls ? IN_USE : slot->uses;
}

/* The slot of a list; where it has none, the one whose list is worth least. */
static struct xinv_session_list *slot_of(const struct xinv_session *s, uint64_t epoch,
                                         uint64_t change, bool *found)
{
    struct xinv_session_list *const end = s->lists + s->config.prepared_lists;
    struct xinv_session_list *slot = s->lists + hash_of(s, epoch, change);
    struct xinv_session_list *least = slot;

    *found = true;
    for (unsigned i = 0; i < PROBES; i++) {
        if (slot->epoch == epoch && slot->change == change)
            return slot;
        if (worth_of(s, slot) < worth_of(s, least))
            least = slot;
        if (++slot == end)
            slot = s->lists;
    }
    *found = false;
    return least;
}

/* Makes the list. Attachments of both stages, or of more than one granule, would take several. */
static void make(struct xinv_job *job, struct xinv_session_list *slot, uint32_t domain,
                 uint32_t iommu, const struct xinv_pending_range *range, uint8_t log2_leaf,
                 const struct xinv_policy *policy)
{
    const struct xinv_session *s = job->s;
    size_t first = xinv_job_gather(job, domain, iommu, XINV_STAGE_STAGE1, 0);
    size_t second = xinv_job_gather(job, domain, iommu, XINV_STAGE_STAGE2, first);
    struct xinv_request request =
        xinv_pte_request(second ? XINV_STAGE_STAGE2 : XINV_STAGE_STAGE1, range);
    int ret;

    slot->state = XINV_LIST_NONE;
    if (!first == !second || !granule_of(s, iommu, &request.log2_granule))
        return;
    request.log2_leaf_size = log2_leaf;
    ret = xinv_prepare(&slot->prepared, slot->commands, XINV_SESSION_LIST_COMMANDS,
                       s->iommus[iommu], s->scratch, first + second, &request, policy);
    /* the words have all that the attachments said, and nothing is planned with them again */
    slot->prepared.attachments = NULL;
    slot->prepared.n_attachments = 0;
    if (ret > 0 || (!ret && slot->prepared.nothing))
        slot->state = XINV_LIST_MADE;
}

/* Takes a slot for a change of which nothing is kept yet. A list that is worth something stays, and
 * is worth less from then on. */
static void take(const struct xinv_session *s, struct xinv_session_list *slot, uint32_t domain,
                 uint64_t change)
{
    const unsigned worth = worth_of(s, slot);

    if (worth) {
        slot->uses = (uint8_t)(slot->uses - (worth != IN_USE));
        return;
    }
    slot->epoch = s->domains[domain].epoch;
    slot->change = change;
    slot->call = s->calls;
    slot->domain = domain;
    slot->uses = FIRST_USES;
    slot->state = XINV_LIST_NOTED;
}

const struct xinv_prepared *xinv_job_list(struct xinv_job *job, uint32_t domain, uint32_t iommu,
                                          const struct xinv_pending_range *range, uint8_t blocks)
{
    static const struct xinv_policy exact = {XINV_POLICY_EXACT, 0, 0};
    const struct xinv_policy *policy = job->policy ? job->policy : &exact;
    const struct xinv_session *s = job->s;
    const uint64_t epoch = s->domains[domain].epoch;
    struct xinv_session_list *slot;
    uint8_t log2_leaf;
    uint64_t change;
    bool found;

    if (!s->config.prepared_lists)
        return NULL;
    blocks = blocks ? blocks : policy->blocks;
    log2_leaf = leaf_of(s, iommu, range);
    change = change_of(range, log2_leaf, iommu, policy, blocks);
    slot = slot_of(s, epoch, change, &found);
    if (!found) {
        take(s, slot, domain, change);
        return NULL;
    }
    if (slot->call != s->calls) {
        slot->call = s->calls;
        slot->uses = (uint8_t)(slot->uses + (slot->uses < MOST_USES));
        if (slot->state == XINV_LIST_NOTED) {
            const struct xinv_policy own = {policy->kind, blocks, policy->max_commands};

            make(job, slot, domain, iommu, range, log2_leaf, &own);
        }
    }
    return slot->state == XINV_LIST_MADE ? &slot->prepared : NULL;
}
