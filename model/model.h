// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Executable caches of each vendor, written from the specifications' matching and ordering rules
 * and not from the tables or the encoders. They execute command words and say which entries could
 * survive them.
 *
 * The model is an adversary. A command removes what the architecture says that it must remove, and
 * nothing else; it takes effect as late as the queue's ordering allows; an entry that has gone
 * comes back as long as anything stale can feed it (a device TLB from a TLB entry, a TLB entry
 * from a paging-structure entry or from a device entry). For the other question, what else may be
 * lost, a command removes all that the specification lets it remove.
 *
 * Sections are those of Arm IHI 0070 (SMMUv3), of Intel's VT-d specification and of AMD 48882.
 * Where public sources disagree, the rule takes what they have in common.
 */
#ifndef XINV_MODEL_H
#define XINV_MODEL_H

#include <xinv/xinv.h>

/* ---- What the hardware is ---- */

enum model_vendor {
    MODEL_SMMUV3,
    MODEL_VTD,
    MODEL_AMDVI
};

struct model_config {
    enum model_vendor vendor;
    uint8_t words;      /* of a command */
    uint8_t repeat;     /* Tegra264: a CFGI or TLBI that races with traffic may miss */
    uint16_t max_batch; /* MMU-700 erratum 2812531: most commands without a SYNC; 0: no limit */
    /* SMMUv3 */
    bool s1p, s2p, hyp, e2h, ats, asid16, vmid16, ril, ds, cmdqv;
    uint8_t sidsize, ssidsize;
    /* VT-d */
    bool cm, rwbf, scalable, psi, dt, ir, pasid, dit, pds, smts;
    uint8_t mamv, mhmv, did_bits, pasid_bits;
    /* AMD-Vi */
    bool iotlbsup, npcache, gtsup, iasup;
    uint8_t pasmax;
    /* A planted fault: this rule is taken to hold, or to fail, whatever is the case. */
    uint16_t fault; /* enum model_rule; 0: none */
    bool fault_holds;
};

/*
 * model_config_of - the model of the hardware that `iommu` stands for
 *
 * ID registers are read here, bit by bit; what no register says (queue width, E2H, errata) comes
 * from the platform's settings.
 *
 * returns: 0; -XINV_E_INVAL: a vendor that the model does not know
 */
int model_config_of(struct model_config *config, const struct xinv_iommu *iommu);

/* ---- What it holds ---- */

enum model_regime {
    MODEL_EL1,
    MODEL_EL2,    /* no ASID, no VMID */
    MODEL_EL2_E2H /* ASID, no VMID */
};

/* How a table is walked: VT-d's PGTT, and what corresponds elsewhere. */
enum model_walk {
    MODEL_FIRST,  /* first stage: VA */
    MODEL_SECOND, /* second stage: IPA */
    MODEL_BOTH,   /* first over second stage: VA, by way of an IPA */
    MODEL_PASS    /* none */
};

/* What an entry is, where a cache has several kinds. */
enum model_kind {
    MODEL_LEAF,     /* an entry, a translation */
    MODEL_TABLE,    /* a paging-structure entry, a first-level CD table descriptor */
    MODEL_STE_TABLE /* a first-level stream table descriptor */
};

#define MODEL_WILD_RID     0x01u
#define MODEL_WILD_PASID   0x02u
#define MODEL_WILD_ASID    0x04u
#define MODEL_WILD_DID     0x08u
#define MODEL_WILD_VMID    0x10u
#define MODEL_WILD_ADDRESS 0x20u
#define MODEL_WILD_IPA     0x40u
#define MODEL_WILD_INDEX   0x80u

/* Further ways in which a neighbour is not stale. */
#define MODEL_OTHER_GLOBAL 0x0100u
#define MODEL_OTHER_KIND   0x0200u /* a paging-structure entry */
#define MODEL_OTHER_TAGGED 0x0400u
#define MODEL_OTHER_REGIME 0x0800u
#define MODEL_OTHER_WALK   0x1000u

