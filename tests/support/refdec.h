// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A second opinion about command words: a decoder and checker for tests that shares nothing with
 * the library's encoders or layouts. Bits are given as masks and shifts over the whole words, as
 * the specifications' reserved-bit tables have them.
 */
#ifndef XINV_TESTS_REFDEC_H
#define XINV_TESTS_REFDEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum refdec_vendor {
    REFDEC_SMMUV3,
    REFDEC_VTD,
    REFDEC_AMDVI
};

/* Zero: the feature is absent. */
struct refdec_caps {
    bool s1p, s2p, hyp, ats, pri, asid16, vmid16, ril, ds, d128, msi, sev;
    unsigned sidsize, ssidsize;
    unsigned width;
    bool scalable, psi, dt, dit, pds, smts, ir, prs, pasid, drain;
    unsigned mamv, nd, pss, mhmv;
    bool iotlbsup, gtsup, iasup, prefsup, pprsup, inviotlbtypesup, viommusup;
    unsigned pasmax;
};

struct refdec_field {
    const char *name;
    uint64_t value;
};

struct refdec_cmd {
    const char *name;
    unsigned nfields;
    struct refdec_field fields[20];
    bool has_range; /* the command names addresses: first..last, in bytes, inclusive */
    uint64_t first, last;
};

/* 0, or -1 with a reason in err. words: low word first; n: 2 or 4. */
int refdec_decode(enum refdec_vendor vendor, const struct refdec_caps *caps, const uint64_t *words,
                  unsigned n, struct refdec_cmd *cmd, char *err, size_t errlen);

/* A field's value; aborts if the command has none of that name. */
uint64_t refdec_field(const struct refdec_cmd *cmd, const char *name);

#endif
