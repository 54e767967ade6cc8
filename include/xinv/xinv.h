// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * xinv: cross-vendor IOMMU invalidation.
 *
 * What every function here promises:
 * - It allocates nothing, does no I/O, takes no lock and keeps no state of its own: the caller owns
 * all memory.
 * - A result >= 0 is a count; a result < 0 is -XINV_E_*. After an error, nothing that the caller
 * owns has changed, except the fields of struct xinv_report that say why.
 * - Emission is all or nothing. An output without a buffer only counts.
 * - Ranges are first..last, both inclusive, in bytes.
 * - Objects passed as const may be shared between threads; others belong to one caller at a time.
 *
 * What the caller must do:
 * - Write its page tables and device tables first, and make the writes visible to the IOMMU before
 * it rings the doorbell of the queue: a barrier where the IOMMU walks coherently (SMMUv3
 * IDR0.COHACC or the firmware's word, VT-d ECAP.C, AMD always), a cache clean to memory besides
 * where it does not.
 * - Publish the guest's response, reuse a tag or free a table page only after the list's last wait
 * has completed.
 */
#ifndef XINV_XINV_H
#define XINV_XINV_H

#include <xinv/table.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XINV_VERSION_MAJOR 0
#define XINV_VERSION_MINOR 1
#define XINV_VERSION_PATCH 0

/* ---- Errors -------------------------------------------------------------------------------------
 */

/*
 * Each code says whose fault it is:
 *   the caller's request:  INVAL, RANGE, TAG, NOENT, EXIST
 *   the caller's memory:   NOSPACE, NOMEM
 *   the platform's limits: UNSUPP, MUST_BLOCK, NOFORM
 *   a table:               TABLE
 *   nobody's:              AGAIN
 */
enum xinv_error {
    XINV_E_INVAL = 1, /* an argument is malformed: an unknown enumerator, a missing attachment */
    XINV_E_RANGE,     /* first is above last; never read as "everything" */
    XINV_E_TAG,     /* a tag is wider than this IOMMU's field: the hardware would silently cut it */
    XINV_E_NOENT,   /* no such endpoint, domain or IOMMU */
    XINV_E_EXIST,   /* it is there already */
    XINV_E_NOSPACE, /* the output is too small; the report holds the size needed */
    XINV_E_NOMEM,   /* the caller-sized storage of a session is full */
    XINV_E_UNSUPP,  /* this IOMMU lacks the stage, the caches or a queue, or its table knows no such
                       change */
    XINV_E_MUST_BLOCK, /* no command covers the change: DMA of the endpoints must be blocked first
                        */
    XINV_E_TABLE,      /* the platform's table or its ID registers contradict themselves */
    XINV_E_NOFORM,     /* nothing takes invalidations there; the platform's `absent` says what to do
                          instead */
    XINV_E_AGAIN,      /* a session's batch must be flushed first; the same call works afterwards */
    XINV_NERRORS
};

/* xinv_strerror - a short fixed text for a code, with or without its sign */
const char *xinv_strerror(int error);

/* xinv_version - "major.minor.patch" */
const char *xinv_version(void);

/* ---- Platforms and IOMMUs ---- */

/*
 * xinv_platform_find - a built-in table by its name, or NULL
 * xinv_platform_at - the built-in tables in order; NULL past the end
 *
 * A program that names one of the objects in <xinv/platforms.h> instead links that vendor alone.
 */
const struct xinv_platform *xinv_platform_find(const char *name);
const struct xinv_platform *xinv_platform_at(unsigned index);

#define XINV_MAX_FEATURES 56
#define XINV_MAX_COMMANDS 64

/* One row's range ability on one IOMMU, resolved from its features. */
struct xinv_range_spec {
    uint8_t kind; /* enum xinv_range_kind */
    uint8_t leaf_floor;
    uint8_t below_top;
    uint8_t max_order;
};

struct xinv_ladders;

/* An IOMMU as its tables and ID registers describe it. Filled by xinv_iommu_init(), const
 * afterwards. */
struct xinv_iommu {
    const struct xinv_platform *platform;
    const struct xinv_vendor *vendor;
    const struct xinv_ladders *ladders; /* xinv_iommu_prepare(); NULL: none */
    uint64_t commands;                  /* rows that this IOMMU has */
    uint64_t confined;                  /* those that stay within their user's entries */
    uint64_t layouts;                   /* commands, by their words, that this IOMMU takes */
    uint16_t max_batch;                 /* most commands between two syncs; 0: no limit */
    uint8_t caches;                     /* mask of caches that this IOMMU has */
    uint8_t stages;                     /* mask of stages that this IOMMU has */
    uint8_t untagged;                   /* of those, the ones that requests without PASID can use */
    uint8_t words;                      /* 64-bit words in a command */
    uint8_t target;                     /* as the platform has it */
    uint8_t never_syncs;                /* XINV_SYNC_NEVER */
    uint8_t tag_bits[XINV_NTAGS];
    uint16_t feature[XINV_MAX_FEATURES];
    uint8_t reach[XINV_MAX_COMMANDS]; /* caches that a row certainly removes from, as 1 << cache */
    struct xinv_range_spec range[XINV_MAX_COMMANDS];
    uint16_t worth[XINV_MAX_COMMANDS]; /* commands of a row that cost what it would cost to lose
                                          every address instead; 0: not known */
};

/*
 * xinv_iommu_init - resolves a platform's tables for one IOMMU
 * @iommu: filled in; unchanged on error
 * @platform: which tables
 * @registers: values of the ID registers in the order of platform->vendor->registers, or NULL for
 * the platform's own
 * @settings: choices of the software (queue width, translation mode, ...), applied after the
 * platform's; may be NULL
 * @n_settings: how many
 *
 * returns: 0; -XINV_E_INVAL: a setting names no feature; -XINV_E_TABLE: the table exceeds this
 * library's limits or its registers contradict themselves; -XINV_E_UNSUPP: the unit has no command
 * queue (VT-d ECAP.QI is 0); -XINV_E_NOFORM: platform->absent
 */
int xinv_iommu_init(struct xinv_iommu *iommu, const struct xinv_platform *platform,
                    const uint64_t *registers, const struct xinv_setting *settings,
                    unsigned n_settings);

#define XINV_MAX_LADDERS 32
#define XINV_MAX_RUNGS   160

/* A row of the vendor's table that covers something of one shape of request. */
struct xinv_rung {
    uint64_t excess; /* entries removed beyond the shape */
    uint32_t covers; /* atoms of the shape */
    uint16_t choice; /* the row, and what its operands are */
    uint8_t phase;
    uint8_t listed; /* it covers some need only through the list of a tag's live values */
    uint8_t lost;   /* tags that the request knew and the row does not match, in what it covers */
    uint8_t must;   /* 1 << cache: it certainly removes entries beyond the shape there */
    uint8_t may;    /* 1 << cache: it may */
};

struct xinv_ladder {
    uint64_t key;
    uint32_t atoms;
    uint16_t first; /* of the rungs, in table order */
    uint8_t n;
};

/* What the planner can choose from for the shapes of requests that come most often: 5 KiB, written
 * by xinv_iommu_prepare() alone. */
struct xinv_ladders {
    uint8_t tags[XINV_NCHANGES]; /* that the shape of a change depends on */
    uint8_t n;
    uint16_t n_rungs;
    struct xinv_ladder ladder[XINV_MAX_LADDERS];
    struct xinv_rung rung[XINV_MAX_RUNGS];
};

/*
 * xinv_iommu_prepare - works out ahead of time what maps and unmaps of host-owned tables, and of a
 * guest's own stage 1, can be answered with, from the rows that this IOMMU has
 * @iommu: initialised; it keeps a pointer to `ladders`
 * @ladders: the caller's memory, const afterwards: it may be shared as the IOMMU may
 *
 * Answers are the same with and without; with, they take a fifth of the time.
 */
void xinv_iommu_prepare(struct xinv_iommu *iommu, struct xinv_ladders *ladders);

/* xinv_feature_find - index of a feature by its ID-register field name, or -XINV_E_NOENT */
int xinv_feature_find(const struct xinv_vendor *vendor, const char *name);

/* xinv_endpoint_quirks - quirk bits of an endpoint by its PCI vendor and device ID (0xffff, 0xffff:
 * none) */
uint8_t xinv_endpoint_quirks(const struct xinv_iommu *iommu, uint16_t pci_vendor,
                             uint16_t pci_device);

/* ---- Requests ---- */

#define XINV_ATT_ATS           0x01u /* the endpoint's ATC is on */
#define XINV_ATT_PASID_ENABLED 0x02u /* the endpoint can hold PASID-tagged ATC entries */
#define XINV_ATT_PASIDS_UNKNOWN \
    0x04u /* a guest owns the PASID table: its live PASIDs are not known */

/*
 * One use of a translation table by one endpoint, on one IOMMU. Attachments of one endpoint stand
 * next to each other. Tags are host values; a tag that is not in `known` is unknown, except that an
 * unknown PASID means traffic without PASID. Where the IOMMU takes such traffic for PASID 0 (the
 * stage's `pasid: 0`), PASID 0 is known.
 */
struct xinv_attachment {
    uint8_t stage;  /* enum xinv_stage */
    uint8_t flags;  /* XINV_ATT_* */
    uint8_t known;  /* XINV_TAG_BIT mask of the tags below that are set */
    uint8_t quirks; /* xinv_endpoint_quirks() */
    uint8_t n_aliases;
    uint8_t queue_depth; /* ATS invalidate queue depth, 1..32; 0 for a VF (VT-d) */
    uint16_t queue_id;   /* AMD QueueID */
    uint16_t pfsid;      /* VT-d PFSID: the physical function's source ID */
    uint32_t rid;        /* StreamID, source ID or DeviceID */
    uint32_t pasid;      /* SubstreamID or PASID */
    uint32_t asid;
    uint32_t did; /* VT-d domain identifier, AMD DomainID */
    uint32_t vmid;
    const uint32_t *aliases; /* requester IDs that DMA aliasing gives this endpoint */
};

/* What an explicit request confines itself to. */
enum xinv_scope {
    XINV_SCOPE_DOMAIN,    /* the tables of the attachments, all of their addresses */
    XINV_SCOPE_PASID,     /* one PASID of them: request.pasid, or the attachments' own */
    XINV_SCOPE_ADDRESS,   /* one range of addresses in them */
    XINV_SCOPE_ENDPOINT,  /* whatever these endpoints use: every PASID, every address */
    XINV_SCOPE_EVERYTHING /* all that the IOMMU holds in these caches, whoever uses it */
};

/* A list of caches, for xinv_request.caches. A guest names the first five, before stages are
 * resolved. */
#define XINV_INV_IOTLB         0x01u /* translations of each attachment's own stage */
#define XINV_INV_DEVICE_TLB    0x02u
#define XINV_INV_PASID_CONFIG  0x04u
#define XINV_INV_DEVICE_CONFIG 0x08u
#define XINV_INV_INTERRUPT     0x10u
#define XINV_INV_STAGE1        0x20u
#define XINV_INV_STAGE2        0x40u
#define XINV_INV_NESTED        0x80u

#define XINV_REQ_LEAF_ONLY     0x01u /* no table page was changed or freed */
#define XINV_REQ_GLOBAL        0x02u /* global entries may be among the stale ones */
#define XINV_REQ_RANGE         0x04u /* first..last is given; otherwise everything that the tags name */
#define XINV_REQ_INVALIDATE    0x08u /* an explicit request: caches and scope instead of a change */
#define XINV_REQ_PASID         0x10u /* the request names a PASID; a tag release: it alone is released */
#define XINV_REQ_ASID          0x20u  /* the request names an ASID */
#define XINV_REQ_NEW_DID       0x40u  /* the change gives the entry a new tag, new_did */
#define XINV_REQ_BEYOND        0x80u  /* commands that reach other users' entries are allowed */
#define XINV_REQ_ENUMERATED    0x100u /* the attachments are every live one of the IOMMU */
#define XINV_REQ_LEAVES_WITHIN 0x200u /* no leaf that was removed reaches beyond first..last */

/* What the software changed, or what a guest asks to forget. A zeroed struct is a stage-1 change
 * without a range. */
struct xinv_request {
    uint8_t change;             /* enum xinv_change; unless XINV_REQ_INVALIDATE */
    uint8_t from;               /* XINV_FROM_*; 0 reads as XINV_FROM_PRESENT */
    uint8_t caches;             /* XINV_INV_* */
    uint8_t scope;              /* enum xinv_scope */
    uint8_t log2_leaf_size;     /* largest leaf entry that was removed; 0: 4 KiB */
    uint8_t log2_smallest_leaf; /* every leaf that was removed is at least this large; 0: unknown */
    uint8_t log2_granule;       /* granule of the table; 0: follows from the leaf size */
    uint16_t flags;             /* XINV_REQ_* */
    uint32_t pasid;             /* XINV_REQ_PASID */
    uint32_t asid;              /* XINV_REQ_ASID */
    uint32_t new_did;           /* XINV_REQ_NEW_DID */
    uint64_t first;             /* XINV_REQ_RANGE, in bytes, both inclusive */
    uint64_t last;
};

enum xinv_policy_kind {
    XINV_POLICY_EXACT,   /* least excess, then fewest commands */
    XINV_POLICY_LATENCY, /* fewest syncs, fewest commands, least excess */
    XINV_POLICY_AT_MOST  /* at most `blocks` blocks a tag and cache, least excess */
};

/* The most blocks that XINV_POLICY_AT_MOST takes. */
#define XINV_MAX_BLOCKS 16

struct xinv_policy {
    uint8_t kind;
    uint8_t blocks;        /* XINV_POLICY_AT_MOST: 1..XINV_MAX_BLOCKS */
    uint16_t max_commands; /* beyond this many for one tag and cache, a wider scope is taken; 0: no
                              such limit; XINV_WORTH: as many as the platform's costs say */
};

/* xinv_policy.max_commands: a range goes out as commands until these cost as much as the refills of
 * everything that has the same tags (xinv_iommu.worth). */
#define XINV_WORTH UINT16_MAX

/* How the list's last sync tells that it is done. All zero: not at all (where the vendor can do
 * without). */
struct xinv_completion {
    uint8_t store;     /* write `data` at `address` */
    uint8_t interrupt; /* raise the completion interrupt */
    uint8_t fence;     /* later commands of the queue wait (VT-d FN, AMD F) */
    uint8_t drain;     /* page-request drain (VT-d PD) */
    uint64_t address;
    uint64_t data;
};

/* ---- Output ---- */

enum xinv_step_kind {
    XINV_STEP_QUEUE,    /* put `count` words from `first` in the queue and ring the doorbell */
    XINV_STEP_REGISTER, /* set the register's bits, then poll until they read back as 0 */
    XINV_STEP_WAIT      /* do not go on before the sync of the words so far has completed */
};

struct xinv_step {
    uint8_t kind;
    uint8_t row;    /* XINV_STEP_REGISTER: row of the vendor's table */
    uint32_t first; /* words are counted from the output's start, before any wrap */
    uint32_t count;
    /*
     * XINV_STEP_REGISTER (VT-d GCMD_REG, 11.4.4): the register is written whole and also holds what
     * is enabled, so that `bits` are written together with the enables that are on, as the status
     * register tells them; then it is polled until `bits` read as 0 there.
     */
    uint16_t reg;      /* offset of the register */
    uint16_t poll_reg; /* and of its status register */
    uint32_t bits;
    uint32_t target; /* XINV_STEP_QUEUE: value of the tag that platform->target names, where the
                        platform has one queue for each: all words of the step are for it */
};

/*
 * Where commands go, behind the n_words words and n_steps steps that are there already: a plain
 * buffer (ring_words 0), or a ring of ring_words (a power of two) in which the next free word is
 * `head`. The output never holds more than `cap_words` words; each is written whole, little-endian.
 * words NULL: count only.
 */
struct xinv_out {
    uint64_t *words;
    struct xinv_step *steps;
    uint32_t ring_words;
    uint32_t head;
    uint32_t cap_words;
    uint32_t cap_steps;
    uint32_t n_words; /* so far */
    uint32_t n_steps;
};

struct xinv_report {
    uint32_t commands; /* all commands, syncs among them */
    uint32_t syncs;
    uint32_t need_words; /* also when the output was too small */
    uint32_t need_steps;
    uint8_t widened;         /* XINV_TAG_BIT mask: known to the request, not matched by a command */
    uint8_t must_beyond;     /* 1 << cache: entries beyond the request that are certainly removed */
    uint8_t may_beyond;      /* 1 << cache: entries beyond the request that may be removed */
    uint8_t extra_unbounded; /* the address was given up: extra_pages is not a number */
    uint64_t asked_pages;    /* 4 KiB pages of the range; 0 without one; saturates */
    uint64_t extra_pages;    /* 4 KiB pages by rounding, in the cache where they are most */
    uint64_t rows;           /* bit per row of the vendor's table that was used */
    const struct xinv_attachment *at; /* the attachment that an error is about, or NULL */
    uint8_t at_tag;                   /* and its tag, for XINV_E_TAG */
    uint8_t at_cache;                 /* the cache, for XINV_E_MUST_BLOCK */
};

/*
 * xinv_translate - the commands that make one IOMMU forget what a request made stale
 * @iommu: the IOMMU that the attachments are on
 * @attachments, @n: every use of the changed table on this IOMMU; never empty
 * @request: the change
 * @policy: NULL for exact
 * @completion: of the list's last sync; NULL for none
 * @out: where the commands go
 * @report: what it costs; may be NULL
 *
 * returns: the number of commands; -XINV_E_INVAL, -XINV_E_RANGE, -XINV_E_TAG, -XINV_E_UNSUPP,
 * -XINV_E_MUST_BLOCK, -XINV_E_NOSPACE (report->need_words and need_steps say how much)
 */
int xinv_translate(const struct xinv_iommu *iommu, const struct xinv_attachment *attachments,
                   size_t n, const struct xinv_request *request, const struct xinv_policy *policy,
                   const struct xinv_completion *completion, struct xinv_out *out,
                   struct xinv_report *report);

/*
 * xinv_sync - one command: the sync that completes all that the queue holds before it
 * @completion: how it tells that it is done; NULL: not at all, which a VT-d wait cannot say
 * @out: where it goes
 *
 * returns: 1; 0 where every list completes by itself and nothing is asked; -XINV_E_INVAL: this
 * IOMMU cannot complete that way (an address or data that do not fit, SMMUv3 without IDR0.MSI);
 * -XINV_E_NOSPACE
 */
int xinv_sync(const struct xinv_iommu *iommu, const struct xinv_completion *completion,
              struct xinv_out *out);

/* ---- One command, as fields ---- */

#define XINV_MAX_FIELDS 20
struct xinv_field {
    const char *name;
    uint64_t value;
};

/* What is wrong with a command. */
enum xinv_fault_kind {
    XINV_FAULT_NONE,
    XINV_FAULT_OPCODE,   /* no command has this opcode, or this name */
    XINV_FAULT_RESERVED, /* `bit` of `word` is set, and no field of the command has it */
    XINV_FAULT_FEATURE,  /* `need` does not hold here: no such command, or no such field */
    XINV_FAULT_LIMIT,    /* the field is above `limit` on this IOMMU */
    XINV_FAULT_RULE,     /* a reserved value, or fields that contradict each other: see `rule` */
    XINV_FAULT_FIELD,    /* xinv_encode: the command has no such field, or it comes twice */
    XINV_FAULT_WIDTH     /* xinv_encode: bits outside the field; `limit` has every bit of it */
};

/* What the hardware does about it. */
enum xinv_hardware {
    XINV_HW_UNSPECIFIED,
    XINV_HW_NO_ERROR,        /* no error: the command has no effect, or another one */
    XINV_HW_CERROR_ILL,      /* SMMUv3: the queue stops */
    XINV_HW_MAY_CERROR_ILL,  /* SMMUv3: that, or the bits are ignored */
    XINV_HW_IQE,             /* VT-d: the queue stops; the code is not specified */
    XINV_HW_IQE_TYPE,        /* IQERCD_REG.IQEI = 3 */
    XINV_HW_IQE_RESERVED,    /* IQERCD_REG.IQEI = 4 */
    XINV_HW_IQE_WIDTH,       /* IQERCD_REG.IQEI = 3 or 5 */
    XINV_HW_REFUSED,         /* VT-d registers: the actual granularity reads 0 */
    XINV_HW_ILLEGAL_COMMAND, /* AMD: ILLEGAL_COMMAND_ERROR is logged, the buffer stops */
    XINV_HW_EIO,             /* a kernel in between answers with that errno */
    XINV_HW_EINVAL,
    XINV_HW_EOPNOTSUPP,
    XINV_NHARDWARE
};

struct xinv_fault {
    uint8_t kind;     /* enum xinv_fault_kind */
    uint8_t hardware; /* enum xinv_hardware */
    uint8_t word;
    uint8_t bit;           /* the lowest of them, in its word */
    struct xinv_cond need; /* in terms of the vendor's features */
    const char *field;     /* the field that it is about; NULL: the whole command */
    const char *rule;
    uint64_t limit;
};

struct xinv_decoded {
    const char *name;
    uint8_t n_fields;
    struct xinv_field fields[XINV_MAX_FIELDS];
    struct xinv_fault fault;
};

/*
 * xinv_decode - the fields of one command, and whether this IOMMU takes it
 * @words: iommu->words words, low word first
 * @decoded: filled in whatever the result; without a name where no command has the opcode. Where
 * several things are wrong, the fault is one that the hardware answers with an error, if it has one
 *
 * returns: 0, or by decoded->fault: -XINV_E_NOENT: OPCODE; -XINV_E_INVAL: RESERVED or RULE;
 * -XINV_E_UNSUPP: FEATURE; -XINV_E_TAG: LIMIT
 */
int xinv_decode(const struct xinv_iommu *iommu, const uint64_t *words,
                struct xinv_decoded *decoded);

/*
 * xinv_decode_register - the same for a register's value (VT-d: CCMD, IVA, IOTLB)
 * returns: as xinv_decode; -XINV_E_NOENT also where the vendor has no such register
 */
int xinv_decode_register(const struct xinv_iommu *iommu, const char *name, uint64_t value,
                         struct xinv_decoded *decoded);

/*
 * xinv_encode - the words of a command by its name and its fields' names
 * @name: a command's or a register's, as xinv_decode spells it
 * @fields, @n: in any order; one that is not given is 0
 * @words: room for iommu->words words (1 for a register)
 * @fault: filled in after an error; may be NULL
 *
 * returns: the number of words, or an error of xinv_decode; -XINV_E_INVAL also for FIELD,
 * -XINV_E_TAG for WIDTH
 */
int xinv_encode(const struct xinv_iommu *iommu, const char *name, const struct xinv_field *fields,
                unsigned n, uint64_t *words, struct xinv_fault *fault);

/* xinv_format - "NAME FIELD=0x..."; the length that it needs, without the final NUL, as snprintf */
size_t xinv_format(const struct xinv_decoded *decoded, char *text, size_t size);

/* xinv_hardware_text - "CERROR_ILL", "IQE, code 3", ... */
const char *xinv_hardware_text(unsigned hardware);

/* ---- What a command removes ---- */

#define XINV_MAX_REMOVALS 12
#define XINV_NO_ROW       0xffu

/* Entries of one cache that have the command's value of every tag in `match`, and any value of the
 * others. */
struct xinv_removal {
    uint8_t cache;     /* enum xinv_cache */
    uint8_t match;     /* XINV_TAG_BIT mask */
    uint8_t must;      /* 1: certainly; 0: possibly, besides */
    xinv_axes classes; /* of those that the cache has */
};

/* All that a command removes, and the values of the tags that it matches on; other values are 0. */
struct xinv_removal_set {
    uint8_t n;
    uint8_t row;          /* of the vendor's table, which says so; XINV_NO_ROW: nothing */
    uint8_t log2_granule; /* only entries of tables with this granule; 0: with any */
    uint8_t log2_leaf;    /* of leaf entries, only those of this size; 0: of any */
    uint32_t rid;
    uint32_t rid_ignored; /* bits of the requester ID that do not count */
    uint32_t pasid;
    uint32_t asid;
    uint32_t did;
    uint32_t vmid;
    uint32_t index; /* of an interrupt entry */
    uint32_t index_ignored;
    uint64_t first; /* of the address or the IPA */
    uint64_t last;
    struct xinv_removal removal[XINV_MAX_REMOVALS];
};

/*
 * xinv_removes - what one command of the queue removes, by the table's row: what xinv_translate()
 * chose it for
 * @words: iommu->words words, low word first
 * @set: filled in; unchanged on error
 *
 * An entry goes if it has an address of first..last, whole or in part. A tag that addresses the
 * queue (platform->target) is not in the words: its value is 0.
 *
 * returns: how many removals, 0 for a sync or an answer to a page request; an error of
 * xinv_decode(): the IOMMU does not take the command; -XINV_E_UNSUPP also where no row of the table
 * says what it removes
 */
int xinv_removes(const struct xinv_iommu *iommu, const uint64_t *words,
                 struct xinv_removal_set *set);

/*
 * xinv_removes_register - the same for a value that is written to a register (VT-d: CCMD, IOTLB)
 * @addresses: IVA's value, which a page-selective request of IOTLB goes by; NULL where it is not
 * known
 *
 * returns: as xinv_removes(), 0 also where nothing is asked for; an error of
 * xinv_decode_register(); -XINV_E_INVAL also where the addresses are needed and not known;
 * -XINV_E_TAG also where they are more than the IOMMU takes
 */
int xinv_removes_register(const struct xinv_iommu *iommu, const char *name, uint64_t value,
                          const uint64_t *addresses, struct xinv_removal_set *set);

#ifdef __cplusplus
}
#endif

#endif
