// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* One request on one IOMMU, translated by the library and judged by the model. */
#ifndef XINV_TESTS_MODELRIG_H
#define XINV_TESTS_MODELRIG_H

#include "model/model.h"

struct modelrig {
    struct xinv_iommu iommu;
    struct model_config config;
    struct model_run run;
    struct model_bench bench;
    struct model_result result;
    struct xinv_report report;
    struct xinv_out out;
    int commands;  /* of the last request, or an error */
    unsigned most; /* pages of a range that are taken one by one */
    /* so far */
    unsigned long requests;
    unsigned long refused;
    unsigned long entries; /* stale ones and neighbours */
};

/* settings: of the software, such as E2H = 1; may be NULL. false: the platform refuses them. */
bool modelrig_open(struct modelrig *rig, const struct xinv_platform *platform,
                   const struct xinv_setting *settings, unsigned n_settings);
void modelrig_close(struct modelrig *rig);

/* modelrig_judge - the finding; MODEL_CLEAN as well where the library refuses (commands < 0) */
enum model_finding modelrig_judge(struct modelrig *rig, const struct xinv_attachment *attachments,
                                  size_t n, const struct xinv_request *request,
                                  const struct xinv_policy *policy);

/* modelrig_text - the last finding for a person, with the commands; valid until the next call */
const char *modelrig_text(const struct modelrig *rig);

#endif