/*
 * One cached entry. Every tag is filled in; which of them a lookup or a command compares is the
 * vendor's rule. Translations say in rid and pasid whose traffic made them.
 */
struct model_entry {
    uint8_t cache;  /* enum xinv_cache */
    uint8_t kind;   /* enum model_kind */
    uint8_t walk;   /* enum model_walk */
    uint8_t regime; /* enum model_regime */
    bool global;
    bool absent;          /* stands for "not present" */
    bool tagged;          /* device TLB: the entry has a PASID */
    uint16_t wild;        /* MODEL_WILD_*: any value would do; the field holds an example */
    uint8_t log2_size;    /* what it maps; a table: what lies below it */
    uint8_t log2_granule; /* of its page table */
    uint16_t index;       /* interrupt */
    uint16_t differs;     /* a neighbour: MODEL_WILD_* and MODEL_OTHER_*, what tells it apart */
    uint32_t rid;
    uint32_t pasid;
    uint32_t asid;
    uint32_t did;
    uint32_t vmid;
    uint64_t address; /* what the endpoint sends */
    uint64_t ipa;     /* what stage 2 translates */
};

/* model_entry_text - one line for a person; `text` is returned */
char *model_entry_text(const struct model_config *config, const struct model_entry *entry,
                       char *text, size_t size);

/* ---- What it executes ---- */

/* What orders commands of one queue. */
enum model_order {
    MODEL_PLAIN, /* SMMUv3, AMD-Vi: nothing but a sync does */
    MODEL_CC,
    MODEL_PC,
    MODEL_IOTLB,
    MODEL_P_IOTLB,
    MODEL_IEC,
    MODEL_DEV_TLB
};

/* One command, decoded; fields that it does not have are 0. */
struct model_command {
    const char *name;
    uint8_t op;    /* opcode or type */
    uint8_t order; /* enum model_order */
    bool sync;     /* completes what came before */
    bool fence;    /* later commands wait for it */
    bool visible;  /* software can tell that it is done */
    bool leaf;     /* non-leaf entries may stay: Leaf = 1, IH = 1, PDE = 0 */
    bool tagged;   /* SSV, GN */
    bool every_pasid;
    uint8_t g;        /* VT-d granularity */
    uint8_t tg;       /* SMMUv3 */
    uint8_t ttl;      /* SMMUv3 */
    uint8_t log2_ids; /* CFGI_STE_RANGE, FM, IM: how many low ID bits are ignored */
    bool ranged;
    bool ignored; /* an operand that the hardware need not understand: the command may do nothing */
    uint32_t rid;
    uint32_t pasid;
    uint32_t asid;
    uint32_t did;
    uint32_t vmid;
    uint32_t index;
    uint64_t first;
    uint64_t last;
    const char *illegal; /* NULL: the hardware takes it */
    /* filled in by model_run_* */
    uint32_t epoch; /* how many ordering points came before */
    bool complete;  /* software knows, at the end, that it is done */
};

/* model_decode - the words of one command; command->illegal says why hardware would stop at it */
void model_decode(const struct model_config *config, const uint64_t *words,
                  struct model_command *command);

/*
 * model_miss - why a command need not remove an entry; NULL: it must
 * model_may - whether the specification lets it remove the entry
 */
const char *model_miss(const struct model_config *config, const struct model_command *command,
                       const struct model_entry *entry);
bool model_may(const struct model_config *config, const struct model_command *command,
               const struct model_entry *entry);

/* A run: everything that was sent, in order. */
struct model_run {
    struct model_config config;
    struct model_command *commands;
    size_t n;
    size_t room;
    uint32_t epoch;
    uint32_t since_sync;
    const char *illegal; /* the first complaint, or NULL */
    size_t illegal_at;
};

void model_run_init(struct model_run *run, const struct model_config *config);
void model_run_free(struct model_run *run);
void model_run_reset(struct model_run *run);
/* model_run_words - `n` words put in the queue */
void model_run_words(struct model_run *run, const uint64_t *words, size_t n);
/* model_run_register - a write-buffer flush by register, polled */
void model_run_register(struct model_run *run);
/* model_run_wait - software waits until the last sync has completed */
void model_run_wait(struct model_run *run);
/* model_run_out - the steps of an output that is a plain buffer, and the wait for its last sync */
void model_run_out(struct model_run *run, const struct xinv_out *out);

