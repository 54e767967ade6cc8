// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Tags by their bits, for the planner's own files. */
#ifndef XINV_CORE_TAGS_H
#define XINV_CORE_TAGS_H

#include <xinv/table.h>

#define RID_BIT      XINV_TAG_BIT(XINV_TAG_RID)
#define PASID_BIT    XINV_TAG_BIT(XINV_TAG_PASID)
#define ASID_BIT     XINV_TAG_BIT(XINV_TAG_ASID)
#define DID_BIT      XINV_TAG_BIT(XINV_TAG_DID)
#define VMID_BIT     XINV_TAG_BIT(XINV_TAG_VMID)
#define ADDRESS_TAGS ((uint8_t)(XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA)))

#endif
