// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#ifndef XINV_BACKENDS_VTD_HWPT_H
#define XINV_BACKENDS_VTD_HWPT_H

#include "core/backend.h"

/* Forms of an entry that the table names by `op`. */
enum xinv_vtd_hwpt_op {
    XINV_VTD_HWPT_OP_RANGE,
    XINV_VTD_HWPT_OP_ALL,
    XINV_VTD_HWPT_NOPS
};

extern const struct xinv_codec xinv_vtd_hwpt_codec;

#endif
