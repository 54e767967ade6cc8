// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * An oracle of entries on a real table. It enumerates entries of every cache (tags of the request
 * and their neighbours, every class, addresses in and around the range) and asks the table's rows,
 * with the operands that the decoded words carry, which of them go.
 *
 * What a request makes stale is a set of patterns. A test writes them by hand, or takes those of
 * the table's changes.
 */
#ifndef XINV_TESTS_ENTRYORACLE_H
#define XINV_TESTS_ENTRYORACLE_H

#include "tests/support/trial.h"

#define ORACLE_VALUES   16
#define ORACLE_PAGES    8
#define ORACLE_PATTERNS 2048
#define ORACLE_COMMANDS TRIAL_COMMANDS

/* Entries of one cache, of these classes, with these values of the tags in `fixed`; an address that
 * is fixed lies in the request's range. */
struct oracle_pattern {
    uint8_t cache;
    uint8_t fixed; /* XINV_TAG_BIT mask */
    xinv_axes classes;
    uint32_t tag[XINV_NTAGS];
};

/* A row with the operands of a command. */
struct oracle_command {
    uint8_t row;
    uint8_t only_size; /* a level hint: log2 of the leaves that it reaches; 0: all */
    uint32_t tag[XINV_NTAGS];
    uint64_t first; /* the addresses that it names; everything without any */
    uint64_t last;
};

struct oracle {
    const struct xinv_iommu *iommu;
    const struct xinv_request *request;
    uint32_t value[XINV_NTAGS][ORACLE_VALUES]; /* what the tags of the enumeration can be */
    uint8_t n_values[XINV_NTAGS];
    uint64_t page[ORACLE_PAGES];
    struct oracle_pattern stale[ORACLE_PATTERNS];
    unsigned n_stale;
    struct oracle_pattern
        meant[ORACLE_PATTERNS]; /* as above, whether such entries can live or not */
    unsigned n_meant;
    struct oracle_command sent[ORACLE_COMMANDS];
    unsigned n_sent;
    char text[256];
};

/* What a trial is about: its request, and the values to enumerate around its attachments' tags. */
void oracle_begin(struct oracle *o, const struct trial *t);

/* Entries of a cache are stale: of these classes, with the first attachment's own tags of `fixed`.
 */
void oracle_stale(struct oracle *o, const struct trial *t, uint8_t cache, uint8_t fixed,
                  xinv_axes classes);

/* The same, with a pattern of the test's own. */
void oracle_stale_pattern(struct oracle *o, struct oracle_pattern pattern);

/* The patterns of the request by the table's changes; for an explicit one by its caches and scope.
 */
void oracle_stale_by_table(struct oracle *o, const struct trial *t);

/* Reads the trial's commands; asserts that their rows are those of the report. */
void oracle_read(struct oracle *o, const struct trial *t);

/* Instead of those: one command of the row of that op (and leaf form), with the first attachment's
 * operands and the request's range. */
void oracle_imagine(struct oracle *o, const struct trial *t, const char *op, bool leaf);

/* Instead of those: one command of every row that can say the request, likewise. */
void oracle_imagine_all(struct oracle *o, const struct trial *t);

/* A stale entry (of one cache) that no row certainly removes, as text; NULL: there is none. */
const char *oracle_survivor(struct oracle *o);
const char *oracle_survivor_in(struct oracle *o, uint8_t cache);

/* An entry that can go although the request is not about it and the report is silent about it, as
 * text; NULL. */
const char *oracle_unreported(struct oracle *o, const struct xinv_report *report);

/* A cache of the report in which nothing beyond the request goes, as text; NULL. */
const char *oracle_overreported(struct oracle *o, const struct xinv_report *report);

#endif
