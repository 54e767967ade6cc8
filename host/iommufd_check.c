// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What the kernel refuses of a call, in its order, and what it takes and does wrongly. */
#include "backends/smmuv3/layout.h"
#include "core/read.h"
#include "host/iommufd.h"

struct check {
    const struct xinv_iommu *iommu;
    const struct xinv_iommufd_hwpt_invalidate *call;
    const struct xinv_attachment *at; /* NULL: not known */
    size_t n;
    struct xinv_iommufd_fault fault;
};

static int wrong(struct check *c, int error, int linux_errno, const char *field, const char *rule)
{
    c->fault.linux_errno = linux_errno;
    c->fault.field = field;
    c->fault.rule = rule;
    return error;
}

/* ---- The call ---- */

static uint32_t target_of(const struct check *c, const struct xinv_attachment *at)
{
    return xinv_iommufd_is_vtd(c->iommu) ? at->did : at->vmid;
}

static bool is_known_target(const struct check *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (target_of(c, &c->at[i]) == c->call->hwpt_id)
            return true;
    return !c->at;
}

static int check_call(struct check *c, const void *entries)
{
    const struct xinv_iommufd_hwpt_invalidate *call = c->call;

    if (call->size != sizeof(*call))
        return wrong(c, -XINV_E_INVAL, XINV_LINUX_EINVAL, "size", "not 32");
    if (call->reserved)
        return wrong(c, -XINV_E_INVAL, XINV_LINUX_EOPNOTSUPP, "reserved", "not 0");
    if (!call->hwpt_id || !is_known_target(c))
        return wrong(c, -XINV_E_NOENT, XINV_LINUX_ENOENT, "hwpt_id", "no such object");
    if (call->data_type != xinv_iommufd_data_type(c->iommu))
        return wrong(c, -XINV_E_INVAL, XINV_LINUX_EINVAL, "data_type", "not that of the object");
    if (!call->entry_num)
        return 0; /* a question: does the kernel know the type? */
    if (!call->data_uptr || !entries)
        return wrong(c, -XINV_E_INVAL, XINV_LINUX_EINVAL, "data_uptr", "entries are nowhere");
    if (call->entry_len != xinv_iommufd_entry_len(c->iommu))
        return wrong(c, -XINV_E_INVAL, XINV_LINUX_EINVAL, "entry_len", "not that of the type");
    if (call->entry_num > XINV_IOMMUFD_MAX_ENTRIES)
        return wrong(c, -XINV_E_INVAL, XINV_LINUX_EINVAL, "entry_num", "above 2^19");
    return 0;
}

/* ---- Entries ---- */

static const char *text_of(const struct xinv_fault *fault)
{
    switch (fault->kind) {
    case XINV_FAULT_OPCODE:
        return "no command has this opcode";
    case XINV_FAULT_RESERVED:
        return "a reserved bit is set";
    case XINV_FAULT_LIMIT:
        return "too wide for this IOMMU";
    case XINV_FAULT_FEATURE:
        return fault->field ? "this IOMMU has no such field" : "not a command of users";
    default:
        return fault->rule;
    }
}

/* Of SMMUv3's commands the kernel looks at the opcode, and then at the StreamID. */
static int errno_of(const struct check *c, const struct xinv_fault *fault)
{
    if (xinv_iommufd_is_smmuv3(c->iommu))
        return fault->kind == XINV_FAULT_OPCODE ||
                       (!fault->field && fault->kind != XINV_FAULT_RESERVED)
                   ? XINV_LINUX_EIO
                   : 0;
    switch (fault->hardware) {
    case XINV_HW_EINVAL:
        return XINV_LINUX_EINVAL;
    case XINV_HW_EOPNOTSUPP:
        return XINV_LINUX_EOPNOTSUPP;
    default:
        return 0;
    }
}

static int refused(struct check *c, const struct xinv_fault *fault, int error)
{
    int linux_errno = errno_of(c, fault);

    c->fault.command = *fault;
    if (xinv_iommufd_is_vtd(c->iommu) && !linux_errno)
        error = -XINV_E_RANGE; /* pages that are none, or that wrap */
    return wrong(c, error, linux_errno, fault->field, text_of(fault));
}

/* A command for a stream needs a vDEVICE of that StreamID, and one for its ATC that it is on. */
static int check_stream(struct check *c, const uint64_t *words)
{
    uint64_t opcode = XINV_GET(words, SMMUV3_OPCODE);
    uint32_t sid = (uint32_t)XINV_GET(words, SMMUV3_SID);
    bool ats = false;
    bool found = false;

    if (!c->at ||
        (opcode != SMMUV3_CFGI_CD && opcode != SMMUV3_CFGI_CD_ALL && opcode != SMMUV3_ATC_INV))
        return 0;
    for (size_t i = 0; i < c->n; i++)
        if (target_of(c, &c->at[i]) == c->call->hwpt_id && c->at[i].rid == sid) {
            found = true;
            ats |= (c->at[i].flags & XINV_ATT_ATS) != 0;
        }
    if (!found)
        return wrong(c, -XINV_E_NOENT, XINV_LINUX_EIO, "SID", "no vDEVICE has this StreamID");
    if (opcode == SMMUV3_ATC_INV && !ats)
        return wrong(c, -XINV_E_UNSUPP, 0, "SID", "the endpoint's device TLB is off");
    return 0;
}

static int check_entry(struct check *c, const uint64_t *words)
{
    struct xinv_decoded decoded;
    int ret = xinv_decode(c->iommu, words, &decoded);

    if (ret)
        return refused(c, &decoded.fault, ret);
    return xinv_iommufd_is_smmuv3(c->iommu) ? check_stream(c, words) : 0;
}

int xinv_iommufd_check(const struct xinv_iommu *iommu,
                       const struct xinv_iommufd_hwpt_invalidate *call, const void *entries,
                       const struct xinv_attachment *attachments, size_t n,
                       struct xinv_iommufd_fault *fault)
{
    struct check c = {.iommu = iommu, .call = call, .at = attachments, .n = n};
    int ret;

    if (!iommu || !iommu->target || !call || (n && !attachments))
        return -XINV_E_INVAL;
    c.fault.index = call->entry_num;
    ret = check_call(&c, entries);
    for (uint32_t i = 0; !ret && i < call->entry_num; i++) {
        uint64_t words[XINV_COMMAND_WORDS];

        c.fault.index = i;
        xinv_iommufd_load(iommu, entries, i, words);
        ret = check_entry(&c, words);
    }
    if (ret && fault)
        *fault = c.fault;
    return ret;
}
