// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Random small tables, and the entries that caches of such a table can hold. Three caches, four
 * tags, four class axes (one of them PASID-tagged or not: a removal of untagged entries is a match
 * on `none`); rows with several removals each, certain and possible ones; a request for one to
 * three attachments.
 *
 * Which entries are stale, and which of them a command removes, is decided entry by entry from the
 * table and the command's words; nothing of the planner is used.
 */
#ifndef XINV_TESTS_RANDOMTABLE_H
#define XINV_TESTS_RANDOMTABLE_H

#include "core/backend.h"

#define RT_CACHES   3
#define RT_TAGS     3 /* beside the address: rid, pasid, did */
#define RT_ROWS     9
#define RT_REMOVALS 3 /* of one row, at most */
#define RT_NEEDS    3
#define RT_AT       3
#define RT_CLASSES  16

#define RT_NEW_DID  9
#define RT_OTHER    7 /* a value of a tag that nobody here has */
#define RT_NO_PASID UINT32_C(0xfffff)

extern const uint8_t rt_caches[RT_CACHES];
extern const uint8_t rt_tags[RT_TAGS + 1]; /* the last is the address */

/* One random table, IOMMU, request. Its fields may be changed before it is used. */
struct rt_world {
    struct xinv_vendor vendor;
    struct xinv_platform platform;
    struct xinv_feature_def features[2];
    struct xinv_cond conds[2];
    struct xinv_command_def rows[RT_ROWS];
    struct xinv_removal_def removals[RT_ROWS * RT_REMOVALS];
    struct xinv_range_def ranges[RT_ROWS];
    struct xinv_change_def change;
    struct xinv_need_def needs[RT_NEEDS];
    struct xinv_setting settings[2];
    struct xinv_iommu iommu;
    struct xinv_attachment at[RT_AT];
    uint32_t aliases[RT_AT][2];
    size_t n_at;
    struct xinv_request request;
    struct xinv_policy policy;
};

/* rt_make - the world of a seed: the same on every machine */
void rt_make(struct rt_world *w, uint64_t seed);

/* rt_seed - the first seed: XINV_SEED, or a fixed one; rt_count - how many: XINV_TABLES, or so many
 */
uint64_t rt_seed(uint64_t preset);
unsigned rt_count(unsigned preset);

/* Words of the answer; a command has four. */
#define RT_WORDS 65536
struct rt_answer {
    int ret;
    struct xinv_out out;
    struct xinv_report report;
    struct xinv_step steps[128];
    uint64_t words[RT_WORDS];
};

void rt_run(const struct rt_world *w, struct rt_answer *answer);

/* One command as its words say it. */
struct rt_command {
    unsigned row;
    uint32_t tag[RT_TAGS];
    uint64_t first;
    uint64_t last;
};

/* rt_command_at - the command at a word; false: a sync */
bool rt_command_at(const struct rt_answer *answer, uint32_t word, struct rt_command *command);

/* A superpage is a leaf of the largest size that the request speaks of; all others are 4 KiB. */
struct rt_entry {
    uint8_t cache;
    uint32_t tag[RT_TAGS]; /* of tags that the cache does not have: 0 */
    xinv_axes class;       /* one value of each axis */
    uint64_t first;
    uint64_t last;
    bool stale;
};

/* rt_entries - those that the caches can hold, and whether the request makes them stale */
const struct rt_entry *rt_entries(const struct rt_world *w, size_t *n);

/* rt_class - the classes of these caches, by number */
xinv_axes rt_class(unsigned i);

/* rt_traffic - the PASID axis of the device-TLB entries that an attachment makes */
xinv_axes rt_traffic(const struct rt_world *w, const struct xinv_attachment *at);

/* rt_removes - does a command certainly remove an entry; or, with may, can it? */
bool rt_removes(const struct rt_world *w, const struct rt_command *command,
                const struct rt_entry *entry, bool may);

void rt_describe(const struct rt_entry *entry, char *text, size_t size);

#endif
