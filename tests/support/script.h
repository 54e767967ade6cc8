// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Sessions written down: what software and endpoints do, one step a line. tests/model/sessions
 * holds such scripts; their README.md describes the format.
 */
#ifndef XINV_TESTS_SCRIPT_H
#define XINV_TESTS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum script_op {
    SCRIPT_ATTACH,
    SCRIPT_DETACH,
    SCRIPT_MAP,
    SCRIPT_UNMAP,
    SCRIPT_BYPASS,
    SCRIPT_RESET,
    SCRIPT_KICK, /* until SCRIPT_DONE nothing is told to be complete */
    SCRIPT_DONE,
    SCRIPT_DMA,
    /* contexts a..h, and tables A..H that they walk */
    SCRIPT_ENTER,
    SCRIPT_LEAVE,
    SCRIPT_RELEASE,
    SCRIPT_S1MAP,
    SCRIPT_S1UNMAP,
    SCRIPT_S2MAP,
    SCRIPT_S2UNMAP,
    SCRIPT_C_DMA,
    SCRIPT_N_OPS
};

#define SCRIPT_BYPASSED  0x01u /* attach: to pass untranslated */
#define SCRIPT_LEAF_ONLY 0x02u /* unmap: no page of the table is freed, and the hint says so */
#define SCRIPT_GLOBAL    0x04u
#define SCRIPT_SHARED    0x08u /* map: a part of a leaf that neighbours share */
#define SCRIPT_HINT      0x10u /* unmap: the largest leaf is told */

#define SCRIPT_ANY (-1) /* whatever status */

struct script_step {
    uint8_t op;
    uint8_t flags;
    uint8_t log2_leaf; /* map: no larger leaf; unmap: what the hint says; 0: not given */
    int status;        /* enum xinv_virtio_status, or SCRIPT_ANY */
    uint32_t number;   /* of the domain, the table or the context */
    uint32_t endpoint;
    uint64_t first; /* or an address, or the bypass byte */
    uint64_t last;
    uint64_t to; /* of a stage-1 mapping: the IPA */
    unsigned line;
};

struct script_endpoint {
    uint32_t id;
    uint32_t iommu;
    bool no_ats;
    bool other_stage; /* its tables are of the stage that the others' are not */
};

struct script_context {
    char name;
    uint8_t stage; /* enum xinv_stage */
    uint32_t rid;
    uint32_t pasid; /* 0: its requests have none */
    uint32_t tag;   /* DID, VMID or DomainID; of SMMUv3's stage 1 the ASID */
    uint32_t asid;  /* nested */
    char stage1;    /* a table, or 0 */
    char stage2;
};

#define SCRIPT_ENDPOINTS 8
#define SCRIPT_CONTEXTS  8
#define SCRIPT_STEPS     256

struct script {
    char name[64];
    bool lazy;       /* nothing does DMA but the script */
    bool two_iommus; /* an endpoint is on the second */
    bool stage1_only;
    bool stage2_only;
    uint32_t max_domains; /* 0: plenty */
    struct script_endpoint endpoints[SCRIPT_ENDPOINTS];
    unsigned n_endpoints;
    struct script_context contexts[SCRIPT_CONTEXTS];
    unsigned n_contexts;
    struct script_step steps[SCRIPT_STEPS];
    unsigned n_steps;
};

/* script_read - false: `error` says where and why not */
bool script_read(struct script *script, const char *path, char *error, size_t size);

/* script_parse - the same from text */
bool script_parse(struct script *script, const char *text, char *error, size_t size);

/* script_print - as it is read */
void script_print(const struct script *script, FILE *to);
void script_step_text(const struct script_step *step, char *text, size_t size);

#endif
