// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Lines of a specification's matching rules, as tests state them: what a command removes, what it
 * needs, and a request that it is the cheapest answer to.
 */
#ifndef XINV_TESTS_ROWS_H
#define XINV_TESTS_ROWS_H

#include <xinv/xinv.h>

#include "tests/support/testiommu.h"

#define ROW_RID     XINV_TAG_BIT(XINV_TAG_RID)
#define ROW_PASID   XINV_TAG_BIT(XINV_TAG_PASID)
#define ROW_ASID    XINV_TAG_BIT(XINV_TAG_ASID)
#define ROW_DID     XINV_TAG_BIT(XINV_TAG_DID)
#define ROW_VMID    XINV_TAG_BIT(XINV_TAG_VMID)
#define ROW_ADDRESS XINV_TAG_BIT(XINV_TAG_ADDRESS)
#define ROW_IPA     XINV_TAG_BIT(XINV_TAG_IPA)
#define ROW_NO_TAG  0 /* entries with any tags */

/* Entries of a cache that have the command's value of every tag in `match` and any value of others.
 */
struct row_removal {
    uint8_t cache;
    uint8_t match;
    xinv_axes classes; /* an axis without a value here: every class of it that the cache has */
    bool may;          /* no guarantee */
};

#define ROW_EVERY_CLASS 0
#define ROW_MUST(cache_, match_, classes_)                          \
    {                                                               \
        .cache = (cache_), .match = (match_), .classes = (classes_) \
    }
#define ROW_MAY(cache_, match_, classes_)                                        \
    {                                                                            \
        .cache = (cache_), .match = (match_), .classes = (classes_), .may = true \
    }
#define ROW_REMOVES(...)      \
    .removes = {__VA_ARGS__}, \
    .n = sizeof((struct row_removal[]){__VA_ARGS__}) / sizeof(struct row_removal)

/* Requests about one page, with a range where the flags say so. */
#define ROW_CHANGE(change_, flags_) \
    .request = {                    \
        .change = XINV_CHANGE_##change_, .flags = flags_, .first = 0x41234000, .last = 0x41234fff}
#define ROW_EXPLICIT(caches_, scope_, flags_)            \
    .request = {.caches = XINV_INV_##caches_,            \
                .scope = XINV_SCOPE_##scope_,            \
                .flags = XINV_REQ_INVALIDATE | (flags_), \
                .first = 0x41234000,                     \
                .last = 0x41234fff}

/* The test of one line of an array `lines`. */
#define ROW_TEST(suite, id, test) \
    Test(suite, test)             \
    {                             \
        row_check(&lines[id]);    \
    }

struct row_line {
    const char *vendor;
    const char *name;    /* of the command */
    const char *op;      /* which form of it */
    const char *when;    /* what it needs, as conditions joined by blanks; NULL: nothing */
    const char *range;   /* how it says a range: kinds, the first that applies; NULL: not at all */
    const char *section; /* that the table's source names */
    bool leaf;           /* the form for leaf entries alone */
    struct row_removal removes[8];
    unsigned n; /* of those */

    /* what it is for */
    const char *platform;
    struct test_setting settings[3];
    struct xinv_attachment at;
    struct xinv_request request;
    const char *with;   /* ops that the plan has besides, joined by blanks; NULL: none */
    const char *fields; /* NAME=VALUE joined by blanks that some command of that name has */
};

/*
 * row_check - the table has precisely this row, its source names the section, and the request is
 * answered by it and no others than `with`
 */
void row_check(const struct row_line *line);

/*
 * row_translate - what xinv_translate() says of the line's request
 * @words, @n: room for the words, and how many there are; both NULL: count only
 */
int row_translate(const struct row_line *line, uint64_t *words, uint32_t *n);

/* row_check_all - the table has no row that none of these lines is about */
void row_check_all(const char *vendor, const struct row_line *lines, size_t n);

/* row_check_none - no row of the table has one of these names; NULL ends them */
void row_check_none(const char *vendor, const char *const *names);

#endif
