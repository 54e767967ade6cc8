// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/translation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command_text.h"
#include "core/backend.h"
#include "schema/load.h"

int translation_run(struct translation *t)
{
    struct request *r = &t->request;

    do {
        if (t->out.cap_words < t->report.need_words || !t->out.words) {
            t->out.cap_words = t->report.need_words + 256;
            t->out.words = cli_grow(t->out.words, t->out.cap_words, sizeof(*t->out.words));
        }
        if (t->out.cap_steps < t->report.need_steps || !t->out.steps) {
            t->out.cap_steps = t->report.need_steps + 64;
            t->out.steps = cli_grow(t->out.steps, t->out.cap_steps, sizeof(*t->out.steps));
        }
        t->out.n_words = 0;
        t->out.n_steps = 0;
        t->ret = t->explanation ? xinv_explain(&r->iommu, r->at, r->n, &r->request, &r->policy,
                                               &r->completion, &t->out, &t->report, t->explanation)
                                : xinv_translate(&r->iommu, r->at, r->n, &r->request, &r->policy,
                                                 &r->completion, &t->out, &t->report);
    } while (t->ret == -XINV_E_NOSPACE);
    return t->ret;
}

void translation_free(struct translation *t)
{
    free(t->out.words);
    free(t->out.steps);
    t->out = (struct xinv_out){0};
}

/* What a negative ret means, and whom it is about. */
static void error_text(const struct translation *t, char *text, size_t size)
{
    const struct xinv_report *report = &t->report;
    size_t used = (size_t)snprintf(text, size, "%s", xinv_strerror(t->ret));

    if (report->at && used < size)
        used += (size_t)snprintf(text + used, size - used, "; attachments[%zu]",
                                 (size_t)(report->at - t->request.at));
    if (t->ret == -XINV_E_TAG && used < size)
        snprintf(text + used, size - used, ", %s: %u bit%s here", schema_tag_names[report->at_tag],
                 t->request.iommu.tag_bits[report->at_tag],
                 cli_s(t->request.iommu.tag_bits[report->at_tag]));
    if (t->ret == -XINV_E_MUST_BLOCK && used < size)
        snprintf(text + used, size - used, ", cache %s", schema_cache_names[report->at_cache]);
}

int translation_fail(const struct translation *t, const char *where)
{
    char text[200];

    error_text(t, text, sizeof(text));
    return cli_fail(CLI_INPUT, "%s: %s: %s", where, t->request.platform->name, text);
}

unsigned translation_registers(const struct translation *t)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < t->out.n_steps; i++)
        n += t->out.steps[i].kind == XINV_STEP_REGISTER;
    return n;
}

void translation_commands(const struct translation *t, struct text *text)
{
    const struct xinv_report *r = &t->report;
    unsigned registers = translation_registers(t);

    if (r->commands == 1)
        text_add(text, "1%s", r->syncs ? ", a sync" : "");
    else if (r->commands && !r->syncs)
        text_add(text, "%" PRIu32 ", no sync", r->commands);
    else if (r->commands)
        text_add(text, "%" PRIu32 ", %" PRIu32 " of them %s", r->commands, r->syncs,
                 r->syncs == 1 ? "a sync" : "syncs");
    else if (!registers)
        text_add(text, "none");
    if (registers)
        text_add(text, "%s%u register write%s", r->commands ? "; " : "", registers,
                 cli_s(registers));
}

void translation_extra(const struct xinv_report *report, struct text *text)
{
    if (report->extra_unbounded)
        text_add(text, "unbounded: the address was given up");
    else if (report->asked_pages)
        text_add(text, "%" PRIu64 " beyond the %" PRIu64 " asked (4 KiB)", report->extra_pages,
                 report->asked_pages);
    else
        text_add(text, "none: no range was asked");
}

