// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The tables: what a platform's caches are tagged with, what each command removes, and what each
 * software change needs. They are const data, generated from schema/ (or built by the YAML loader
 * at run time); the planner knows nothing else about a vendor.
 *
 * A table is a set of flat arrays; a row names its sub-rows by (first, count) in the neighbouring
 * array.
 */
#ifndef XINV_TABLE_H
#define XINV_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of entries that hardware keeps. */
enum xinv_cache {
    XINV_CACHE_DEVICE_CONFIG, /* STE, context entry, DTE */
    XINV_CACHE_PASID_CONFIG,  /* CD, PASID entry, GCR3 entry */
    XINV_CACHE_STAGE1,        /* VA translations of a stage-1-only table */
    XINV_CACHE_STAGE2,        /* IPA translations */
    XINV_CACHE_NESTED,        /* combined VA to PA translations */
    XINV_CACHE_DEVICE_TLB,    /* ATC, at the endpoint */
    XINV_CACHE_INTERRUPT,     /* interrupt remapping entries */
    XINV_CACHE_WRITE_BUFFER,  /* VT-d 6.8: table writes that the unit has not seen yet */
    XINV_NCACHES
};

/* What labels an entry. */
enum xinv_tag {
    XINV_TAG_RID,   /* stream ID, source ID, device ID */
    XINV_TAG_PASID, /* PASID, substream ID */
    XINV_TAG_ASID,
    XINV_TAG_DID, /* VT-d domain identifier, AMD DomainID */
    XINV_TAG_VMID,
    XINV_TAG_ADDRESS, /* the address that the endpoint sends: VA or IOVA */
    XINV_TAG_IPA,     /* the input address of stage 2 */
    XINV_TAG_INDEX,   /* interrupt index */
    XINV_NTAGS
};
#define XINV_TAG_BIT(tag) ((uint8_t)(1u << (tag)))

/*
 * Class axes. A set of classes is a product, stored as one bit per value of each axis
 * (xinv_axes); a set that need not be a product is a bit per combination (uint64_t).
 */
#define XINV_LEVEL_LEAF     0x001u
#define XINV_LEVEL_WALK     0x002u /* paging-structure entries */
#define XINV_GLOBAL_NO      0x004u
#define XINV_GLOBAL_YES     0x008u
#define XINV_PASID_UNTAGGED 0x010u
#define XINV_PASID_TAGGED   0x020u
#define XINV_PRESENT        0x040u
#define XINV_NOT_PRESENT    0x080u
#define XINV_REGIME_EL1     0x100u
#define XINV_REGIME_EL2     0x200u
#define XINV_REGIME_SECURE  0x400u
#define XINV_REGIME_REALM   0x800u
#define XINV_AXES_ALL       0xfffu
typedef uint16_t xinv_axes;

/* What the software changed. */
enum xinv_change {
    XINV_CHANGE_STAGE1_PTE,
    XINV_CHANGE_STAGE2_PTE,
    XINV_CHANGE_PASID_ENTRY,
    XINV_CHANGE_PASID_TABLE,
    XINV_CHANGE_DEVICE_ENTRY,
    XINV_CHANGE_TAG_RELEASE,
    XINV_CHANGE_EVERYTHING,
    XINV_NCHANGES
};

/* The state before the change; a modified entry was present. */
#define XINV_FROM_PRESENT     1u
#define XINV_FROM_NOT_PRESENT 2u

enum xinv_stage {
    XINV_STAGE_STAGE1,      /* host-owned stage 1 (first stage, v2 table) */
    XINV_STAGE_STAGE2,      /* host-owned stage 2 (second stage, v1 table) */
    XINV_STAGE_NESTED,      /* guest-owned stage 1 over host stage 2 */
    XINV_STAGE_PASSTHROUGH, /* no table: addresses pass unchanged */
    XINV_NSTAGES
};
#define XINV_STAGE_BIT(stage) ((uint8_t)(1u << (stage)))

/* The place of a command in a plan; earlier phases are emitted first. */
enum xinv_phase {
    XINV_PHASE_REGISTER, /* not in the queue */
    XINV_PHASE_CONFIG,   /* device entries, and whatever goes with them */
    XINV_PHASE_PASID, /* PASID entries, where they are reached through the device entry's cache */
    XINV_PHASE_STAGE2,
    XINV_PHASE_STAGE1,
    XINV_PHASE_DEVICE_TLB,
    XINV_NPHASES
};

