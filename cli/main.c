// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv: prints the host commands behind a guest's invalidations. */
#include <string.h>
#include <xinv/xinv.h>

#include "cli/cli.h"
#include "cli/platform.h"

static const struct cli_command *const commands[] = {
    &cli_replay, &cli_translate, &cli_explain, &cli_matrix, &cli_verify, &cli_platforms,
    &cli_check,  &cli_decode,    &cli_encode,  &cli_filter, &cli_caps};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
    printf("usage: xinv COMMAND [OPTION...]\n\n"
           "Turns what a guest asks of a virtio-iommu into the commands that make a real IOMMU\n"
           "forget stale translations, and says what else they remove.\n\ncommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    printf("\n'xinv COMMAND --help' describes a command; 'xinv --version' names the version.\n"
           "exit status: 0 done; 1 an input is wrong or an output cannot be written; 2 usage\n");
}

int main(int argc, char **argv)
{
    const char *name = argv[1];

    if (argc < 2)
        return cli_fail(CLI_USAGE, "no command; see xinv --help");
    if (!strcmp(name, "--version")) {
        printf("xinv %s\n", xinv_version());
        return cli_flush();
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_help();
        return cli_flush();
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        int status;

        if (strcmp(name, commands[i]->name))
            continue;
        status = cli_platform_files_read(commands[i], argc - 2, argv + 2);
        if (!status)
            status = commands[i]->run(commands[i], argc - 2, argv + 2);
        cli_platform_files_free();
        if (status)
            return status;
        return cli_flush();
    }
    return cli_fail(CLI_USAGE, "unknown command '%s'; see xinv --help", name);
}
