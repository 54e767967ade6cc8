// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/matrix.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command_text.h"
#include "cli/explanation.h"
#include "cli/reason.h"

const char *matrix_vendor(const struct xinv_platform *platform)
{
    return cli_vendor_tables(platform->vendor)->title;
}

size_t matrix_vendor_end(const struct matrix *m, size_t first)
{
    size_t end = first;

    while (end < m->n_platforms &&
           !strcmp(m->platforms[end]->vendor->name, m->platforms[first]->vendor->name))
        end++;
    return end;
}

void matrix_value(const struct matrix_cell *cell, char *text, size_t size)
{
    char tags[120];

    if (cell->widened)
        snprintf(text, size, "widened: %s", cli_tags(cell->widened, tags, sizeof(tags)));
    else if (cell->brief)
        snprintf(text, size, "impossible: %s", cell->reason);
    else
        snprintf(text, size, "%s", cell->status);
}

static char *take(struct text *text)
{
    char *copy = cli_copy(text_of(text));

    text_free(text);
    return copy;
}

static void add_command(const struct xinv_iommu *iommu, const uint64_t *words, struct text *text)
{
    struct xinv_decoded d;

    if (xinv_decode(iommu, words, &d) == -XINV_E_NOENT)
        d = (struct xinv_decoded){.name = "?"};
    text_add(text, "%s%s", text->n ? "\n" : "", d.name);
    for (unsigned i = 0; i < d.n_fields; i++)
        text_add(text, " %s=0x%" PRIx64, d.fields[i].name, d.fields[i].value);
}

static char *steps_of(const struct translation *t)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    struct text text = {0};

    for (uint32_t i = 0; i < t->out.n_steps; i++) {
        const struct xinv_step *step = &t->out.steps[i];
        uint64_t words[XINV_COMMAND_WORDS];

        if (step->kind == XINV_STEP_REGISTER)
            text_add(&text, "%s%s: register +0x%x, poll +0x%x", text.n ? "\n" : "",
                     iommu->vendor->commands[step->row].name, step->reg, step->poll_reg);
        if (step->kind == XINV_STEP_WAIT)
            text_add(&text, "%s(wait for completion)", text.n ? "\n" : "");
        for (uint32_t at = step->first;
             step->kind == XINV_STEP_QUEUE && at < step->first + step->count; at += iommu->words) {
            command_text_load(iommu, &t->out, at, words);
            add_command(iommu, words, &text);
        }
    }
    return take(&text);
}

/* Why the tags of a widened cell are lost. */
static void add_lost(const struct translation *t, const struct xinv_explained *e,
                     struct reason *all)
{
    for (unsigned k = 0; k < e->shape.n; k++) {
        uint8_t lost = xinv_explained_lost(&t->request.iommu, e, k);

        for (unsigned tag = 0; tag < XINV_NTAGS; tag++) {
            struct reason reason = {0};

            if (!(lost >> tag & 1))
                continue;
            reason_lost(&t->request.iommu, &t->request.request, t->request.at[e->at].stage, e, k,
                        (uint8_t)(1u << tag), &reason);
            text_add(&all->text, "%s%s in %s: %s", all->text.n ? "\n" : "", reason_tag(tag),
                     schema_cache_names[e->shape.need[k].cache], text_of(&reason.text));
            text_item(&all->source, "\n", text_of(&reason.source));
            reason_free(&reason);
        }
    }
}

static void fill_cell(const struct translation *t, struct matrix_cell *cell)
{
    struct reason reason = {0};

    *cell = (struct matrix_cell){.status = explanation_status(t)};
    if (t->ret < 0) {
        reason_find(t, &reason);
        cell->brief = reason.brief;
        cell->steps = cli_copy("");
    } else {
        cell->steps = steps_of(t);
        cell->rows = t->report.rows;
        cell->commands = t->report.commands - t->report.syncs;
        cell->syncs = t->report.syncs;
        cell->registers = translation_registers(t);
        cell->widened = t->report.widened;
        for (unsigned i = 0; i < t->explanation->n; i++)
            add_lost(t, &t->explanation->shape[i], &reason);
    }
    cell->reason = take(&reason.text);
    cell->source = take(&reason.source);
}

