// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command_input.h"

#define MOST_BYTES (16u << 20) /* of a file of commands */
#define MOST_SHOWN 8           /* survivors that are shown one by one */
#define MOST_PAGES 16          /* of a range, one by one */

int verdict_open(struct verdict *v, const struct xinv_iommu *iommu)
{
    memset(v, 0, sizeof(*v));
    if (model_config_of(&v->config, iommu))
        return cli_fail(CLI_INPUT, "%s: %s", iommu->platform->name,
                        iommu->target
                            ? "a kernel takes these commands; the model knows what hardware does"
                            : "no model of its vendor");
    model_run_init(&v->run, &v->config);
    return CLI_OK;
}

void verdict_close(struct verdict *v)
{
    model_run_free(&v->run);
    model_bench_free(&v->bench);
}

/* ---- A file of commands ------------------------------------------------------------------------
 */

/* `word` alone on a line */
static bool is_word(const char *line, const char *word)
{
    size_t n = strlen(word);

    line += strspn(line, " \t");
    return !strncmp(line, word, n) && !line[n + strspn(line + n, " \t\r")];
}

/* One line without its comment; CLI_OK, or CLI_INPUT after a complaint. */
static int take_line(struct verdict *v, const char *path, unsigned number, const char *line)
{
    const struct command_input in = {.n_words = v->config.words,
                                     .traces = v->config.vendor == MODEL_VTD};
    uint64_t words[XINV_COMMAND_WORDS];
    unsigned column;
    int ret;

    if (is_word(line, "wait")) {
        model_run_wait(&v->run);
        return CLI_OK;
    }
    if (is_word(line, "register")) {
        model_run_register(&v->run);
        return CLI_OK;
    }
    ret = command_input_line(&in, line, words, &column);
    if (ret > 0)
        model_run_words(&v->run, words, in.n_words);
    if (ret >= 0)
        return CLI_OK;
    return cli_fail(
        CLI_INPUT, "%s:%u:%u: not a command; expected %u words in hexadecimal%s, wait or register",
        path, number, column, in.n_words, in.traces ? ", a qi_submit or vtd_inv_desc line" : "");
}

int verdict_read(struct verdict *v, const char *path)
{
    char reason[160];
    size_t size;
    char *text = cli_read(path, MOST_BYTES, &size, reason, sizeof(reason));
    unsigned number = 0;
    int status = CLI_OK;

    if (!text)
        return cli_fail(CLI_INPUT, "%s: %s", path, reason);
    for (char *line = text, *next; line && !status; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        line[strcspn(line, "#")] = 0;
        number++;
        status = take_line(v, path, number, line);
    }
    free(text);
    return status;
}

/* ---- The verdict -------------------------------------------------------------------------------
 */

void verdict_judge(struct verdict *v, const struct xinv_attachment *attachments, size_t n,
                   const struct xinv_request *request, const struct xinv_report *report)
{
    model_check(&v->bench, &v->run, attachments, n, request, report, MOST_PAGES, &v->result);
}

bool verdict_is_clean(const struct verdict *v)
{
    return v->result.finding == MODEL_CLEAN;
}

static const char *const fates[] = {"gone", "missed", "pending", "refilled"};

/* Of entries of one kind that fare alike, such as the pages of a range, the first is shown. */
static bool shown_before(const struct verdict *v, size_t i)
{
    const struct model_entry *e = &v->bench.stale.at[i];

    for (size_t k = 0; k < i; k++) {
        const struct model_entry *other = &v->bench.stale.at[k];

        if (v->bench.verdicts[k].fate == v->bench.verdicts[i].fate && other->cache == e->cache &&
            other->kind == e->kind && other->rid == e->rid && other->tagged == e->tagged &&
            other->global == e->global && other->pasid == e->pasid && other->asid == e->asid &&
            other->did == e->did && other->vmid == e->vmid && other->absent == e->absent)
            return true;
    }
    return false;
}