void translation_beyond(const struct xinv_report *report, struct text *text)
{
    unsigned may = (unsigned)(report->may_beyond & ~report->must_beyond);

    if (report->must_beyond) {
        text_add(text, "certainly ");
        text_caches(text, report->must_beyond, "");
    }
    if (may) {
        text_add(text, "%spossibly ", report->must_beyond ? "; " : "");
        text_caches(text, may, "");
    }
    if (!report->must_beyond && !may)
        text_add(text, "nothing");
}

void translation_print(const struct translation *t)
{
    const struct xinv_report *r = &t->report;
    struct text commands = {0};
    struct text extra = {0};
    struct text beyond = {0};
    char text[200];

    request_text(&t->request, text, sizeof(text));
    printf("%s: %s\n", t->request.platform->name, text);
    command_text_steps(&t->request.iommu, &t->out, "    ");
    if (!t->out.n_steps)
        printf("    (no command is needed)\n");
    translation_commands(t, &commands);
    translation_extra(r, &extra);
    translation_beyond(r, &beyond);
    printf("commands       %s\n", text_of(&commands));
    printf("widened        %s\n", cli_tags(r->widened, text, sizeof(text)));
    printf("extra pages    %s\n", text_of(&extra));
    printf("also removed   %s\n", text_of(&beyond));
    text_free(&commands);
    text_free(&extra);
    text_free(&beyond);
}

static void add_report(cJSON *to, const struct translation *t)
{
    const struct xinv_report *r = &t->report;
    const struct xinv_vendor *v = t->request.iommu.vendor;
    cJSON *report = json_add_object(to, "report");
    cJSON *rows;

    json_add_count(report, "commands", r->commands);
    json_add_tags(report, "widened", r->widened);
    json_add_count(report, "asked_pages", r->asked_pages);
    if (r->extra_unbounded)
        json_add_text(report, "extra_pages", "unbounded");
    else
        json_add_count(report, "extra_pages", r->extra_pages);
    json_add_caches(report, "must_beyond", r->must_beyond);
    json_add_caches(report, "may_beyond", r->may_beyond);
    rows = json_add_array(report, "rows");
    for (unsigned i = 0; i < v->n_commands; i++)
        if (r->rows >> i & 1)
            json_append_text(rows, v->backend->op_names[v->commands[i].op]);
}

/* The steps in order; those of the queue stand in `commands`, so only their number is here. */
static void add_steps(cJSON *to, const struct translation *t, const cJSON *all)
{
    cJSON *steps = json_add_array(to, "steps");
    const struct xinv_iommu *iommu = &t->request.iommu;
    const cJSON *other = all->child;

    for (uint32_t i = 0; i < t->out.n_steps; i++) {
        const struct xinv_step *step = &t->out.steps[i];
        cJSON *item;

        if (step->kind != XINV_STEP_QUEUE) {
            while (cJSON_GetObjectItemCaseSensitive(other, "words"))
                other = other->next;
            json_append(steps, cJSON_Duplicate(other, 1));
            other = other->next;
            continue;
        }
        item = json_object();
        json_add_count(item, "queue", step->count / iommu->words);
        json_append(steps, item);
    }
}

cJSON *translation_json(const struct translation *t)
{
    cJSON *item = json_object();
    cJSON *all = json_array();
    cJSON *commands;

    json_add_text(item, "platform", t->request.platform->name);
    commands = json_add_array(item, "commands");
    command_json_steps(&t->request.iommu, &t->out, all, -1);
    add_steps(item, t, all);
    for (cJSON *next, *s = all->child; s; s = next) {
        next = s->next;
        if (cJSON_GetObjectItemCaseSensitive(s, "words"))
            json_append(commands, cJSON_DetachItemViaPointer(all, s));
    }
    cJSON_Delete(all);
    json_add_count(item, "syncs", t->report.syncs);
    add_report(item, t);
    return item;
}

void translation_add_id(cJSON *answer, const cJSON *request)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");

    if (id)
        cJSON_AddItemToObject(answer, "id", cJSON_Duplicate(id, 1));
}

/* ---- Lines -------------------------------------------------------------------------------------
 */

