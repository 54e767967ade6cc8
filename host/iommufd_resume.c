// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * After a call that failed. The kernel's VT-d side handles entries one by one and counts them. Its
 * SMMUv3 side converts all, issues groups of 63 and counts what it converted, or all but one of the
 * group that failed: its number is above what was done.
 */
#include "backends/smmuv3/layout.h"
#include "core/emit.h"
#include "core/read.h"
#include "host/iommufd.h"

/* What an errno says of trying again. */
enum outlook {
    OUTLOOK_AGAIN, /* the same call can succeed the next time */
    OUTLOOK_WIDER, /* the same call fails again; one of another form need not */
    OUTLOOK_NONE
};

struct resume {
    const struct xinv_iommu *iommu;
    const struct xinv_iommufd_hwpt_invalidate *call;
    const void *entries;
    struct xinv_attachment to; /* the object */
    uint32_t first;            /* entry that is not done for certain */
    struct xinv_emit emit;
};

static enum outlook outlook_of(int linux_errno)
{
    switch (linux_errno) {
    case 0: /* but not all was done */
    case XINV_LINUX_EINTR:
    case XINV_LINUX_EAGAIN:
    case XINV_LINUX_EBUSY:
    case XINV_LINUX_ENOMEM:
        return OUTLOOK_AGAIN;
    case XINV_LINUX_EIO:
    case XINV_LINUX_EFAULT:
    case XINV_LINUX_EINVAL:
    case XINV_LINUX_EOPNOTSUPP:
    case XINV_LINUX_ETIMEDOUT:
        return OUTLOOK_WIDER;
    default:
        return OUTLOOK_NONE;
    }
}

static void put(struct resume *r, const uint64_t *words)
{
    xinv_emit_words(&r->emit, &r->to, words);
}

static void put_rest(struct resume *r)
{
    for (uint32_t i = r->first; i < r->call->entry_num; i++) {
        uint64_t words[XINV_COMMAND_WORDS];

        xinv_iommufd_load(r->iommu, r->entries, i, words);
        put(r, words);
    }
}

/* ---- VT-d ---- */

static const uint64_t everything[3] = {0, UINT64_MAX, 0};

static bool is_everything(const struct resume *r)
{
    uint64_t words[XINV_COMMAND_WORDS];

    if (r->call->entry_num != 1)
        return false;
    xinv_iommufd_load(r->iommu, r->entries, 0, words);
    return words[0] == everything[0] && words[1] == everything[1] && words[2] == everything[2];
}

/* ---- SMMUv3 ---- */

enum kind {
    KIND_CONFIG,
    KIND_TLB,
    KIND_ATC,
    N_KINDS,
    KIND_NONE = N_KINDS
};

/* The widest form of a command, and what kind it is. */
static enum kind widen(uint64_t *words)
{
    switch (XINV_GET(words, SMMUV3_OPCODE)) {
    case SMMUV3_CFGI_CD:
    case SMMUV3_CFGI_CD_ALL: {
        uint64_t sid = XINV_GET(words, SMMUV3_SID);

        words[0] = SMMUV3_CFGI_CD_ALL;
        words[1] = 0;
        XINV_PUT(words, SMMUV3_SID, sid);
        return KIND_CONFIG;
    }
    case SMMUV3_TLBI_NSNH_ALL:
    case SMMUV3_TLBI_NH_ALL:
    case SMMUV3_TLBI_NH_ASID:
    case SMMUV3_TLBI_NH_VA:
    case SMMUV3_TLBI_NH_VAA:
        words[0] = SMMUV3_TLBI_NH_ALL;
        words[1] = 0;
        return KIND_TLB;
    case SMMUV3_ATC_INV: /* of the same stream and PASID */
        words[1] = 0;
        XINV_PUT(words, SMMUV3_ATC_SIZE, 52);
        return KIND_ATC;
    default:
        return KIND_NONE;
    }
}

/* Is there an entry whose widest form is another command, or one that has none? */
static bool can_widen(const struct resume *r)
{
    bool wider = false;

    for (uint32_t i = 0; i < r->call->entry_num; i++) {
        uint64_t words[XINV_COMMAND_WORDS];
        uint64_t wide[XINV_COMMAND_WORDS];

        xinv_iommufd_load(r->iommu, r->entries, i, words);
        memcpy(wide, words, sizeof(wide));
        if (widen(wide) == KIND_NONE)
            return false;
        wider |= wide[0] != words[0] || wide[1] != words[1];
    }
    return wider;
}

/* The commands of one kind; what stands next to its like is said once. */
static void put_kind(struct resume *r, enum kind kind)
{
    uint64_t last[2] = {0};

    for (uint32_t i = 0; i < r->call->entry_num; i++) {
        uint64_t words[XINV_COMMAND_WORDS];

        xinv_iommufd_load(r->iommu, r->entries, i, words);
        if (widen(words) != kind || (words[0] == last[0] && words[1] == last[1]))
            continue;
        memcpy(last, words, sizeof(last));
        put(r, words);
    }
    xinv_emit_close(&r->emit); /* the kernel syncs at the end of a call, not between its entries */
}

/* ---- Both ---- */

static void put_all(struct resume *r, enum outlook outlook)
{
    if (outlook == OUTLOOK_AGAIN) {
        put_rest(r);
    } else if (xinv_iommufd_is_vtd(r->iommu)) {
        put(r, everything);
    } else {
        for (unsigned kind = 0; kind < N_KINDS; kind++)
            put_kind(r, (enum kind)kind);
    }
    xinv_emit_close(&r->emit);
}

static int emit(struct resume *r, enum outlook outlook, struct xinv_out *out)
{
    struct xinv_report report = {0};
    int ret;

    for (unsigned pass = 0; pass < 2; pass++) {
        xinv_emit_begin(&r->emit, r->iommu, out, pass == 0);
        put_all(r, outlook);
        ret = xinv_emit_result(&r->emit, out, &report);
        if (ret)
            return ret;
        if (!out->words)
            break;
    }
    return (int)report.commands;
}

static bool is_valid(const struct xinv_iommu *iommu,
                     const struct xinv_iommufd_hwpt_invalidate *call, const void *entries)
{
    return call->data_type == xinv_iommufd_data_type(iommu) &&
           call->entry_len == xinv_iommufd_entry_len(iommu) &&
           call->entry_num <= XINV_IOMMUFD_MAX_ENTRIES && entries;
}

int xinv_iommufd_resume(const struct xinv_iommu *iommu,
                        const struct xinv_iommufd_hwpt_invalidate *call, const void *entries,
                        int linux_errno, uint32_t done, struct xinv_out *out)
{
    struct resume r = {.iommu = iommu, .call = call, .entries = entries};
    enum outlook outlook = outlook_of(linux_errno);

    if (!iommu || !iommu->target || !call || !out)
        return -XINV_E_INVAL;
    if (!call->entry_num || (!linux_errno && done == call->entry_num))
        return 0;
    if (!is_valid(iommu, call, entries))
        return -XINV_E_INVAL;
    r.to.did = call->hwpt_id;
    r.to.vmid = call->hwpt_id;
    /* a number that is not below what was asked is what the kernel did not write over */
    if (xinv_iommufd_is_vtd(iommu) && done < call->entry_num)
        r.first = done;
    if (outlook == OUTLOOK_WIDER &&
        (xinv_iommufd_is_vtd(iommu) ? is_everything(&r) : !can_widen(&r)))
        outlook = OUTLOOK_NONE;
    return outlook == OUTLOOK_NONE ? -XINV_E_MUST_BLOCK : emit(&r, outlook, out);
}