/* A platform that takes nothing answers nothing. */
static void fill_absent(struct matrix *m, size_t p)
{
    for (size_t k = 0; k < m->n_kinds; k++)
        m->cells[k * m->n_platforms + p] =
            (struct matrix_cell){.status = "impossible",
                                 .brief = "no form",
                                 .steps = cli_copy(""),
                                 .reason = cli_copy(m->platforms[p]->absent),
                                 .source = cli_copy(cli_platform_source(m->platforms[p]))};
}

int matrix_fill(struct matrix *m)
{
    static struct translation t;
    static struct xinv_explanation explanation;
    struct request *r = &t.request;

    t.explanation = &explanation;
    m->cells = cli_alloc(m->n_kinds * m->n_platforms, sizeof(*m->cells));
    for (size_t p = 0; p < m->n_platforms; p++) {
        int ret = xinv_iommu_init(&r->iommu, m->platforms[p], NULL, NULL, 0);

        if (ret == -XINV_E_NOFORM) {
            fill_absent(m, p);
            continue;
        }
        if (ret)
            return cli_fail(CLI_INPUT, "%s: %s", m->platforms[p]->name, xinv_strerror(ret));
        r->platform = m->platforms[p];
        r->n = 1;
        for (size_t k = 0; k < m->n_kinds; k++) {
            r->kind = m->kinds[k];
            cli_kind_request(r->kind, &r->iommu, &r->at[0], &r->request);
            (void)translation_run(&t);
            fill_cell(&t, &m->cells[k * m->n_platforms + p]);
        }
    }
    translation_free(&t);
    return CLI_OK;
}

void matrix_free(struct matrix *m)
{
    for (size_t i = 0; m->cells && i < m->n_kinds * m->n_platforms; i++) {
        free(m->cells[i].reason);
        free(m->cells[i].source);
        free(m->cells[i].steps);
    }
    free(m->cells);
    free(m->kinds);
    free(m->platforms);
    *m = (struct matrix){0};
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static cJSON *cell_json(const struct matrix *m, size_t k, size_t p)
{
    const struct matrix_cell *cell = matrix_at(m, k, p);
    const struct xinv_vendor *v = m->platforms[p]->vendor;
    cJSON *item = json_object();

    json_add_text(item, "platform", m->platforms[p]->name);
    json_add_text(item, "kind", m->kinds[k]->name);
    json_add_text(item, "status", cell->status);
    json_add_tags(item, "widened", cell->widened);
    json_add_count(item, "commands", cell->commands);
    json_add_count(item, "registers", cell->registers);
    json_add_count(item, "syncs", cell->syncs);
    reason_add_rows(item, "rows", v, cell->rows);
    json_add_text(item, "reason", cell->reason);
    json_add_text(item, "source", cell->source);
    return item;
}

void matrix_print_json(const struct matrix *m)
{
    cJSON *all = json_object();
    cJSON *array = json_add_array(all, "platforms");

    for (size_t p = 0; p < m->n_platforms; p++) {
        cJSON *item = json_object();

        json_add_text(item, "platform", m->platforms[p]->name);
        json_add_text(item, "vendor", m->platforms[p]->vendor->name);
        json_add_text(item, "title", m->platforms[p]->title);
        json_append(array, item);
    }
    array = json_add_array(all, "kinds");
    for (size_t k = 0; k < m->n_kinds; k++) {
        cJSON *item = json_object();

        json_add_text(item, "kind", m->kinds[k]->name);
        json_add_text(item, "text", m->kinds[k]->text);
        json_append(array, item);
    }
    array = json_add_array(all, "cells");
    for (size_t k = 0; k < m->n_kinds; k++)
        for (size_t p = 0; p < m->n_platforms; p++)
            json_append(array, cell_json(m, k, p));
    json_print(all, true);
    cJSON_Delete(all);
}
