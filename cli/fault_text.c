// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/fault_text.h"

#include <inttypes.h>
#include <stdio.h>

static void need_text(const struct xinv_iommu *iommu, const struct xinv_cond *need, char *text,
                      size_t size)
{
    static const char *const signs[] = {
        [XINV_COND_EQ] = "=", [XINV_COND_NE] = "!=", [XINV_COND_GE] = ">=", [XINV_COND_LT] = "<"};
    const char *name = iommu->vendor->features[need->feature].name;

    if (need->op == XINV_COND_NE && !need->value)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "%s %s %u", name, signs[need->op], need->value);
}

const char *fault_text(const struct xinv_iommu *iommu, const struct xinv_fault *fault, char *text,
                       size_t size)
{
    const char *field = fault->field ? fault->field : "";
    char need[64];

    switch (fault->kind) {
    case XINV_FAULT_NONE:
        snprintf(text, size, "nothing is wrong");
        break;
    case XINV_FAULT_OPCODE:
        snprintf(text, size, "no command has this opcode");
        break;
    case XINV_FAULT_RESERVED:
        snprintf(text, size, "bit %u of word %u is reserved", fault->bit, fault->word);
        break;
    case XINV_FAULT_FEATURE:
        need_text(iommu, &fault->need, need, sizeof(need));
        snprintf(text, size, "%s%sneeds %s", field, *field ? " " : "", need);
        break;
    case XINV_FAULT_LIMIT:
        snprintf(text, size, "%s is above 0x%" PRIx64, field, fault->limit);
        break;
    case XINV_FAULT_WIDTH:
        snprintf(text, size, "%s does not fit; its bits are 0x%" PRIx64, field, fault->limit);
        break;
    case XINV_FAULT_FIELD:
        snprintf(text, size, "%s: %s", field, fault->rule ? fault->rule : "no such field");
        break;
    default: /* XINV_FAULT_RULE */
        snprintf(text, size, "%s%s%s", field, *field ? ": " : "", fault->rule);
        break;
    }
    return text;
}

size_t fault_json(const struct xinv_iommu *iommu, const struct xinv_fault *fault, char *text,
                  size_t size)
{
    static const char *const kinds[] = {
        [XINV_FAULT_NONE] = "none",         [XINV_FAULT_OPCODE] = "opcode",
        [XINV_FAULT_RESERVED] = "reserved", [XINV_FAULT_FEATURE] = "feature",
        [XINV_FAULT_LIMIT] = "limit",       [XINV_FAULT_RULE] = "rule",
        [XINV_FAULT_FIELD] = "field",       [XINV_FAULT_WIDTH] = "width"};
    char words[160];
    int n = snprintf(text, size, "{\"kind\":\"%s\"", kinds[fault->kind]);

    /* no name or rule has a character that JSON escapes */
    if (fault->field)
        n += snprintf(text + n, size - (size_t)n, ",\"field\":\"%s\"", fault->field);
    if (fault->kind == XINV_FAULT_RESERVED)
        n += snprintf(text + n, size - (size_t)n, ",\"word\":%u,\"bit\":%u", fault->word,
                      fault->bit);
    if (fault->kind == XINV_FAULT_FEATURE)
        n += snprintf(text + n, size - (size_t)n, ",\"feature\":\"%s\"",
                      iommu->vendor->features[fault->need.feature].name);
    if (fault->kind == XINV_FAULT_LIMIT)
        n += snprintf(text + n, size - (size_t)n, ",\"limit\":\"0x%" PRIx64 "\"", fault->limit);
    n += snprintf(text + n, size - (size_t)n, ",\"text\":\"%s\",\"hardware\":\"%s\"}",
                  fault_text(iommu, fault, words, sizeof(words)),
                  xinv_hardware_text(fault->hardware));
    return (size_t)n;
}
