// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/command_source.h"

#include <string.h>

#include "cli/command_input.h"

int command_source_operand(const struct cli_command *command, struct command_source *source,
                           const char *value)
{
    if (!strcmp(value, "-"))
        source->standard_input = true;
    else if (source->n == COMMAND_SOURCE_OPERANDS)
        return cli_misuse(command, "more than %d words; longer input comes from -",
                          COMMAND_SOURCE_OPERANDS);
    else
        source->operands[source->n++] = value;
    return CLI_OK;
}

int command_source_check(const struct cli_command *command, const struct command_source *source)
{
    int places = (source->n != 0) + source->standard_input + (source->bin != NULL);

    if (places > 1)
        return cli_misuse(command, "commands come from operands, from - or from --bin");
    if (!places)
        return cli_misuse(command, "no command is given");
    return CLI_OK;
}

/* Words of one command after another, or lines that hold a whole one each. */
static int each_operand(const struct cli_command *command, const struct command_source *source,
                        unsigned n_words, bool traces,
                        void (*take)(void *context, const uint64_t *words), void *context)
{
    const struct command_input word = {.n_words = 1};
    const struct command_input line = {.n_words = n_words, .traces = traces};
    uint64_t words[COMMAND_SOURCE_OPERANDS * XINV_COMMAND_WORDS];
    unsigned n = 0;
    unsigned column;

    for (unsigned i = 0; i < source->n; i++) {
        const char *text = source->operands[i];

        if (n % n_words == 0 && command_input_line(&line, text, &words[n], &column) > 0)
            n += n_words;
        else if (command_input_line(&word, text, &words[n], &column) > 0)
            n++;
        else
            return cli_misuse(command, "'%s' is no word; expected hexadecimal digits", text);
    }
    if (n % n_words)
        return cli_misuse(command, "the last command has %u of %u words", n % n_words, n_words);
    for (unsigned i = 0; i < n; i += n_words)
        take(context, &words[i]);
    return CLI_OK;
}

static int each_of_stream(const struct command_source *source, unsigned n_words, bool traces,
                          void (*take)(void *context, const uint64_t *words), void *context)
{
    struct command_input in = {.name = "-", .n_words = n_words, .traces = traces, .f = stdin};
    uint64_t words[XINV_COMMAND_WORDS] = {0};
    int ret;

    if (source->bin && command_input_bytes(&in, source->bin))
        return CLI_INPUT;
    while ((ret = command_input_next(&in, words)) > 0)
        take(context, words);
    command_input_close(&in);
    return ret ? CLI_INPUT : CLI_OK;
}

int command_source_each(const struct cli_command *command, const struct command_source *source,
                        unsigned n_words, bool traces,
                        void (*take)(void *context, const uint64_t *words), void *context)
{
    return source->n ? each_operand(command, source, n_words, traces, take, context)
                     : each_of_stream(source, n_words, traces, take, context);
}
