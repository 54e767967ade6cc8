// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <inttypes.h>

#include "cli/request.h"
#include "schema/load.h"

void request_text(const struct request *r, char *text, size_t size)
{
    const struct xinv_request *q = &r->request;
    size_t used = 0;

    if (q->flags & XINV_REQ_INVALIDATE)
        used = (size_t)snprintf(text, size, "invalidate");
    else
        used = (size_t)snprintf(text, size, "%s, %s before", schema_change_names[q->change],
                                q->from == XINV_FROM_NOT_PRESENT ? "not present" : "present");
    if (q->flags & XINV_REQ_RANGE && used < size)
        used += (size_t)snprintf(text + used, size - used, ", 0x%" PRIx64 "..0x%" PRIx64, q->first,
                                 q->last);
    if (q->flags & XINV_REQ_LEAF_ONLY && used < size)
        snprintf(text + used, size - used, ", leaf entries only");
}
