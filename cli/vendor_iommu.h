// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The IOMMU that a command of one vendor is checked against: a platform's, or one with everything.
 */
#ifndef XINV_CLI_VENDOR_IOMMU_H
#define XINV_CLI_VENDOR_IOMMU_H

#include <xinv/xinv.h>

#include "cli/platform.h"

#define VENDOR_IOMMU_PAIRS 16

/* What the options say, before it is known which vendor they are about. */
struct vendor_iommu {
    const char *vendor;
    const char *platform;
    const char *width;
    const char *registers[VENDOR_IOMMU_PAIRS]; /* NAME=VALUE */
    const char *settings[VENDOR_IOMMU_PAIRS];
    unsigned n_registers;
    unsigned n_settings;
};

/* The options that decode and encode share, first in their lists and in this order. */
enum {
    VENDOR_IOMMU_PLATFORM,
    VENDOR_IOMMU_PLATFORM_FILE,
    VENDOR_IOMMU_VENDOR_FILE,
    VENDOR_IOMMU_REGISTER,
    VENDOR_IOMMU_SET,
    VENDOR_IOMMU_WIDTH,
    VENDOR_IOMMU_OPTIONS
};
#define VENDOR_IOMMU_OPTION_TEXTS                                                           \
    {"platform", "NAME", "check against this platform; without it, against every feature"}, \
        CLI_PLATFORM_FILE_OPTIONS, {"register", "NAME=VALUE", "an ID register's value"},    \
        {"set", "NAME=VALUE", "a feature's value, whatever the registers say"},             \
    {                                                                                       \
        "width", "128|256", "bits of an entry of VT-d's queue; 128, or the platform's own"  \
    }

/* vendor_iommu_take - one of the options above; CLI_OK or CLI_USAGE */
int vendor_iommu_take(const struct cli_command *command, struct vendor_iommu *v, int option,
                      const char *value);

/* vendor_iommu_make - the IOMMU that they describe; CLI_OK or CLI_USAGE */
int vendor_iommu_make(const struct cli_command *command, const struct vendor_iommu *v,
                      struct xinv_iommu *iommu);

#endif
