// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* ID registers' fields, and what each changes for invalidation. */
#ifndef XINV_CLI_CAPS_H
#define XINV_CLI_CAPS_H

#include <stdint.h>

struct caps_field {
    const char *name;
    uint8_t high;
    uint8_t low;
    const char *clear; /* what 0 means; NULL: what `set` says holds for 0 as well */
    const char *set;   /* what another value means; # stands for base + times * value */
    uint8_t base;
    uint8_t times;
    const char *const *texts; /* a text per value instead; NULL ends the list */
};

struct caps_register {
    const char *name; /* NULL ends the list */
    /* The flag without which the register says nothing; NULL: it always does. */
    const char *with_register;
    const char *with_field;
    const struct caps_field *fields;
    unsigned n_fields;
};

extern const struct caps_register caps_smmuv3[];
extern const struct caps_register caps_vtd[];
extern const struct caps_register caps_amdvi[];

#endif
