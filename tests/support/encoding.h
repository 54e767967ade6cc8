// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Commands against words that were assembled by hand, and words against fields and refusals. */
#ifndef XINV_TESTS_ENCODING_H
#define XINV_TESTS_ENCODING_H

#include <criterion/criterion.h>
#include <inttypes.h>

#include "core/backend.h"
#include "tests/support/testiommu.h"

#define N(x) (sizeof(x) / sizeof((x)[0]))

/* One of each vendor, with features that make its tags wide and its commands legal. */
struct xinv_iommu encoding_smmu(void);
struct xinv_iommu encoding_vtd_legacy(void);
struct xinv_iommu encoding_vtd_scalable(uint16_t dit);
struct xinv_iommu encoding_amd(void);

/* A form of a command with its operands. */
struct encoding {
    uint8_t op;
    struct xinv_operands o;
    uint64_t w[2];
};

/* A stray operand, which a form that does not carry it must not let through. */
#define STRAY                .rid = 0x5555, .pasid = 0x55555, .asid = 0x5555, .did = 0x5555, .vmid = 0x5555
#define BLOCK(address, log2) .block = {.first = (address), .order = (log2)}

void encoding_check(const struct xinv_iommu *iommu, const struct encoding *list, size_t n);

struct encoding_completion {
    struct xinv_completion c;
    int ret;
    uint64_t w[2];
};

void encoding_check_completions(const struct xinv_iommu *iommu,
                                const struct encoding_completion *list, size_t n);
void encoding_check_fence(const struct xinv_iommu *iommu, uint64_t low);

/* Words, and the command's name and fields as text. */
struct encoding_text {
    uint64_t w[2];
    const char *text;
};

void encoding_check_texts(const struct xinv_iommu *iommu, const struct encoding_text *list,
                          size_t n);

struct encoding_mask {
    uint64_t opcode;  /* word 0 of the command with every field 0 */
    uint64_t zero[2]; /* bits that must be 0 */
};

/* Sets every bit alone; the ones in `type` say which command it is. */
void encoding_check_masks(const struct xinv_iommu *iommu, uint64_t type,
                          const struct encoding_mask *list, size_t n);

#endif
