// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Platforms as the command line names them. */
#ifndef XINV_CLI_PLATFORM_H
#define XINV_CLI_PLATFORM_H

#include <xinv/xinv.h>

#include "cli/cli.h"

struct cli_platforms {
    const struct xinv_platform **at;
    size_t n;
};

/*
 * The options of every command that takes --platform. What they name is read before the command
 * runs, all of it or nothing: a command takes the options and need not look at them.
 */
#define CLI_PLATFORM_FILE_OPTIONS                                                               \
    {"platform-file", "FILE", "a platform's YAML file (schema/README.md); may be given again"}, \
    {                                                                                           \
        "vendor-file", "FILE", "the vendor's table that such a platform names, if not built in" \
    }

/*
 * cli_platform_files_read - reads what --platform-file and --vendor-file name on a command line
 * returns: CLI_OK; CLI_INPUT or CLI_USAGE after complaints, with nothing kept
 */
int cli_platform_files_read(const struct cli_command *command, int argc, char **argv);
void cli_platform_files_free(void);

/* cli_platform_find - the platform of a file, or else the built-in one; NULL if there is none */
const struct xinv_platform *cli_platform_find(const char *name);

/* cli_platform_default - the platform of the only --platform-file; NULL if there are none or more
 */
const struct xinv_platform *cli_platform_default(void);

/* cli_vendor_find - the table of a vendor that has built-in platforms; NULL if there is none */
const struct xinv_vendor *cli_vendor_find(const char *name);

struct schema_vendor;

/* cli_vendor_tables - the table behind a vendor of this run, with its prose */
const struct schema_vendor *cli_vendor_tables(const struct xinv_vendor *vendor);

/* cli_platform_source - where a platform's values come from; "" where that is not known */
/* cli_platform_cost_source - where its costs are from; "": it has none */
const char *cli_platform_cost_source(const struct xinv_platform *platform);
const char *cli_platform_source(const struct xinv_platform *platform);

/* cli_platforms_add_files - the platforms of all files, behind those that are in the list */
void cli_platforms_add_files(struct cli_platforms *list);

/*
 * cli_platforms_add - the platform of that name, or every built-in one for "all"
 * returns: CLI_OK, or CLI_USAGE after a complaint that lists the names
 */
int cli_platforms_add(const struct cli_command *command, struct cli_platforms *list,
                      const char *name);

/* cli_set_feature - NAME=VALUE as a setting of that vendor; CLI_OK or CLI_USAGE */
int cli_set_feature(const struct cli_command *command, const struct xinv_vendor *vendor,
                    const char *text, struct xinv_setting *setting);

/* The option that every command with a policy has. */
#define CLI_MAX_COMMANDS_OPTION                                                                   \
    {                                                                                             \
        "max-commands", "N|cost", "a wider scope beyond this many commands for one tag and cache" \
    }

/* cli_policy - exact, latency or at-most:K; CLI_OK or CLI_USAGE */
int cli_policy(const struct cli_command *command, const char *text, struct xinv_policy *policy);

/* cli_max_commands - the value of that option; CLI_OK or CLI_USAGE */
int cli_max_commands(const struct cli_command *command, const char *text,
                     struct xinv_policy *policy);

#endif
