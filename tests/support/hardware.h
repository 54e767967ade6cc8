// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The built-in platforms by what they are. */
#ifndef XINV_TESTS_HARDWARE_H
#define XINV_TESTS_HARDWARE_H

#include <xinv/xinv.h>

/* working_at - the platforms that take commands at all, in order; NULL past the end */
static inline const struct xinv_platform *working_at(unsigned index)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL; i++)
        if (!p->absent && !index--)
            return p;
    return NULL;
}

/* hardware_at - of those, the ones whose commands an IOMMU executes, not a kernel */
static inline const struct xinv_platform *hardware_at(unsigned index)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = working_at(i)) != NULL; i++)
        if (!p->target && !index--)
            return p;
    return NULL;
}

#endif
