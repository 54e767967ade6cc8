// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A request whose obvious plan is wrong: a trial, the commands that are right, and the oracle. */
#ifndef XINV_TESTS_HARDCASE_H
#define XINV_TESTS_HARDCASE_H

#include "tests/support/entryoracle.h"

#define RID     XINV_TAG_BIT(XINV_TAG_RID)
#define PASID   XINV_TAG_BIT(XINV_TAG_PASID)
#define ASID    XINV_TAG_BIT(XINV_TAG_ASID)
#define DID     XINV_TAG_BIT(XINV_TAG_DID)
#define VMID    XINV_TAG_BIT(XINV_TAG_VMID)
#define ADDRESS XINV_TAG_BIT(XINV_TAG_ADDRESS)
#define IPA     XINV_TAG_BIT(XINV_TAG_IPA)

#define IN(cache) (1u << XINV_CACHE_##cache)

/* Classes of entries: EL1, not global, present or cached as not present. An axis that a cache does
 * not have has its first value. */
#define LEAF                                                                                    \
    (XINV_LEVEL_LEAF | XINV_GLOBAL_NO | XINV_PASID_UNTAGGED | XINV_PRESENT | XINV_NOT_PRESENT | \
     XINV_REGIME_EL1)
#define TREE   (LEAF | XINV_LEVEL_WALK)
#define TAGGED ((LEAF & ~XINV_PASID_UNTAGGED) | XINV_PASID_TAGGED)
#define ABSENT (TREE & ~XINV_PRESENT)

struct hardcase {
    struct trial trial;
    struct oracle oracle;
};

/* The page at 0x40000000 changes; no leaf reaches beyond it. */
void hardcase_page(struct hardcase *h, uint8_t change, uint16_t flags);

/* Plans; asserts that exactly these commands come out (trial_text()), and has the oracle read them.
 */
void hardcase_expect(struct hardcase *h, const char *text);

/* The words of the i-th command, from its layout by hand. */
void hardcase_expect_words(const struct hardcase *h, unsigned i, uint64_t low, uint64_t high);

/* Entries with the first attachment's tags of `fixed` are stale; or those of another user of one
 * tag. */
void hardcase_stale(struct hardcase *h, uint8_t cache, uint8_t fixed, xinv_axes classes);
void hardcase_stale_of(struct hardcase *h, uint8_t cache, uint8_t fixed, xinv_axes classes,
                       uint8_t tag, uint32_t value);

/* Of what was said to be stale nothing is left. */
void hardcase_expect_gone(struct hardcase *h);

/* And what goes besides, and nothing else, is in the report. */
void hardcase_expect_clean(struct hardcase *h);

/* The report: tags given up, caches where more goes and can go, pages by rounding. */
void hardcase_expect_report(const struct hardcase *h, uint8_t widened, uint8_t must, uint8_t may,
                            uint64_t extra_pages);

/* Would one command of that row, with the first attachment's operands, remove all that is stale in
 * a cache? XINV_NCACHES: in every one. */
bool hardcase_would_do(struct hardcase *h, const char *op, bool leaf, uint8_t cache);

#endif