/* What must stand between two phases. */
enum xinv_order {
    XINV_ORDER_QUEUE, /* the queue itself orders them */
    XINV_ORDER_FENCE, /* a sync between them, in the queue */
    XINV_ORDER_WAIT   /* software must see a completion between them */
};

/* How a command says a range. */
enum xinv_range_kind {
    XINV_RANGE_NONE,
    XINV_RANGE_PAGE,  /* one granule a command */
    XINV_RANGE_POW2,  /* a naturally aligned block of 2^k 4 KiB pages */
    XINV_RANGE_SCALED /* (NUM + 1) * 2^SCALE granules from any granule (SMMUv3 4.4.1.1) */
};

enum xinv_cond_op {
    XINV_COND_EQ,
    XINV_COND_NE,
    XINV_COND_GE,
    XINV_COND_LT
};

/* A feature compared with a constant; lists of these are a conjunction. */
struct xinv_cond {
    uint8_t feature;
    uint8_t op;
    uint16_t value;
};

struct xinv_span {
    uint8_t first;
    uint8_t count;
};

#define XINV_NO_FEATURE 0xffu

/* base + times * feature */
struct xinv_linear {
    uint8_t base;
    uint8_t times;
    uint8_t feature; /* XINV_NO_FEATURE: base alone */
};

/* A field of an ID register, or a setting of the software (reg == XINV_SETTING). */
#define XINV_SETTING 0xffu
struct xinv_feature_def {
    const char *name;
    uint8_t reg;
    uint8_t lsb;
    uint8_t width;
    uint16_t preset; /* a setting's value where the platform says nothing */
};

struct xinv_cache_def {
    uint8_t present;    /* the vendor has this cache */
    uint8_t tags;       /* tags that label an entry */
    uint8_t owner;      /* any one of these tags confines a removal to its user */
    uint8_t zero;       /* tags that are 0 where an attachment does not give them */
    uint8_t pasid_zero; /* classes of entries of PASID 0: XINV_PASID_* >> 4 */
    uint8_t via_asid;   /* the PASID is known to this cache through the ASID alone */
    uint8_t log2_entries;
    uint8_t spread[XINV_NTAGS]; /* log2 of how many values of a tag share the cache */
    xinv_axes axes;             /* classes that exist here */
    struct xinv_span conds;
};

/* One effect of a command: entries of `cache` that agree on every tag in `match`. */
struct xinv_removal_def {
    uint8_t cache;
    uint8_t match;
    uint8_t must; /* 1: guaranteed; 0: may happen as well */
    xinv_axes classes;
};

struct xinv_range_def {
    uint8_t kind;
    uint8_t leaf_floor;           /* a block must be at least as large as the leaf removed */
    uint8_t below_top;            /* no block may hold the last page of the address space */
    struct xinv_linear max_order; /* POW2: log2 pages of the largest block; SCALED: largest SCALE */
    struct xinv_span conds;
};

struct xinv_command_def {
    const char *name; /* the command's name in its specification */
    uint8_t op;       /* the backend's number for this form */
    uint8_t phase;
    uint8_t leaf;     /* the form that promises that only leaf entries changed */
    uint8_t operands; /* tags that the words carry */
    struct xinv_span removals;
    struct xinv_span ranges; /* the first whose conditions hold applies */
    struct xinv_span conds;
};

#define XINV_NEED_ATS         0x01u /* only for attachments whose device TLB is on */
#define XINV_NEED_LEVEL_HINT  0x02u /* walk entries only where table pages changed */
#define XINV_NEED_GLOBAL_HINT 0x04u /* global entries only where the change says so */
#define XINV_NEED_ALIASES     0x08u /* for every alias of the requester ID as well */
#define XINV_NEED_NEW_DID     0x10u /* under the new tag, where the change gives one */
#define XINV_NEED_PASID       0x20u /* only for attachments with a PASID */
#define XINV_NEED_NO_PASID    0x40u /* only for attachments without one */

struct xinv_need_def {
    uint8_t cache;
    uint8_t tags;  /* what is known of the stale entries */
    uint8_t zero;  /* tags of those that are 0 whatever the attachment says */
    uint8_t flags; /* XINV_NEED_* */
    xinv_axes classes;
    struct xinv_span conds;
};

struct xinv_change_def {
    uint8_t change;
    uint8_t from;   /* XINV_FROM_* mask */
    uint8_t stages; /* XINV_STAGE_BIT mask */
    struct xinv_span needs;
    struct xinv_span conds;
};

