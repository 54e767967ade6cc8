// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What the files that make stale entries share: stale_range.c knows where entries can be,
 * stale_entry.c makes those of each cache, stale.c says which of them a change needs, and
 * stale_explicit.c which of them a request that names caches does.
 */
#ifndef XINV_MODEL_STALE_H
#define XINV_MODEL_STALE_H

#include "model/rules.h"

#define STALE_BLOCKS 68 /* blocks of one size that are taken one by one, and some at edges */

/* One attachment of one request. */
struct stale_maker {
    const struct model_config *config;
    const struct xinv_request *request;
    const struct xinv_attachment *at;
    struct model_entries *out;
    unsigned most; /* blocks of a range that are taken one by one */
    bool ranged;   /* the request's range counts */
};

static inline bool stale_has(const struct stale_maker *m, unsigned flag)
{
    return m->request->flags & flag;
}

static inline bool stale_knows(const struct stale_maker *m, enum xinv_tag tag)
{
    return m->at->known & XINV_TAG_BIT(tag);
}

/* ---- Where (stale_range.c) ------------------------------------------------------------------
 */

/* log2 of the granule of the attachment's tables */
unsigned stale_granule(const struct stale_maker *m);

/* Whether a table can map the address: 48 bits of a VA with its sign, 48 bits of an IPA; 52 on
 * AMD-Vi. */
bool stale_exists(const struct stale_maker *m, enum model_walk walk, uint64_t address);

/* Bases of the blocks of 2^log2 bytes that lie in the range, or (within false) touch it; returns
 * their number. Without a range, samples. */
unsigned stale_blocks(const struct stale_maker *m, enum model_walk walk, unsigned log2, bool within,
                      uint64_t at[STALE_BLOCKS]);

/* log2 of the leaves that the range can have held; returns their number */
unsigned stale_leaf_sizes(const struct stale_maker *m, uint8_t sizes[4]);

/* ---- What (stale_entry.c) -------------------------------------------------------------------
 */

/* An entry; where any value of a tag would do, a second one with other values. */
void stale_add(const struct stale_maker *m, const struct model_entry *entry);

/* How the attachment's translations are walked, and one of them without a place. */
enum model_walk stale_walk(const struct stale_maker *m);
struct model_entry stale_translation(const struct stale_maker *m, enum model_walk walk);

/* Leaf entries in the range, and (tables) the paging-structure entries above it. */
void stale_add_range(const struct stale_maker *m, const struct model_entry *like, bool tables);

/* Combined entries whose walk used the range of IPAs. */
void stale_add_combined(const struct stale_maker *m);

/* The endpoint's own entries: one without a place, and those of the attachment, in the range or
 * everywhere; `all`: whatever PASID, as far as they are known. */
struct model_entry stale_device_tlb(const struct stale_maker *m);
void stale_add_device_tlb_entry(const struct stale_maker *m, const struct model_entry *like,
                                bool range);
void stale_add_device_tlb(const struct stale_maker *m, bool range, bool all);

/* Everything that an endpoint may hold once its own entry has changed: without PASID as well. */
void stale_add_whole_device_tlb(const struct stale_maker *m);

/* Device entries and PASID entries; `all`: of every PASID, `tables`: what they are found by. */
struct model_entry stale_config_entry(const struct stale_maker *m, enum xinv_cache cache);
void stale_add_device_config(const struct stale_maker *m, bool absent);
void stale_add_pasid_config(const struct stale_maker *m, bool absent, bool all, bool tables);

/* Tags below the one that the endpoint has to itself (MODEL_WILD_*). */
uint16_t stale_own_tags(const struct stale_maker *m);

/* ---- By request (stale_explicit.c) ----------------------------------------------------------
 */

/* Everything that the IOMMU has in these caches (bit per enum xinv_cache), whoever made it. */
void stale_add_everything(const struct stale_maker *m, unsigned caches);

/* What a request that names caches and a scope, rather than a change, asks to forget. */
void stale_explicit_request(const struct stale_maker *m);

#endif
