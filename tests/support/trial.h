// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * One call of xinv_translate(): what goes in, and what came out, read by the independent decoder.
 */
#ifndef XINV_TESTS_TRIAL_H
#define XINV_TESTS_TRIAL_H

#include <xinv/xinv.h>

#include "cli/kinds.h"
#include "tests/support/refdec.h"

#define TRIAL_ATTACHMENTS 260
#define TRIAL_COMMANDS    5000
#define TRIAL_STEPS       64

struct trial {
    struct xinv_iommu iommu;
    struct xinv_attachment at[TRIAL_ATTACHMENTS];
    size_t n;
    struct xinv_request request;
    struct xinv_policy policy; /* zero: exact */
    struct xinv_out out;
    struct xinv_report report;
    uint64_t words[TRIAL_COMMANDS * 4];
    struct xinv_step steps[TRIAL_STEPS];
    struct refdec_cmd cmd[TRIAL_COMMANDS];
    unsigned n_cmd;
    char text[TRIAL_COMMANDS * 16];
};

/* A trial on a built-in platform, empty otherwise; `feature` (may be NULL) is set to `value`. */
void trial_begin(struct trial *t, const char *platform, const char *feature, uint16_t value);

/* Translates and decodes; asserts that every command is valid. Returns what xinv_translate()
 * returned. */
int trial_run(struct trial *t);

/*
 * Every kind of request on every built-in platform of a vendor, under a policy of each sort: runs
 * it and hands it on with what xinv_translate() returned.
 * @platforms: how many the vendor has
 */
void trial_each_kind(struct trial *t, const char *vendor, unsigned platforms,
                     void (*check)(const char *platform, const struct cli_kind *kind, int ret));

/* Reads the words of trial->out. */
void trial_decode(struct trial *t);

/*
 * The commands that came out, as "NAME FIELD=0xVALUE FIELD=0xVALUE; NAME ...", without the fields
 * that are 0. A register step of that place is "register 0xOFFSET=0xBITS".
 */
const char *trial_text(struct trial *t);

/* Names alone, joined by blanks. */
const char *trial_names(struct trial *t);

#endif
