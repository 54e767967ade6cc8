// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#ifndef XINV_TESTS_VECTORCAPS_H
#define XINV_TESTS_VECTORCAPS_H

#include <xinv/xinv.h>

#include "tests/support/refdec.h"

/* What the independent decoder must know of an IOMMU. */
struct refdec_caps vector_caps(const struct xinv_iommu *iommu);
enum refdec_vendor vector_refdec_vendor(const struct xinv_iommu *iommu);

#endif
