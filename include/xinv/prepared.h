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

/* One command; its words are little-endian. */
struct xinv_prepared_command {
    uint64_t words[4]; /* for a block of addresses that is not said yet */
    uint64_t page[2];  /* the first two for one page at address 0 */
    uint64_t
        page_mask; /* bits of a page's address that the second of those takes; 0: it takes none */
    uint8_t times; /* it goes out in place */
    uint8_t range; /* index of its ranges; XINV_PREPARED_WHOLE: it takes no address */
    uint8_t phase; /* of its row; XINV_PREPARED_FENCE: it is a sync between two phases */
};

#define XINV_PREPARED_WHOLE  0xffu
#define XINV_PREPARED_FENCE  0xffu
#define XINV_PREPARED_RANGES 4u

/* What the blocks of a range depend on. */
struct xinv_cut_request {
    struct xinv_range_spec spec;
    uint8_t policy;        /* enum xinv_policy_kind */
    uint8_t blocks;        /* XINV_POLICY_AT_MOST */
    uint8_t log2_granule;  /* PAGE and SCALED */
    uint8_t log2_step;     /* PAGE: one address for so many bytes is enough; at least the granule */
    uint8_t log2_leaf;     /* largest leaf removed */
    uint8_t leaves_within; /* 1: no such leaf reaches beyond the range */
    uint64_t first;
    uint64_t last;
};

/* How some of the commands say a range. */
struct xinv_prepared_range {
    struct xinv_cut_request cut; /* but for the range */
    uint8_t sized;               /* POW2: the size stands in the address, as ones below a zero */
    uint64_t one;   /* POW2: bits of order 1, in the second word; SCALED: of NUM 1, in the first */
    uint64_t scale; /* SCALED: bits of SCALE 1, in the first word */
    uint64_t many;  /* SCALED: of whatever is more than one granule, in the second */
    uint32_t times; /* how often the list's commands say each block */
};

/* The sync that ends a list, with address and data 0, and where those go. */
struct xinv_prepared_sync {
    uint64_t words[4];    /* little-endian */
    uint64_t not_address; /* bits that no address has; all of them: it cannot be said */
    uint64_t not_data;
    uint32_t stores; /* 1: the completion's address and data belong in it */
    uint32_t address_word;
    uint32_t data_word;
    uint32_t data_lsb;
};

/* Written by xinv_prepare() alone. A page is the smallest unit of the tables that were changed: a
 * leaf, where its size is known. */
struct xinv_prepared {
    struct xinv_prepared_command *commands;
    uint64_t page;     /* its size less 1 */
    uint64_t page_top; /* last address of the last page that every command can say in one piece */
    uint32_t n;        /* commands; 0: nothing is prepared */
    uint32_t room;     /* words of a page's list, and of the sync that ends it */
    uint32_t words;    /* of a command */
    uint8_t sync;      /* 1: a list always ends with one */
    uint8_t nothing;   /* 1: this change needs no command, whatever the range */
    uint8_t n_ranges;
    uint8_t phases;                  /* of its commands, a bit each */
    uint8_t apart;                   /* 1: in a list of several ranges it would be another */
    struct xinv_prepared_sync store; /* that stores and no more */
    struct xinv_prepared_sync plain; /* that tells nobody */
    struct xinv_report page_report;
    struct xinv_report report; /* what does not depend on the range */
    struct xinv_prepared_range range[XINV_PREPARED_RANGES];
    uint64_t top;    /* last address that every command can name */
    uint32_t blocks; /* a range of up to so many for one command wants this list */
    uint32_t total;  /* commands, with fences and repeats, where every range is one block */
    uint32_t cap;
    const struct xinv_iommu *iommu;
    const struct xinv_attachment *attachments;
    size_t n_attachments;
    struct xinv_request request;
    struct xinv_policy policy;
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
 * xinv_prepared_write - the commands of a prepared list for one range, if it holds for it
 * @first, @last: bytes, both inclusive
 * @completion, @out, @report: as for xinv_translate()
 *
 * Nothing is planned: this call and what it calls take little stack and none of the planner's code.
 *
 * returns: the number of commands; 0: the list does not hold for this range, this completion or
 * this output (too many blocks, too little room, an error), nothing is written and *report is as it
 * was: xinv_translate() has the answer; -XINV_E_INVAL: no list or no output
 */
int xinv_prepared_write(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                        const struct xinv_completion *completion, struct xinv_out *out,
                        struct xinv_report *report);

/*
 * xinv_prepared_page - the commands for one page as words and nothing else: for those whose queue,
 * and whose sync, are their own
 * @first: the page's first byte; a page is list->page + 1 bytes
 * @words: room for list->room - list->words words in one piece
 *
 * The fences between phases are among them. The sync that ends every list is not: the page is in
 * use until the caller's own, behind these words, has completed.
 *
 * returns: words written, list->room - list->words; 0: nothing is written, since the list says no
 * page in one piece, or `first` begins none that its commands can name
 */
uint32_t xinv_prepared_page(const struct xinv_prepared *list, uint64_t first, uint64_t *words);

/*
 * xinv_prepared_emit - the same, planned anew where the list does not hold
 * returns: as xinv_translate()
 */
int xinv_prepared_emit(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                       const struct xinv_completion *completion, struct xinv_out *out,
                       struct xinv_report *report);

#ifdef __cplusplus
}
#endif

#endif
