// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What the core asks of a vendor's backend. The core knows rows of a table; a backend knows words.
 */
#ifndef XINV_CORE_BACKEND_H
#define XINV_CORE_BACKEND_H

#include <xinv/xinv.h>

/* One block of addresses that one command can say. */
struct xinv_block {
    uint64_t first; /* aligned as the range kind demands */
    uint64_t last;
    uint8_t order; /* POW2: log2 of 4 KiB pages */
    uint8_t num;   /* SCALED: granules are (num + 1) << scale */
    uint8_t scale;
};

struct xinv_operands {
    const struct xinv_attachment *at;
    struct xinv_block block;
    uint32_t rid;
    uint32_t pasid;
    uint32_t asid;
    uint32_t did;
    uint32_t vmid;
    uint8_t leaf;         /* only leaf entries changed */
    uint8_t scaled;       /* block.num and block.scale are meant */
    uint8_t log2_granule; /* of the page table */
    uint8_t log2_leaf;    /* size of the leaf entries removed; 0: unknown */
};

#define XINV_COMMAND_WORDS 4

/* A field of a command: `width` bits at `lsb` of word `word`, holding the value's bits from `shift`
 * up. */
struct xinv_layout_field {
    const char *name;
    uint8_t word;
    uint8_t lsb;
    uint8_t width;
    uint8_t shift; /* value bit that stands at lsb; an address field of 63:12 has 12 */
};

struct xinv_layout {
    const char *name;
    uint64_t opcode_mask; /* bits of word 0 that say which command this is */
    uint64_t opcode;
    const struct xinv_layout_field *fields;
    uint8_t n_fields;
};

struct xinv_backend {
    const char *name;
    const char *const *op_names; /* names of the table's `op` key, by number */
    uint8_t n_ops;
    uint8_t (*words)(const struct xinv_iommu *iommu);
    /* -XINV_E_TABLE where features or settings contradict each other; may be NULL */
    int (*check)(const struct xinv_iommu *iommu);
    /* writes every word of the command */
    void (*encode)(const struct xinv_iommu *iommu, uint8_t op, const struct xinv_operands *operands,
                   uint64_t *words);
    /* the sync between two phases, and the one that ends a list; complete returns -XINV_E_INVAL if
     * it cannot be said */
    void (*fence)(const struct xinv_iommu *iommu, uint64_t *words);
    int (*complete)(const struct xinv_iommu *iommu, const struct xinv_completion *completion,
                    uint64_t *words);
    /* the register step of an op outside the queue; NULL where there is none */
    void (*step)(const struct xinv_iommu *iommu, uint8_t op, struct xinv_step *step);
    int (*decode)(const struct xinv_iommu *iommu, const uint64_t *words,
                  struct xinv_decoded *decoded);
};

extern const struct xinv_backend xinv_backend_smmuv3;
extern const struct xinv_backend xinv_backend_vtd;
extern const struct xinv_backend xinv_backend_amdvi;

#endif
