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
 * cli_platforms_add - the platform of that name, or every built-in one for "all"
 * returns: CLI_OK, or CLI_USAGE after a complaint that lists the names
 */
int cli_platforms_add(const struct cli_command *command, struct cli_platforms *list,
                      const char *name);

/* cli_set_feature - NAME=VALUE as a setting of that vendor; CLI_OK or CLI_USAGE */
int cli_set_feature(const struct cli_command *command, const struct xinv_vendor *vendor,
                    const char *text, struct xinv_setting *setting);

/* The option that every command with a policy has. */
#define CLI_MAX_COMMANDS_OPTION                                                              \
    {                                                                                        \
        "max-commands", "N", "a wider scope beyond this many commands for one tag and cache" \
    }

/* cli_policy - exact, latency or at-most:K; CLI_OK or CLI_USAGE */
int cli_policy(const struct cli_command *command, const char *text, struct xinv_policy *policy);

#endif