/* An erratum: something is sent more than once. */
#define XINV_REPEAT_PHASE   0 /* the phase with its sync */
#define XINV_REPEAT_COMMAND 1 /* each command, in place */
struct xinv_repeat_def {
    uint8_t unit;
    uint8_t times;
    uint8_t phases;         /* mask of 1 << enum xinv_phase */
    uint8_t except_changes; /* mask of 1 << enum xinv_change */
    uint8_t quirk;          /* 0: always; else the endpoint's quirk bit */
    uint16_t pci_vendor;    /* endpoints that have the quirk */
    uint16_t pci_device;
    uint16_t pci_mask;
    struct xinv_span conds;
};

/* Who hands out a tag: a number for each domain, for each endpoint, or a constant. */
#define XINV_ALLOC_NONE     0
#define XINV_ALLOC_DOMAIN   1
#define XINV_ALLOC_ENDPOINT 2
#define XINV_ALLOC_CONSTANT 3
struct xinv_stage_def {
    uint8_t present;
    uint8_t alloc_tag;  /* enum xinv_tag, for XINV_ALLOC_DOMAIN and _ENDPOINT */
    uint8_t alloc;      /* XINV_ALLOC_* */
    uint8_t const_tags; /* mask of tags with a constant value */
    uint8_t const_value;
    uint8_t pasid_required; /* 1: requests without PASID are tagged PASID 0 by the IOMMU */
    struct xinv_span conds;
    struct xinv_span untagged_conds; /* and these, for requests without PASID */
};

/* Which change an ATTACH or DETACH of a whole endpoint is; the first whose conditions hold. */
struct xinv_attach_def {
    uint8_t change;
    struct xinv_span conds;
};

struct xinv_backend;

/* Whether a sync closes a list. */
#define XINV_SYNC_ASKED  0 /* only if a completion is asked */
#define XINV_SYNC_ALWAYS 1
#define XINV_SYNC_NEVER  2 /* who takes the list waits for its completion */

struct xinv_vendor {
    const char *name;
    const struct xinv_backend *backend;
    const char *const *registers; /* names of the ID registers, in the order of their values */
    const struct xinv_feature_def *features;
    const struct xinv_cond *conds;
    const struct xinv_command_def *commands;
    const struct xinv_removal_def *removals;
    const struct xinv_range_def *ranges;
    const struct xinv_change_def *changes;
    const struct xinv_need_def *needs;
    const struct xinv_repeat_def *repeats;
    const struct xinv_attach_def *attaches;
    uint8_t n_registers;
    uint8_t n_features;
    uint8_t n_commands;
    uint8_t n_changes;
    uint8_t n_repeats;
    uint8_t n_attaches;
    uint8_t first_free_tag; /* smallest tag that a session hands out; lower ones are reserved */
    uint8_t final_sync;     /* XINV_SYNC_* */
    struct xinv_linear tag_bits[XINV_NTAGS]; /* width of each tag */
    struct xinv_linear max_batch;            /* most commands between two syncs; 0: no limit */
    struct xinv_cache_def caches[XINV_NCACHES];
    struct xinv_stage_def stages[XINV_NSTAGES];
    uint8_t order[XINV_NPHASES][XINV_NPHASES]; /* enum xinv_order, [earlier][later] */
};

struct xinv_setting {
    uint8_t feature;
    uint16_t value;
};

/* What work takes, in nanoseconds. All 0: not known. */
struct xinv_costs {
    uint16_t command;    /* an invalidation within the IOMMU */
    uint16_t sync;       /* waiting for all before it */
    uint16_t device_tlb; /* a message to a device TLB, and its answer */
    uint16_t refill;     /* a walk for an entry that was lost */
};

struct xinv_platform {
    const char *name;
    const char *title;
    const struct xinv_vendor *vendor;
    const uint64_t *registers; /* vendor->n_registers values */
    const struct xinv_setting *settings;
    uint8_t n_settings;
    struct xinv_costs costs;
    uint8_t never_syncs; /* 1: XINV_SYNC_NEVER, whatever the vendor's table says */
    uint8_t target;      /* XINV_TAG_BIT of the tag that every command is addressed by, beside its
                            words: there is one queue for each value of 32 bits. 0: one queue */
    const char
        *absent; /* not NULL: nothing takes invalidations there; why, and what to do instead */
};

#endif
