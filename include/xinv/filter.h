// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A guest's own commands: for a VMM that shows its guest a native IOMMU over nested translation.
 *
 * xinv_filter() takes one command as the guest put it in its queue. What is about the guest's own
 * translations and endpoints goes to the host under the host's names (VMID, DID or DomainID;
 * StreamID, source ID or DeviceID; QueueID, PFSID and queue depth); everything else is refused.
 * Only what is on a vendor's list is looked at, and what is not understood is refused as well.
 *
 * The endpoints are the guest's alone: a command for all PASIDs of one reaches all of them.
 *
 * AMD's INVALIDATE_IOMMU_ALL goes to the host as the guest's devices and domains one by one. It
 * also says that any of the guest's device and interrupt table entries may have changed: the caller
 * reads them anew before it forwards what comes out, as it does for a command that is EMULATED.
 */
#ifndef XINV_FILTER_H
#define XINV_FILTER_H

#include <xinv/xinv.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One use of a translation table by one of the guest's endpoints: the host's attachment, and what
 * the guest calls it. `known` is an XINV_TAG_BIT mask of the guest's names that are set.
 */
struct xinv_guest_attachment {
    const struct xinv_attachment *host; /* with stage, tags, ATS, queue and PFSID */
    uint32_t rid;                       /* virtual StreamID, source ID or DeviceID */
    uint32_t did; /* VT-d, AMD: in the guest's own PASID or device table entry */
    uint8_t known;
};

struct xinv_guest {
    const struct xinv_guest_attachment *at; /* all of this guest on this IOMMU */
    size_t n;
    uint8_t pasid_bits; /* PASIDs below 2^pasid_bits are the guest's; 0: PASID 0 alone */
};

enum xinv_filter_verdict {
    XINV_FILTER_REFUSED,
    XINV_FILTER_ANSWERED,  /* nothing for the host: the caller completes it itself; a sync or wait
                              once what went before is complete on the host */
    XINV_FILTER_FORWARDED, /* the guest's words as they are */
    XINV_FILTER_REWRITTEN, /* other words, or several commands */
    XINV_FILTER_NVERDICTS
};

/* Why a command is refused, and what xinv_filter() then returns. */
enum xinv_filter_reason {
    XINV_FILTER_ALLOWED,
    XINV_FILTER_INVALID,  /* hardware would not take it either, see `fault`: an error of
                             xinv_decode() */
    XINV_FILTER_UNLISTED, /* no guest may send it: -XINV_E_UNSUPP */
    XINV_FILTER_EMULATED, /* a table that the caller reads for the guest has changed (device,
                             context, PASID or interrupt entries): -XINV_E_UNSUPP; the caller acts
                             on it */
    XINV_FILTER_HINT, /* it asks for nothing that must happen: -XINV_E_UNSUPP; it can be dropped */
    XINV_FILTER_ENDPOINT, /* none of the guest's endpoints has that requester ID: -XINV_E_NOENT */
    XINV_FILTER_TAG,      /* none of the guest's nested tables has that DID: -XINV_E_NOENT */
    XINV_FILTER_PASID,    /* the PASID is not the guest's: -XINV_E_TAG */
    XINV_FILTER_NO_ATS, /* the endpoint's device TLB is off, and would not answer: -XINV_E_UNSUPP */
    XINV_FILTER_HOST, /* the host's IOMMU does not take what it would become, see `fault`: an error
                         of xinv_decode(); no row of its table says that this stays within what it
                         names: -XINV_E_UNSUPP; an attachment's tag is too wide or reserved:
                         -XINV_E_TAG */
    XINV_FILTER_NREASONS
};

struct xinv_filtered {
    uint8_t verdict;     /* enum xinv_filter_verdict */
    uint8_t reason;      /* enum xinv_filter_reason */
    uint32_t commands;   /* for the host */
    uint32_t need_words; /* also when the output was too small */
    uint32_t need_steps;
    struct xinv_fault fault; /* INVALID, HOST */
};

/*
 * xinv_filter - a guest's own command, checked and rewritten for the host
 * @iommu: the host's; the guest's is no better than it
 * @guest: its attachments
 * @words: iommu->words words, low word first
 * @out: where the host's commands go, without a sync: the caller ends them with xinv_sync() before
 * it answers the guest's. Nothing is repeated for an erratum of the host's either
 * @result: filled in also on error; may be NULL
 *
 * A command for all that the guest has is answered where the guest has nothing.
 *
 * returns: the number of commands for the host, 0 where the verdict is ANSWERED; -XINV_E_INVAL: an
 * argument is NULL; -XINV_E_NOSPACE; where the verdict is REFUSED, the reason's
 */
int xinv_filter(const struct xinv_iommu *iommu, const struct xinv_guest *guest,
                const uint64_t *words, struct xinv_out *out, struct xinv_filtered *result);

/* xinv_filter_text - a short fixed text for a reason */
const char *xinv_filter_text(unsigned reason);

#ifdef __cplusplus
}
#endif

#endif
