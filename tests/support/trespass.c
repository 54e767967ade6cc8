// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/trespass.h"

#include <string.h>

static bool is_guests(const struct xinv_guest *guest, unsigned tag, uint32_t value)
{
    for (size_t i = 0; i < guest->n; i++) {
        const struct xinv_attachment *at = guest->at[i].host;

        if ((tag == XINV_TAG_RID && at->rid == value) ||
            (tag == XINV_TAG_DID && at->did == value && at->stage == XINV_STAGE_NESTED) ||
            (tag == XINV_TAG_VMID && at->vmid == value))
            return true;
    }
    return false;
}

/* Every removal is bound to a tag of the guest's, that tells its entries from its neighbours'. */
static const char *trespass_of_removals(const struct xinv_guest *guest,
                                        const struct xinv_removal_set *set)
{
    for (unsigned i = 0; i < set->n; i++) {
        uint8_t match = set->removal[i].match;
        bool rid = match & XINV_TAG_BIT(XINV_TAG_RID);
        bool did = match & XINV_TAG_BIT(XINV_TAG_DID);
        bool vmid = match & XINV_TAG_BIT(XINV_TAG_VMID);

        if (!rid && !did && !vmid)
            return "a removal is bound to no tag of the guest's";
        if (rid && (set->rid_ignored || !is_guests(guest, XINV_TAG_RID, set->rid)))
            return "a requester ID is not the guest's";
        if (did && !is_guests(guest, XINV_TAG_DID, set->did))
            return "a DID is not the guest's";
        if (vmid && !is_guests(guest, XINV_TAG_VMID, set->vmid))
            return "a VMID is not the guest's";
        if ((match & XINV_TAG_BIT(XINV_TAG_PASID)) && set->pasid >> guest->pasid_bits)
            return "a PASID is not the guest's";
    }
    return NULL;
}

/* Of a command that removes nothing: an answer to a page request names a device. */
static const char *trespass_of_answer(const struct xinv_iommu *iommu,
                                      const struct xinv_guest *guest, const uint64_t *words)
{
    struct xinv_decoded d;

    if (xinv_decode(iommu, words, &d))
        return "a command leaves that is not valid";
    for (unsigned i = 0; i < d.n_fields; i++)
        if (!strcmp(d.fields[i].name, "DeviceID"))
            return is_guests(guest, XINV_TAG_RID, (uint32_t)d.fields[i].value)
                       ? NULL
                       : "a device is not the guest's";
    return "a command that names nothing leaves";
}

const char *trespass(const struct xinv_iommu *iommu, const struct xinv_guest *guest,
                     const uint64_t *words)
{
    struct xinv_removal_set set = {0};
    int n = xinv_removes(iommu, words, &set);

    if (n < 0)
        return "a command leaves that is not valid, or of which no row knows what it removes";
    return n ? trespass_of_removals(guest, &set) : trespass_of_answer(iommu, guest, words);
}