static const char *const codes[XINV_NERRORS] = {
    [XINV_E_INVAL] = "INVAL", [XINV_E_RANGE] = "RANGE",   [XINV_E_TAG] = "TAG",
    [XINV_E_NOENT] = "NOENT", [XINV_E_EXIST] = "EXIST",   [XINV_E_NOSPACE] = "NOSPACE",
    [XINV_E_NOMEM] = "NOMEM", [XINV_E_UNSUPP] = "UNSUPP", [XINV_E_MUST_BLOCK] = "MUST_BLOCK",
    [XINV_E_TABLE] = "TABLE", [XINV_E_AGAIN] = "AGAIN",
};

static cJSON *error_json(uint64_t line, const char *code, const char *path, const char *text)
{
    cJSON *item = json_object();
    cJSON *error = json_add_object(item, "error");

    json_add_count(error, "line", line);
    json_add_text(error, "code", code);
    json_add_text(error, "path", path);
    json_add_text(error, "text", text);
    return item;
}

static cJSON *answer(struct translation *t, uint64_t line, const cJSON *request)
{
    struct request_error error;
    char text[200];
    char path[64] = "";

    if (!cJSON_IsObject(request))
        return error_json(line, "JSON", "", "not JSON; expected one object");
    if (!request_read(&t->request, request, &error))
        return error_json(line, "REQUEST", error.path, error.text);
    if (translation_run(t) >= 0)
        return translation_json(t);
    error_text(t, text, sizeof(text));
    if (t->report.at)
        snprintf(path, sizeof(path), "attachments[%zu]", (size_t)(t->report.at - t->request.at));
    return error_json(line, codes[-t->ret], path, text);
}

struct lines {
    FILE *in;
    char buffer[1u << 16];
    size_t at;
    size_t n;
    int error; /* errno of a read */
};

/* Answers are passed on before the program waits for requests: a caller may want one first. */
static int next_byte(struct lines *lines)
{
    ssize_t n;

    if (lines->at < lines->n)
        return (unsigned char)lines->buffer[lines->at++];
    fflush(stdout);
    do
        n = read(fileno(lines->in), lines->buffer, sizeof(lines->buffer));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        lines->error = errno;
    if (n <= 0)
        return EOF;
    lines->n = (size_t)n;
    lines->at = 1;
    return (unsigned char)lines->buffer[0];
}

/*
 * Reads a line into text, without its end.
 * returns: its length; REQUEST_MAX_BYTES + 1 for one that is longer, read to its end; -1 at the
 *     end of the input
 */
static long read_line(struct lines *lines, char *text)
{
    long n = 0;
    int c;

    while ((c = next_byte(lines)) != EOF && c != '\n')
        if (n <= (long)REQUEST_MAX_BYTES)
            text[n++] = (char)c;
    if (c == EOF && !n)
        return -1;
    return n;
}

static cJSON *parse_line(const char *text, size_t n)
{
    if (n > REQUEST_MAX_BYTES || !json_is_text(text, n))
        return NULL;
    return cJSON_ParseWithOpts(text, NULL, 1);
}

int translation_lines(FILE *in)
{
    static struct translation t;
    static struct lines lines;
    char *text = cli_alloc(REQUEST_MAX_BYTES + 2, 1);
    uint64_t line = 0;
    long n;

    lines.in = in;
    while ((n = read_line(&lines, text)) >= 0) {
        cJSON *request;
        cJSON *item;

        line++;
        text[n] = '\0';
        if (strspn(text, " \t\r") == (size_t)n)
            continue;
        request = parse_line(text, (size_t)n);
        if (n > (long)REQUEST_MAX_BYTES)
            item = error_json(line, "JSON", "", "is longer than 1 MiB; one request fits in less");
        else
            item = answer(&t, line, request);
        translation_add_id(item, request);
        json_print(item, false);
        cJSON_Delete(item);
        cJSON_Delete(request);
        if (ferror(stdout))
            break;
    }
    free(text);
    translation_free(&t);
    if (lines.error)
        return cli_fail(CLI_INPUT, "standard input: cannot be read: %s", strerror(lines.error));
    return CLI_OK;
}
