// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What is wrong with a command, in words and as JSON. */
#ifndef XINV_CLI_FAULT_TEXT_H
#define XINV_CLI_FAULT_TEXT_H

#include <xinv/xinv.h>

/* fault_text - one line without the hardware's part */
const char *fault_text(const struct xinv_iommu *iommu, const struct xinv_fault *fault, char *text,
                       size_t size);

/* fault_json - {"kind": ..., "text": ..., "hardware": ...}; returns its length */
size_t fault_json(const struct xinv_iommu *iommu, const struct xinv_fault *fault, char *text,
                  size_t size);

#endif
