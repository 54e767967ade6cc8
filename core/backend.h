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

/* How high a field's value may go on this IOMMU. */
enum xinv_limit {
    XINV_LIMIT_NONE,
    XINV_LIMIT_TAG,    /* as wide as the tag `of` */
    XINV_LIMIT_FEATURE /* at most the value of the feature `of` */
};

/* What a field's value must satisfy beyond its width. */
struct xinv_field_check {
    uint8_t gated;   /* a value other than 0 needs `feature` */
    uint8_t feature; /* of the vendor's */
    uint8_t limit;   /* enum xinv_limit */
    uint8_t of;
    uint8_t rare;           /* left out of the fields where it is 0, as it mostly is */
    uint8_t gate_hardware;  /* enum xinv_hardware */
    uint8_t limit_hardware; /* of the limit, and of `values` */
    const char *rule;       /* what is wrong with a value that is not in `values`; NULL: none */
    uint64_t values;        /* bit per value that is not reserved; for fields of up to 6 bits */
};

/* A field of a command: `width` bits at `lsb` of word `word`, holding the value's bits from `shift`
 * up. */
struct xinv_layout_field {
    const char *name; /* NULL: more bits of the value of the field before */
    uint8_t word;
    uint8_t lsb;
    uint8_t width;
    uint8_t shift; /* value bit that stands at lsb; an address field of 63:12 has 12 */
    const struct xinv_field_check *check; /* NULL: every value is fine */
};

/* A condition without which the IOMMU has no such command. */
struct xinv_gate {
    struct xinv_cond cond;
    uint8_t hardware;
};

struct xinv_layout;

/* What the bits of a command beside its opcode mean. Commands share a list. */
struct xinv_field_list {
    const struct xinv_layout_field *fields;
    unsigned n;
    /* as xinv_decode(), where it is known which command the words hold */
    int (*decode)(const struct xinv_iommu *iommu, const uint64_t *words,
                  struct xinv_decoded *decoded, const struct xinv_layout *layout);
    /* rules that relate fields to each other: fills in *fault where one is broken */
    void (*check)(const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_fault *fault);
};

struct xinv_layout {
    const char *name;
    uint64_t opcode_mask; /* bits of word 0 that say which command this is; 0: none do */
    uint64_t opcode;
    const struct xinv_field_list *list;
    const struct xinv_gate *gates;
    const char *elsewhere; /* not NULL: a queue that this library does not drive has it */
    uint64_t form_mask;    /* bits of word 1 that make this a form with a name of its own */
    uint64_t form;
    /* of a register: the queue's command that asks for the same; 1, or 0: it asks for nothing, or
     * an error of xinv_removes_register(); NULL: it never asks for anything */
    int (*queued)(const struct xinv_iommu *iommu, uint64_t value, const uint64_t *addresses,
                  uint64_t *words);
    uint8_t n_gates;
    uint8_t number; /* its bit among those that an IOMMU takes */
};

/* of a register: never among them */
#define XINV_NO_NUMBER 63
#define XINV_FORMS     0x80

/* How a vendor's commands are spelt. */
struct xinv_codec {
    /* xinv_decode() */
    int (*decode)(const struct xinv_iommu *iommu, const uint64_t *words,
                  struct xinv_decoded *decoded);
    const struct xinv_layout *layouts;   /* of the queue's commands */
    const struct xinv_layout *registers; /* of commands that are a register's value */
    /* the layout with an opcode, plus 1; 0: no command has it; with XINV_FORMS the first of several
     * that stand one after the other, the last of which has all words that no other form is of */
    const uint8_t *by_opcode;
    uint64_t opcode_mask; /* of word 0 */
    uint8_t opcode_at;
    uint8_t n_opcodes; /* length of by_opcode */
    uint8_t n_layouts; /* at most XINV_NO_NUMBER */
    uint8_t n_registers;
    uint8_t opcode_hardware;   /* enum xinv_hardware: an opcode that no command has */
    uint8_t reserved_hardware; /* a reserved bit that is set */
    uint8_t open_first;        /* opcodes that are left to the implementation; 0: none are */
    uint8_t open_last;
};

/* What the words of a command stand for: a row of the table by its op, and how they depart from it.
 */
#define XINV_FORM_NOTHING 0xfe /* the command removes nothing */
#define XINV_FORM_UNKNOWN 0xff /* the table has no row of it */
struct xinv_form {
    uint8_t op;
    uint8_t leaf;
    uint8_t narrow; /* tags that are matched besides those of the row */
    uint8_t loose;  /* tags whose other values may go as well */
};

/* Where a sync that stores has its address, which stands in its own bits, and its data. */
struct xinv_store_form {
    uint8_t address_word;
    uint8_t data_word;
    uint8_t data_lsb;
};

struct xinv_filter_ops;

struct xinv_backend {
    const char *name;
    const char *const *op_names; /* names of the table's `op` key, by number */
    uint8_t n_ops;
    uint8_t (*words)(const struct xinv_iommu *iommu);
    /* -XINV_E_TABLE where features or settings contradict each other; may be NULL */
    int (*check)(const struct xinv_iommu *iommu);
    /*
     * writes every word of the command. Where it takes a block and ends in a sync, the first page
     * of the block stands in its own bits of the second word. A block's order stands there too, as
     * a number or by xinv_sized_address() and a bit that says so; num and scale stand in the first
     * word as numbers, and what is set besides for more than one granule in the second.
     */
    void (*encode)(const struct xinv_iommu *iommu, uint8_t op, const struct xinv_operands *operands,
                   uint64_t *words);
    /* the form of a valid command, and the values that it has for tags: the way back from encode;
     * the rest of *set is 0 */
    void (*read)(const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_form *form,
                 struct xinv_removal_set *set);
    /* the sync between two phases, and the one that ends a list; complete returns -XINV_E_INVAL if
     * it cannot be said */
    void (*fence)(const struct xinv_iommu *iommu, uint64_t *words);
    int (*complete)(const struct xinv_iommu *iommu, const struct xinv_completion *completion,
                    uint64_t *words);
    struct xinv_store_form store;
    /* the register step of an op outside the queue; NULL where there is none */
    void (*step)(const struct xinv_iommu *iommu, uint8_t op, struct xinv_step *step);
    const struct xinv_codec *codec;
    const struct xinv_filter_ops *filter; /* core/filter.h; NULL: no guest has such a queue */
};

extern const struct xinv_backend xinv_backend_smmuv3;
extern const struct xinv_backend xinv_backend_vtd;
extern const struct xinv_backend xinv_backend_amdvi;
extern const struct xinv_backend xinv_backend_vtd_hwpt;

#endif
