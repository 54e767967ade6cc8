// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * One list in the making: the part of it that is at work, and the plans of that part's shapes.
 * core/request.c checks it, core/plan.c plans it, core/translate.c emits it.
 */
#ifndef XINV_CORE_PLANNER_H
#define XINV_CORE_PLANNER_H

#include "core/cover.h"
#include "core/range.h"
#include "core/translate.h"

/* A shape that was planned: the rows that the policy chose, and what their operands are. */
struct xinv_plan {
    uint32_t blocks; /* commands for one attachment; saturates */
    uint32_t key;
    uint16_t listed; /* rows that must go out for every live value of a tag, a bit each */
    uint8_t n;
    uint8_t
        cut_policy; /* enum xinv_policy_kind; exact where the caller's own cannot say the range */
    xinv_choice row[XINV_MAX_ROWS];
};

struct xinv_prepared;
struct xinv_emit;

/*
 * Plans for no range in particular: in place of a cut, every row that can say a range at all takes
 * one block for it, and those of `rows` take `blocks`.
 */
struct xinv_assumed {
    uint64_t rows;
    uint32_t blocks;
    bool on;
};

#define XINV_MAX_SENT \
    16 /* of one phase that are remembered; what else comes twice goes out twice */

/* A command that went out for the whole device TLB of an endpoint, or of one of its PASIDs. */
struct xinv_whole {
    uint32_t rid;
    uint32_t pasid;
    uint8_t row;
    uint8_t times;
};

#define XINV_MAX_WHOLES 8 /* that are remembered; what else is too much goes out */

#define XINV_PLANS 8 /* shapes that are remembered at once; more are planned again */

struct xinv_planner {
    const struct xinv_iommu *iommu;
    const struct xinv_command_def *commands; /* the vendor's */
    struct xinv_parts *parts;
    struct xinv_policy policy;
    int error;       /* the first that planning met */
    unsigned phases; /* mask of those that some part needs */
    bool several;    /* parts */
    /* commands that went out in this phase */
    uint8_t n_sent;        /* for these attachments */
    uint8_t n_sent_before; /* of those, by parts before this one */
    uint64_t sent_bare;    /* rows without operands, a bit each */
    /* the part at work, and its plans */
    uint8_t next_plan;
    uint8_t blocks; /* XINV_POLICY_AT_MOST */
    bool ranged;
    const struct xinv_plan *held; /* keeps its place while another shape is planned */
    const struct xinv_attachment *at;
    const struct xinv_attachment *end;
    struct xinv_request request;
    uint64_t extra_pages;
    struct xinv_report report;
    /* takes a prepared list's commands in place of words: xinv_prepared_add(), by pointer so that
     * who prepares nothing does without it; NULL: words go out */
    void (*record)(struct xinv_prepared *list, struct xinv_emit *emit, unsigned row, unsigned times,
                   const struct xinv_cut_request *cut, const struct xinv_operands *op);
    struct xinv_prepared *list;
    struct xinv_assumed assumed;
    /* those without a range that went out for every attachment of a shape, by its key */
    uint32_t sent_key[XINV_MAX_SENT];
    xinv_choice sent_row[XINV_MAX_SENT];
    uint8_t n_wholes; /* in this phase */
    struct xinv_whole wholes[XINV_MAX_WHOLES];
    struct xinv_plan plans[XINV_PLANS];
};

/* ---- Checks: 0 or -XINV_E_* ---- */

int xinv_request_check(const struct xinv_request *request, const struct xinv_policy *policy);

/* xinv_planner_check - the tags of the request and its attachments, as wide as this IOMMU's; the
 * report says what an error is about */
int xinv_planner_check(struct xinv_planner *p);

/* xinv_planner_normalise - the granule and whether there is a range, in one form */
void xinv_planner_normalise(struct xinv_planner *p);

/* ---- Plans ---- */

/* xinv_plan_part - plans every attachment; adds the most commands that can come of them, each once
 */
int xinv_plan_part(struct xinv_planner *p, uint64_t *most_commands);

/* xinv_plan_limit - the most blocks that the policy takes of any of a plan's rows */
uint64_t xinv_plan_limit(const struct xinv_planner *p, const struct xinv_plan *plan);

/*
 * xinv_plan_holds - is an assumed plan the best for every range that its rows say in 1 to `blocks`
 * blocks, however few the others take?
 * A plan's commands are a sum over its rows. Rows that two plans share count in both alike, so one
 * plan is dearest beside another where its own rows take the most blocks and all others the fewest:
 * if it is chosen there, it is chosen everywhere. A row that could have other operands, and another
 * number of commands with them, is not counted alike: then nothing is said but of one block.
 */
bool xinv_plan_holds(struct xinv_planner *p, const struct xinv_attachment *at,
                     const struct xinv_plan *plan, uint32_t blocks);

/* xinv_plan_of - the plan of an attachment; NULL if the request is not about it, or with p->error.
 * Cannot fail once xinv_plan_part() has passed. Valid until another shape is planned, unless held.
 */
const struct xinv_plan *xinv_plan_of(struct xinv_planner *p, const struct xinv_attachment *at);

static inline unsigned xinv_plan_phase(const struct xinv_planner *p, const struct xinv_plan *plan,
                                       unsigned j)
{
    return p->commands[xinv_choice_row(plan->row[j])].phase;
}

/* xinv_plan_operands - what a row's words carry for an attachment; the rest is 0 */
void xinv_plan_operands(const struct xinv_planner *p, const struct xinv_attachment *at,
                        xinv_choice choice, struct xinv_operands *op);

/* xinv_plan_same_operands - do two commands of one row name the same tags? */
bool xinv_plan_same_operands(const struct xinv_operands *a, const struct xinv_operands *b);

/* xinv_input_tag - which kind of address a request's range is for an attachment: ADDRESS or IPA */
static inline unsigned xinv_input_tag(const struct xinv_request *r,
                                      const struct xinv_attachment *at)
{
    bool ipa = at->stage == XINV_STAGE_STAGE2 ||
               (!(r->flags & XINV_REQ_INVALIDATE) && r->change == XINV_CHANGE_STAGE2_PTE);

    return ipa ? XINV_TAG_IPA : XINV_TAG_ADDRESS;
}

/* xinv_address_top - the last address that a tag (ADDRESS, IPA) can name; where the table gives no
 * width, the last of all */
static inline uint64_t xinv_address_top(const struct xinv_iommu *iommu, unsigned tag)
{
    uint8_t bits = iommu->tag_bits[tag];

    return bits ? xinv_low_bits(bits) : UINT64_MAX;
}

/* xinv_plan_cut - how a row would say the range. There is nothing above the last address that it
 * can name. */
void xinv_plan_cut(const struct xinv_planner *p, unsigned row, uint8_t policy,
                   struct xinv_cut_request *cut);

/* xinv_plan_repeats - how often one command goes out in place (XINV_REPEAT_COMMAND) for an endpoint
 * with these quirks, or a phase with its sync */
unsigned xinv_plan_repeats(const struct xinv_planner *p, uint8_t quirks, unsigned phase,
                           uint8_t unit);

#endif
