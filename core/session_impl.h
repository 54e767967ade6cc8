// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The inside of a session: arrays in the caller's storage, linked by index. */
#ifndef XINV_CORE_SESSION_IMPL_H
#define XINV_CORE_SESSION_IMPL_H

#include <xinv/prepared.h>
#include <xinv/session.h>

#include "core/map.h"
#include "core/pending.h"

/* The two kinds of tags that a stage can allocate are numbered apart: ASID, and VMID or DID. */
#define XINV_POOLS 2
/* A domain has a table, and a tag, for each of stage 1 and stage 2: on VT-d first-stage and
 * second-stage entries must not share a DID (6.2.3.1), although one pool numbers both. */
#define XINV_TABLE_STAGES 2
#define XINV_NO_TAG       UINT32_MAX

struct xinv_ids {    /* open addressing: number -> index, with linear probing */
    uint32_t *slots; /* index, or XINV_NIL */
    uint32_t mask;
};

/* A domain's tag on one IOMMU, for one stage. */
struct xinv_domain_tag {
    uint32_t tag;
    uint32_t users;  /* endpoints attached under it; 0: no tag is held */
    uint32_t pooled; /* 1: out of the pool; 0: an endpoint's fixed tag */
};

struct xinv_domain {
    uint32_t id;
    uint32_t endpoints; /* first of its list, XINV_NIL: the slot is free */
    uint32_t maps;      /* root of its mappings */
    uint32_t n_maps;
    uint32_t next_free;
    uint32_t bypass;
    uint64_t epoch;              /* another number whenever an endpoint comes or goes */
    uint32_t iommus;             /* bit per IOMMU that has, or has had, endpoints of it */
    struct xinv_pending pending; /* what the batch holds of it */
    uint32_t next_pending;       /* in the batch's list */
    uint32_t pending_iommus;     /* bit per IOMMU that they concern; 0: none, and not in the list */
    struct xinv_gaps gaps;       /* between them, while commands for one IOMMU are made */
    uint8_t blocks;              /* likewise: XINV_POLICY_AT_MOST for one range */
};

/* The change of an endpoint's entry that a batch holds: an attachment, and what became of it. */
struct xinv_held_entry {
    uint8_t held;
    uint8_t stage;
    uint8_t from;  /* XINV_FROM_* */
    uint8_t leads; /* 1: to another tag, new_did */
    uint32_t tag;
    uint32_t new_did;
    uint32_t next; /* in the batch's list */
};

struct xinv_session_endpoint {
    struct xinv_endpoint e;
    uint32_t domain; /* index, or XINV_NIL */
    uint32_t next;   /* in the domain's list */
    uint32_t prev;
    uint32_t tag; /* of an endpoint with a tag of its own */
    struct xinv_held_entry entry;
};

struct xinv_quarantined {
    uint64_t token;
    uint32_t tag;
    uint8_t iommu;
    uint8_t pool;
    uint8_t pooled;
    uint8_t pad;
};

/* What requests have asked for and no flush has sent yet. */
struct xinv_batch {
    bool open;         /* something is held, under the session's last token */
    uint32_t commands; /* that it would take, each request for itself */
    uint32_t domains;  /* lists, in the order in which they came; XINV_NIL: empty */
    uint32_t last_domain;
    uint32_t endpoints;
    uint32_t last_endpoint;
};

#define XINV_SESSION_LIST_COMMANDS 16

enum {
    XINV_LIST_NOTED, /* asked for, and not made yet */
    XINV_LIST_MADE,
    XINV_LIST_NONE /* no list says this change */
};

/* A prepared list, for one change of the tables of one domain on one IOMMU. */
struct xinv_session_list {
    uint64_t epoch;  /* the domain's: its attachments as they were; 0: nothing is kept here */
    uint64_t change; /* everything else that the list depends on */
    uint64_t call;   /* the last that asked for it: nobody else gets its place before the next */
    uint32_t domain; /* index of the one that has, or had, this epoch */
    uint8_t uses;    /* calls that asked for it, less those that asked for its place */
    uint8_t state;   /* XINV_LIST_* */
    struct xinv_prepared prepared;
    struct xinv_prepared_command commands[XINV_SESSION_LIST_COMMANDS];
};

/* What the tables that an IOMMU walks may be. */
struct xinv_session_tables {
    uint8_t granules;   /* a bit for each of xinv_session_granules that they may have */
    uint8_t log2_block; /* the largest leaf that every command's blocks can be as large as */
};

