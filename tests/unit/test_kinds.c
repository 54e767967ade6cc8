// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Every kind of request on every built-in platform, against the oracle of entries: nothing stale is
 * left, what goes besides is in the report, and a refusal is right.
 */
#include <criterion/criterion.h>

#include "tests/support/entryoracle.h"

static struct trial trial;
static struct oracle oracle;

/* What a plan is checked for. */
enum what {
    SURVIVORS,
    REPORT
};

static void check_plan(const char *platform, const char *kind, enum what what)
{
    const char *text;

    oracle_read(&oracle, &trial);
    if (what == SURVIVORS) {
        text = oracle_survivor(&oracle);
        cr_expect_null(text, "%s, %s: %s", platform, kind, text);
        return;
    }
    text = oracle_unreported(&oracle, &trial.report);
    cr_expect_null(text, "%s, %s: %s", platform, kind, text);
    text = oracle_overreported(&oracle, &trial.report);
    cr_expect_null(text, "%s, %s: %s", platform, kind, text);
}

/* Is the PASID wider than this IOMMU's field? */
static bool cut(const struct cli_kind *kind)
{
    return kind->pasid >> trial.iommu.tag_bits[XINV_TAG_PASID];
}

/* An explicit request for one cache that this IOMMU does not have. */
static bool lacks_it(const struct cli_kind *kind)
{
    return kind->caches == XINV_INV_INTERRUPT && !(trial.iommu.caches >> XINV_CACHE_INTERRUPT & 1);
}

static void check_refusal(const char *platform, const struct cli_kind *kind, int ret)
{
    bool tagged = kind->pasid || kind->caches || kind->change > XINV_CHANGE_STAGE2_PTE ||
                  (kind->at_flags & XINV_ATT_PASIDS_UNKNOWN);
    bool stage = (tagged ? trial.iommu.stages : trial.iommu.untagged) & XINV_STAGE_BIT(kind->stage);
    int expected = !stage           ? -XINV_E_UNSUPP
                   : cut(kind)      ? -XINV_E_TAG
                   : lacks_it(kind) ? -XINV_E_UNSUPP
                                    : -XINV_E_MUST_BLOCK;

    cr_expect_eq(trial.n_cmd, 0, "%s, %s", platform, kind->name);
    cr_expect_eq(ret, expected, "%s, %s: %d", platform, kind->name, ret);
    if (ret != -XINV_E_MUST_BLOCK)
        return;
    cr_expect_eq(trial.report.at, &trial.at[0]);
    oracle_imagine_all(&oracle, &trial);
    cr_expect_not_null(oracle_survivor_in(&oracle, trial.report.at_cache),
                       "%s, %s is refused, but every row together would do", platform, kind->name);
}

static void check(const char *platform, const struct cli_kind *kind, int ret, enum what what)
{
    oracle_begin(&oracle, &trial);
    oracle_stale_by_table(&oracle, &trial);
    if (ret >= 0)
        check_plan(platform, kind->name, what);
    else
        check_refusal(platform, kind, ret);
}

static void check_survivors(const char *platform, const struct cli_kind *kind, int ret)
{
    check(platform, kind, ret, SURVIVORS);
}

static void check_report(const char *platform, const struct cli_kind *kind, int ret)
{
    check(platform, kind, ret, REPORT);
}

Test(kinds, no_entry_survives_on_any_smmuv3_platform)
{
    trial_each_kind(&trial, "smmuv3", 14, check_survivors);
}

Test(kinds, no_entry_survives_on_any_vtd_platform)
{
    trial_each_kind(&trial, "vtd", 10, check_survivors);
}

Test(kinds, no_entry_survives_on_any_amdvi_platform)
{
    trial_each_kind(&trial, "amdvi", 6, check_survivors);
}

Test(kinds, what_else_goes_is_reported_on_any_smmuv3_platform)
{
    trial_each_kind(&trial, "smmuv3", 14, check_report);
}

Test(kinds, what_else_goes_is_reported_on_any_vtd_platform)
{
    trial_each_kind(&trial, "vtd", 10, check_report);
}

Test(kinds, what_else_goes_is_reported_on_any_amdvi_platform)
{
    trial_each_kind(&trial, "amdvi", 6, check_report);
}