static void print_reasons(const struct verdict *v, size_t i)
{
    const struct model_verdict *verdict = &v->bench.verdicts[i];
    const struct model_entry *e = &v->bench.stale.at[i];
    char text[160];

    for (size_t k = 0; k < v->run.n; k++) {
        const struct model_command *c = &v->run.commands[k];
        const char *miss = model_miss(&v->config, c, e);

        if (!c->sync)
            printf("      %zu %s: %s\n", k + 1, c->name, miss ? miss : "removes it");
    }
    if (verdict->fate == MODEL_PENDING)
        printf("      nothing tells when that is done\n");
    if (verdict->fate == MODEL_REFILLED)
        printf("      but it may come back, from a %s\n      that is not known to be gone by "
               "then\n",
               model_entry_text(&v->config, &v->bench.stale.at[verdict->by], text, sizeof(text)));
}

void verdict_print(const struct verdict *v)
{
    size_t shown = 0;

    if (v->run.illegal)
        printf("command %zu, %s: %s: the queue stops there\n", v->run.illegal_at + 1,
               v->run.commands[v->run.illegal_at].name, v->run.illegal);
    if (!v->result.survivors) {
        printf("%zu kind%s of stale entries, none survives\n", v->result.stale,
               cli_s(v->result.stale));
        return;
    }
    printf("%zu of %zu stale entries can survive:\n", v->result.survivors, v->result.stale);
    for (size_t i = 0; i < v->bench.stale.n; i++) {
        char text[160];

        if (v->bench.verdicts[i].fate == MODEL_GONE || shown_before(v, i))
            continue;
        if (shown++ == MOST_SHOWN) {
            printf("  and more\n");
            return;
        }
        printf("  %s\n", model_entry_text(&v->config, &v->bench.stale.at[i], text, sizeof(text)));
        print_reasons(v, i);
    }
}

static void add_survivor(const struct verdict *v, size_t i, cJSON *survivors)
{
    const struct model_verdict *verdict = &v->bench.verdicts[i];
    const struct model_entry *e = &v->bench.stale.at[i];
    cJSON *item = json_object();
    cJSON *commands;
    char text[160];

    json_add_text(item, "entry", model_entry_text(&v->config, e, text, sizeof(text)));
    json_add_text(item, "fate", fates[verdict->fate]);
    if (verdict->fate == MODEL_REFILLED)
        json_add_text(
            item, "refilled_from",
            model_entry_text(&v->config, &v->bench.stale.at[verdict->by], text, sizeof(text)));
    commands = json_add_array(item, "commands");
    for (size_t k = 0; k < v->run.n; k++) {
        const struct model_command *c = &v->run.commands[k];
        const char *miss = model_miss(&v->config, c, e);
        cJSON *command;

        if (c->sync)
            continue;
        command = json_object();
        json_add_count(command, "index", k);
        json_add_text(command, "name", c->name);
        json_add_bool(command, "removes", !miss);
        if (miss)
            json_add_text(command, "because", miss);
        json_append(commands, command);
    }
    json_append(survivors, item);
}

cJSON *verdict_json(const struct verdict *v)
{
    cJSON *item = json_object();
    cJSON *survivors;

    json_add_bool(item, "clean", verdict_is_clean(v));
    json_add_count(item, "stale", v->result.stale);
    json_add_count(item, "surviving", v->result.survivors);
    if (v->run.illegal) {
        cJSON *illegal = json_add_object(item, "illegal");

        json_add_count(illegal, "index", v->run.illegal_at);
        json_add_text(illegal, "because", v->run.illegal);
    }
    survivors = json_add_array(item, "survivors");
    for (size_t i = 0; i < v->bench.stale.n; i++)
        if (v->bench.verdicts[i].fate != MODEL_GONE && !shown_before(v, i))
            add_survivor(v, i, survivors);
    return item;
}