/* What a request takes of an IOMMU's output. */
struct xinv_session_need {
    uint32_t words;
    uint32_t steps;
    uint8_t
        phases; /* of a batch whose ranges are all said by lists, a bit each; 0: it is planned */
};

struct xinv_session {
    struct xinv_session_config config;
    uint64_t token;
    uint64_t epochs; /* that were handed out */
    uint64_t calls;  /* that had something to send, where lists are kept */
    struct xinv_batch batch;
    uint32_t n_endpoints;
    uint32_t n_domains;
    uint32_t n_mappings;
    uint32_t free_domain;
    uint32_t pool_tags; /* numbers in each pool */
    uint32_t n_quarantined;
    uint32_t log2_page; /* of page_size_mask: the guest's granule */
    struct xinv_map_store maps;
    struct xinv_ids endpoint_ids;
    struct xinv_ids domain_ids;
    const struct xinv_iommu **iommus;
    struct xinv_session_tables *tables; /* per IOMMU */
    struct xinv_session_endpoint *endpoints;
    struct xinv_domain *domains;
    struct xinv_domain_tag *domain_tags; /* [domain][iommu][stage] */
    uint64_t *pools;                     /* a bit per number: [iommu][pool][pool_tags / 64] */
    struct xinv_quarantined *quarantine;
    struct xinv_session_list *lists; /* config.prepared_lists, each where its key's hash puts it */
    struct xinv_attachment *scratch; /* zero between calls */
    struct xinv_session_need *needs; /* per IOMMU, likewise */
};

void xinv_batch_init(struct xinv_batch *batch);

/* xinv_session_tables_of - what session.tables says of an IOMMU */
struct xinv_session_tables xinv_session_tables_of(const struct xinv_session *s, uint32_t iommu);

/* Do endpoints without a domain pass untranslated (5.13.6.1.1, 5.13.4)? */
bool xinv_session_idle_passes(const struct xinv_session *s);

uint32_t xinv_ids_find_endpoint(const struct xinv_session *s, uint32_t id);
uint32_t xinv_ids_find_domain(const struct xinv_session *s, uint32_t id);
void xinv_ids_insert(struct xinv_ids *t, uint32_t id, uint32_t index);

/* Tags. Taking one is undone by giving it back at once; a tag that was in use goes into quarantine
 * instead. */
uint32_t xinv_pool_of(const struct xinv_iommu *iommu, uint8_t stage);
uint32_t xinv_pool_take(struct xinv_session *s, uint32_t iommu, uint32_t pool);
void xinv_pool_give(struct xinv_session *s, uint32_t iommu, uint32_t pool, uint32_t tag);
void xinv_pool_quarantine(struct xinv_session *s, const struct xinv_quarantined *tag);
bool xinv_pool_quarantined(const struct xinv_session *s, uint32_t iommu, uint32_t pool,
                           uint32_t tag);

/* Sets an endpoint's fixed tag apart: its pool must hand the number to nobody. Returns 0 or an
 * -XINV_E_*. */
int xinv_pool_reserve(struct xinv_session *s, const struct xinv_endpoint *endpoint);

struct xinv_domain_tag *xinv_domain_tag_at(const struct xinv_session *s, uint32_t domain,
                                           uint32_t iommu, uint8_t stage);

/* Domains: found or made by number; made ones have no endpoint yet. */
uint32_t xinv_domain_make(struct xinv_session *s, uint32_t id);
void xinv_domain_drop(struct xinv_session *s, uint32_t domain);

void xinv_endpoint_link(struct xinv_session *s, uint32_t endpoint, uint32_t domain);
void xinv_endpoint_unlink(struct xinv_session *s, uint32_t endpoint);

/* The stage under which an endpoint uses a domain. */
uint8_t xinv_endpoint_stage(const struct xinv_session *s, uint32_t endpoint, uint32_t domain);

/* An endpoint's attachment under a tag. */
void xinv_endpoint_attachment(const struct xinv_session *s, uint32_t endpoint, uint8_t stage,
                              uint32_t tag, struct xinv_attachment *at);

/*
 * Every change that an attachment can meet must have its commands: one that has none would have to
 * be blocked when it comes. Returns 0 or the -XINV_E_* of the first that has none.
 */
int xinv_endpoint_check(const struct xinv_session *s, uint32_t endpoint, uint8_t stage,
                        uint32_t tag);

/* The tag that an attached endpoint uses. */
uint32_t xinv_endpoint_tag(const struct xinv_session *s, uint32_t endpoint);

#endif
