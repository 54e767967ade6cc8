// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A command line's request: of options, each of which becomes the JSON that it abbreviates
 * (docs/json.md), or of a JSON file. */
#ifndef XINV_CLI_REQUEST_OPTIONS_H
#define XINV_CLI_REQUEST_OPTIONS_H

#include "cli/json.h"
#include "cli/platform.h"
#include "cli/request.h"

/* The options' indices; a command's own options follow. */
enum request_option {
    REQUEST_PLATFORM,
    REQUEST_PLATFORM_FILE,
    REQUEST_VENDOR_FILE,
    REQUEST_VENDOR,
    REQUEST_REGISTER,
    REQUEST_SET,
    REQUEST_KIND,
    REQUEST_ATTACH,
    REQUEST_CHANGE,
    REQUEST_FROM,
    REQUEST_INVALIDATE,
    REQUEST_INVALIDATE_BYTES,
    REQUEST_SCOPE,
    REQUEST_RANGE,
    REQUEST_LEAF_SIZE,
    REQUEST_SMALLEST_LEAF,
    REQUEST_GRANULE,
    REQUEST_LEAF_ONLY,
    REQUEST_GLOBAL,
    REQUEST_LEAVES_WITHIN,
    REQUEST_PASID,
    REQUEST_ASID,
    REQUEST_NEW_DID,
    REQUEST_ENUMERATED,
    REQUEST_BEYOND,
    REQUEST_POLICY,
    REQUEST_MAX_COMMANDS,
    REQUEST_COMPLETION,
    REQUEST_INPUT,
    REQUEST_N_OPTIONS
};

/* The first rows of a command's options. */
#define REQUEST_OPTIONS                                                                            \
    {"platform", "NAME", "a built-in platform (xinv platforms lists them)"},                       \
        CLI_PLATFORM_FILE_OPTIONS,                                                                 \
        {"vendor", "NAME", "smmuv3, vtd or amdvi: the IOMMU is given by its ID registers"},        \
        {"register", "NAME=VALUE", "an ID register's value"},                                      \
        {"set", "NAME=VALUE", "a feature's value, whatever the registers say"},                    \
        {"kind", "NAME", "one of the kinds that xinv matrix compares, for one endpoint"},          \
        {"attach", "KEY=VALUE,...", "an attachment, such as stage=stage2,rid=0x310,did=0x2a,ats"}, \
        {"change", "WHAT", "what software changed, such as stage2_pte or device_entry"},           \
        {"from", "STATE", "the entry's state before: present (default) or not_present"},           \
        {"invalidate", "CACHE,...", "an explicit request: iotlb, device_tlb, pasid_config, ..."},  \
        {"invalidate-bytes", "HEX|@FILE", "one as a struct iommu_cache_invalidate_info"},          \
        {"scope", "SCOPE",                                                                         \
         "of an explicit request: domain, pasid, address, endpoint or everything"},                \
        {"range", "FIRST..LAST", "addresses in bytes, both inclusive"},                            \
        {"leaf-size", "LOG2", "the largest leaf that was removed, as log2 of its bytes"},          \
        {"smallest-leaf", "LOG2", "the smallest leaf that was removed; goes with --leaf-size"},    \
        {"granule", "LOG2", "the page table's granule: 12, 14 or 16"},                             \
        {"leaf-only", NULL, "no table page was changed or freed"},                                 \
        {"global", NULL, "global entries may be among the stale ones"},                            \
        {"leaves-within", NULL, "no leaf that was removed reaches beyond the range"},              \
        {"pasid", "N", "the PASID that an explicit request names"},                                \
        {"asid", "N", "the ASID that an explicit request names"},                                  \
        {"new-did", "N", "the tag that the changed entry has now"},                                \
        {"enumerated", NULL, "the attachments are every live one of the IOMMU"},                   \
        {"beyond", NULL, "commands that reach other users' entries are allowed"},                  \
        {"policy", "POLICY", "exact (default), latency or at-most:K"}, CLI_MAX_COMMANDS_OPTION,    \
        {"completion", "HOW", "none (default), or of store=ADDRESS:DATA,interrupt,fence,drain"},   \
    {                                                                                              \
        "input", "FILE", "read the request as one JSON object (- for standard input)"              \
    }

/* What the values of these options look like, for a command's help. */
extern const char request_options_help[];

/* All zero at first. */
struct request_source {
    cJSON *request; /* as request_read() takes it, once request_source_read() is through */
    const char *input;
    bool options; /* say something of a request */
};

/* request_source_take - one of the options above; CLI_OK; CLI_USAGE or CLI_INPUT after a complaint
 */
int request_source_take(const struct cli_command *command, struct request_source *source,
                        int option, const char *value);

/*
 * request_source_read - the request, after the last option
 * returns: CLI_OK; CLI_USAGE or CLI_INPUT after a complaint
 */
int request_source_read(const struct cli_command *command, struct request_source *source,
                        struct request *request);

/* request_source_name - for complaints: the file, or "request" */
const char *request_source_name(const struct request_source *source);

void request_source_free(struct request_source *source);

#endif
