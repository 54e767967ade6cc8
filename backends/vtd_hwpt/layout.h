// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * struct iommu_hwpt_vtd_s1_invalidate (linux/iommufd.h): word, lsb, width, shift (core/layout.h).
 * What is left of the third word is reserved: other flags 31:1, and the structure's last field
 * 63:32.
 */
#ifndef XINV_BACKENDS_VTD_HWPT_LAYOUT_H
#define XINV_BACKENDS_VTD_HWPT_LAYOUT_H

#define VTD_HWPT_WORDS  3
#define VTD_HWPT_ADDR   0, 0, 64, 0
#define VTD_HWPT_NPAGES 1, 0, 64, 0
#define VTD_HWPT_LEAF   2, 0, 1, 0
#define VTD_HWPT_EVERY  UINT64_MAX /* npages: every address */

#endif
