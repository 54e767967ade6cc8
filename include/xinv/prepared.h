// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Prepared lists: everything of a translation that does not depend on the range, worked out once.
 *
 * The attachments of a domain change seldom, its pages all the time. A prepared list keeps the
 * words of every command that one kind of change needs for one set of attachments, but for the
 * addresses; xinv_prepared_emit() puts those in. Its answers are xinv_translate()'s, byte for byte
 * and report for report: what a list does not hold for, xinv_translate() answers.
 */
#ifndef XINV_PREPARED_H
#define XINV_PREPARED_H

#include <xinv/xinv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xinv_backend;

/* One command: its words, those of its address left 0. */
struct xinv_prepared_command {
    uint64_t words[4];
    uint8_t op;    /* the backend's number of it */
    uint8_t times; /* it goes out in place */
    uint8_t range; /* index of its ranges; XINV_PREPARED_WHOLE: it takes no address */
};

#define XINV_PREPARED_WHOLE  0xffu
#define XINV_PREPARED_RANGES 4u

/* How some of the commands say a range. */
struct xinv_prepared_range {
    struct xinv_range_spec spec;
    uint8_t policy;    /* enum xinv_policy_kind */
    uint8_t log2_unit; /* what one address names at least */
    uint8_t least; /* POW2: log2 of the 4 KiB pages of the smallest block that is large enough */
};

/* The sync that stores, with address and data 0, and where those go. */
struct xinv_prepared_store {
    uint64_t words[4];
    uint64_t not_address; /* bits that no address has; all of them: it cannot be said */
    uint64_t not_data;
    uint8_t address_word;
    uint8_t data_word;
    uint8_t data_lsb;
};

/* Written by xinv_prepare() alone. */
struct xinv_prepared {
    const struct xinv_iommu *iommu;
    const struct xinv_backend *backend;
    const struct xinv_attachment *attachments;
    struct xinv_prepared_command *commands;
    size_t n_attachments;
    struct xinv_request request;
    struct xinv_policy policy;
    struct xinv_report report; /* what does not depend on the range */
    uint64_t plain_sync[4];    /* that tells nobody, where every list ends with a sync */
    uint64_t page_bits; /* of an address, where a single page is said by it alone; 0: not so */
    uint64_t top;       /* last address that every command can name */
    struct xinv_prepared_store store;
    uint32_t blocks; /* a range of up to so many for one command wants this list */
    uint32_t n;      /* commands; 0: nothing is prepared, every range is planned */
    uint32_t cap;
    uint32_t total; /* with fences and repeats, where every range is one block */
    uint32_t room;  /* words of so many, and of the sync that ends them */
    uint8_t sync;   /* 1: it always ends with one */
    uint8_t n_ranges;
    struct xinv_prepared_range range[XINV_PREPARED_RANGES];
};

/*
 * xinv_prepare - works out the list of a change for every range that it may come to
 * @list: filled in; nothing to release
 * @commands, @cap: the caller's memory for the list's commands; about one for each row and
 * attachment, and one for each fence. Where they are too few, nothing is prepared and the list
 * stays valid.
 * @iommu, @attachments, @n, @policy: as for xinv_translate(); the list keeps pointers to the first
 * two and to `commands`, which must not change as long as it is used
 * @request: as for xinv_translate(), with XINV_REQ_RANGE; its first and last do not count
 *
 * A list holds for one set of attachments, one leaf size and one granule. It is const afterwards
 * and may be shared.
 *
 * returns: how many commands are prepared; 0: this change depends on more than the range (a
 * register step, a wait between commands, a limit on commands between syncs, which queue), and each
 * xinv_prepared_emit() takes as long as xinv_translate(); -XINV_E_INVAL, -XINV_E_TAG,
 * -XINV_E_UNSUPP, -XINV_E_NOENT, -XINV_E_MUST_BLOCK as xinv_translate() would for any range
 */
int xinv_prepare(struct xinv_prepared *list, struct xinv_prepared_command *commands, uint32_t cap,
                 const struct xinv_iommu *iommu, const struct xinv_attachment *attachments,
                 size_t n, const struct xinv_request *request, const struct xinv_policy *policy);

/*
 * xinv_prepared_emit - the commands of a prepared list for one range
 * @first, @last: bytes, both inclusive
 * @completion, @out, @report: as for xinv_translate()
 *
 * returns: as xinv_translate()
 */
int xinv_prepared_emit(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                       const struct xinv_completion *completion, struct xinv_out *out,
                       struct xinv_report *report);

#ifdef __cplusplus
}
#endif

#endif
