// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A machine: page tables, endpoints that translate by them, and an IOMMU whose caches fill when an
 * endpoint does DMA and empty when commands say so. Unlike model_check(), which is given a change,
 * it knows tables as they are: an entry is stale when what it says is not what they say now.
 *
 * A stale entry that the model says has gone for certain is removed, every other one stays. What a
 * right entry loses does not matter: the next DMA brings it back.
 */
#ifndef XINV_TESTS_MACHINE_H
#define XINV_TESTS_MACHINE_H

#include "model/rules.h"

/* ---- Tables ------------------------------------------------------------------------------------
 */

#define MACHINE_MAPS 32

struct machine_mapping {
    uint64_t first;
    uint64_t last;
    uint64_t to;      /* what first becomes: an IPA, or an address of the host */
    uint32_t serial;  /* which mapping this is; another one of the same range is another */
    uint8_t log2_max; /* leaves are as large as they can be, but not larger */
    bool global;
    bool shared; /* it lies in a 2 MiB leaf with its neighbours */
};

/* A page of the table, which maps 2^(12 + 9 level) bytes. */
struct machine_page {
    unsigned level;
    uint64_t region;
    uint32_t serial;
};

struct machine_table {
    struct machine_mapping maps[MACHINE_MAPS];
    size_t n;
    struct machine_page *pages;
    size_t n_pages;
};

/* machine_map - false: no room, or something is mapped there; every page of the table that it
 * needs is there afterwards */
bool machine_map(struct machine_table *table, const struct machine_mapping *mapping);

/* machine_unmap - mappings that touch first..last go; keep_pages: pages of the table stay */
void machine_unmap(struct machine_table *table, uint64_t first, uint64_t last, bool keep_pages);

/* machine_extent - widens a range to the mappings that it touches */
void machine_extent(const struct machine_table *table, uint64_t *first, uint64_t *last);

/* machine_largest - log2 of the largest leaf in a range; 0: none */
uint8_t machine_largest(const struct machine_table *table, uint64_t first, uint64_t last);

/* machine_table_clear - nothing is mapped, no page is left */
void machine_table_clear(struct machine_table *table);

/* What an address is translated to. */
struct machine_leaf {
    uint8_t log2_size;
    bool global;
    uint64_t to;
    uint64_t says; /* which leaf it is */
};

/* machine_walk - false: nothing is mapped there */
bool machine_walk(const struct machine_table *table, uint64_t address, struct machine_leaf *leaf);

/* machine_page_at - serial of the table's page of a level (1: 2 MiB) on the way to an address; 0:
 * there is none */
uint32_t machine_page_at(const struct machine_table *table, unsigned level, uint64_t address);

/* machine_serial - a number that no mapping, page or entry has had before */
uint32_t machine_serial(void);

/* ---- Endpoints ---------------------------------------------------------------------------------
 */

/* Traffic of one endpoint, with or without PASID, and how it is translated. */
struct machine_context {
    struct xinv_attachment at;
    bool live;       /* translated, or passed */
    bool passes;     /* not translated */
    bool tagged;     /* its requests have a PASID */
    uint32_t device; /* serial of its device entry; 0: not present */
    uint32_t pasid;  /* serial of its PASID entry; 0: not present, or there is none */
    const struct machine_table *stage1;
    const struct machine_table *stage2;
    bool knocked; /* it did DMA when it was not live */
};

/* ---- The IOMMU ---------------------------------------------------------------------------------
 */

struct machine_entry {
    struct model_entry e;
    uint64_t says; /* where it leads to: by serials, so that old and new can be told apart */
    unsigned due;  /* the first list of those that wait that has to do with it; 0: none yet */
};

#define MACHINE_CONTEXTS 8

struct machine {
    struct model_config config;
    struct machine_context *contexts[MACHINE_CONTEXTS]; /* all whose traffic comes here */
    size_t n_contexts;
    struct machine_entry *entries;
    size_t n;
    size_t room;
    unsigned waiting;     /* lists of commands that have been submitted and not executed */
    unsigned long filled; /* entries that have ever been in the caches */
    unsigned long judged; /* stale ones, over all lists of commands */
    char why[160];        /* of the entry that machine_stale() found */
};

void machine_open(struct machine *m, const struct xinv_iommu *iommu);
void machine_close(struct machine *m);

/* machine_dma - the context's traffic to an address: all that it takes is cached */
void machine_dma(struct machine *m, struct machine_context *context, uint64_t address);

/* machine_refused - what the caches hold of a context that is not live: "not present", under the
 * tags that it is about to have */
void machine_refused(struct machine *m, const struct machine_context *context);

/* machine_submit - tables have changed, and a list of commands about it goes into the queue: it has
 * to do with what is stale by now */
void machine_submit(struct machine *m);

/* machine_run - lists of commands that were submitted are executed one after the other: stale
 * entries that are certainly gone go */
void machine_run(struct machine *m, const struct model_run *lists, unsigned n);

/* machine_stale - an entry that some context's traffic can hit, and that is not what the tables
 * say; NULL: none */
const struct machine_entry *machine_stale(const struct machine *m);

#endif