/* model_before - command i is certainly done before command j starts */
bool model_before(const struct model_run *run, size_t i, size_t j);

/* ---- What survives ---- */

enum model_fate {
    MODEL_GONE,     /* in every legal execution */
    MODEL_MISSED,   /* no command must remove it */
    MODEL_PENDING,  /* a command removes it, but nobody knows when */
    MODEL_REFILLED, /* a command removes it, but `by` may put it back afterwards */
};

struct model_verdict {
    uint8_t fate; /* enum model_fate */
    size_t by;    /* MODEL_REFILLED: index of the entry that feeds it */
};

/*
 * model_judge - the fate of each of `n` stale entries after the run
 * returns: how many of them could survive; -XINV_E_NOMEM
 */
long model_judge(const struct model_run *run, const struct model_entry *entries, size_t n,
                 struct model_verdict *verdicts);

/* model_feeds - a stale `from` can put a stale `to` in its cache */
bool model_feeds(const struct model_config *config, const struct model_entry *from,
                 const struct model_entry *to);

/* ---- What a change makes stale ---- */

struct model_entries {
    struct model_entry *at;
    size_t n;
    size_t room;
};

void model_entries_add(struct model_entries *entries, const struct model_entry *entry);
void model_entries_free(struct model_entries *entries);

/*
 * model_stale - every kind of entry that the request makes stale, with its extremes in address
 * and size; at most `most` pages of a range are taken one by one
 */
void model_stale(const struct model_config *config, const struct xinv_attachment *attachments,
                 size_t n, const struct xinv_request *request, unsigned most,
                 struct model_entries *stale);

/* model_is_stale - whether an entry is like one of the stale ones in all that tells entries apart
 */
bool model_is_stale(const struct model_config *config, const struct model_entries *stale,
                    const struct model_entry *entry);

/* model_neighbours - entries one step away from the stale ones, none of them stale */
void model_neighbours(const struct model_config *config, const struct xinv_attachment *attachments,
                      size_t n, const struct xinv_request *request,
                      const struct model_entries *stale, struct model_entries *neighbours);

/* ---- The whole question -------------------------------------------------------------------------
 */

enum model_finding {
    MODEL_CLEAN,
    MODEL_ILLEGAL,  /* the hardware would stop at a command */
    MODEL_SURVIVOR, /* a stale entry can still be used */
    MODEL_SILENT,   /* an entry is lost that the report does not tell of */
    MODEL_MISCOUNT  /* the report's number of pages is not what the commands reach */
};

struct model_result {
    uint8_t finding;          /* enum model_finding: the worst */
    size_t stale;             /* entries that were looked at */
    size_t neighbours;        /* likewise */
    size_t survivors;         /* how many of the stale ones */
    size_t silent;            /* how many of the neighbours */
    size_t at;                /* MODEL_ILLEGAL: which command */
    const char *why;          /* MODEL_ILLEGAL, MODEL_SURVIVOR */
    struct model_entry entry; /* the first one of its kind */
    struct model_entry root;  /* MODEL_SURVIVOR: where the entry comes back from, or itself */
    struct model_verdict verdict;
    uint64_t pages; /* MODEL_MISCOUNT: what the commands reach */
};

/* Memory that checks have in common. */
struct model_bench {
    struct model_entries stale;
    struct model_entries neighbours;
    struct model_verdict *verdicts;
    size_t room;
};

void model_bench_free(struct model_bench *bench);

/*
 * model_check - whether the run does what the request needs, and the report tells the rest
 * @report: NULL: what else was lost does not matter
 * @most: how many pages of a range are taken one by one
 */
void model_check(struct model_bench *bench, const struct model_run *run,
                 const struct xinv_attachment *attachments, size_t n,
                 const struct xinv_request *request, const struct xinv_report *report,
                 unsigned most, struct model_result *result);

#endif
