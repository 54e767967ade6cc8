// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The matrix as one page (its form is cli/matrix.html). The table is there without scripts; what a
 * cell shows when it is chosen stands beside it as data, once for all cells that show the same.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/embedded.h"
#include "cli/matrix.h"
#include "cli/reason.h"

struct page {
    const struct matrix *m;
    char **details; /* as JSON */
    size_t n_details;
    size_t *detail; /* per cell */
};

/* ---- Details -----------------------------------------------------------------------------------
 */

static void add_lines(cJSON *to, const char *key, const char *lines)
{
    cJSON *array = json_add_array(to, key);

    while (*lines) {
        size_t n = strcspn(lines, "\n");
        struct text text = {0};

        text_add(&text, "%.*s", (int)n, lines);
        json_append_text(array, text_of(&text));
        text_free(&text);
        lines += n + (lines[n] == '\n');
    }
}

static char *detail_of(const struct xinv_vendor *v, const struct matrix_cell *cell)
{
    cJSON *item = json_object();
    struct text text = {0};
    char value[2048];
    char *made;
    char *copy;

    matrix_value(cell, value, sizeof(value));
    text_add(&text, "%s", cell->brief ? "impossible" : value);
    if (!cell->brief && strcmp(cell->status, "nothing") != 0)
        text_add(&text, ", %u command%s and %u sync%s", cell->commands, cli_s(cell->commands),
                 cell->syncs, cli_s(cell->syncs));
    if (cell->registers)
        text_add(&text, ", + register");
    json_add_text(item, "status", cell->status);
    json_add_text(item, "value", text_of(&text));
    text_free(&text);
    add_lines(item, "steps", cell->steps);
    add_lines(item, "reason", cell->reason);
    add_lines(item, "source", cell->source);
    reason_add_rows(item, "rows", v, cell->rows);
    made = cJSON_PrintUnformatted(item);
    copy = cli_copy(made ? made : "{}");
    cJSON_free(made);
    cJSON_Delete(item);
    return copy;
}

static void collect(struct page *page)
{
    const struct matrix *m = page->m;

    page->detail = cli_alloc(m->n_kinds * m->n_platforms, sizeof(*page->detail));
    for (size_t i = 0; i < m->n_kinds * m->n_platforms; i++) {
        char *own = detail_of(m->platforms[i % m->n_platforms]->vendor, &m->cells[i]);
        size_t d = 0;

        while (d < page->n_details && strcmp(page->details[d], own) != 0)
            d++;
        page->detail[i] = d;
        if (d < page->n_details) {
            free(own);
            continue;
        }
        page->details = cli_grow(page->details, d + 1, sizeof(*page->details));
        page->details[page->n_details++] = own;
    }
}

/* ---- Pieces ------------------------------------------------------------------------------------
 */

static void escaped(const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", stdout);
            break;
        case '<':
            fputs("&lt;", stdout);
            break;
        case '>':
            fputs("&gt;", stdout);
            break;
        case '"':
            fputs("&quot;", stdout);
            break;
        default:
            putchar(*text);
            break;
        }
}

/* JSON inside a script element must not end it. */
static void escaped_json(const char *text)
{
    for (; *text; text++)
        if (*text == '<')
            fputs("\\u003c", stdout);
        else
            putchar(*text);
}

/* Calls `each` for the first platform of every vendor. */
static void each_vendor(const struct page *page,
                        void (*each)(const struct page *page, size_t first, size_t count))
{
    const struct matrix *m = page->m;

    for (size_t first = 0, end; first < m->n_platforms; first = end) {
        end = matrix_vendor_end(m, first);
        each(page, first, end - first);
    }
}

static void print_rule(const struct page *page, size_t first, size_t count)
{
    const char *name = page->m->platforms[first]->vendor->name;

    (void)count;
    printf("body:has(#show-%s:checked) [data-v]:not([data-v=\"%s\"]) { display: none; }\n", name,
           name);
}

static void print_choice(const struct page *page, size_t first, size_t count)
{
    const struct xinv_platform *p = page->m->platforms[first];

    printf("<input type=\"radio\" name=\"show\" id=\"show-%s\"><label for=\"show-%s\">",
           p->vendor->name, p->vendor->name);
    escaped(matrix_vendor(p));
    printf(" (%zu)</label>\n", count);
}

static void print_vendor(const struct page *page, size_t first, size_t count)
{
    const struct xinv_platform *p = page->m->platforms[first];

    printf("<th scope=\"colgroup\" colspan=\"%zu\" data-v=\"%s\"><span>", count, p->vendor->name);
    escaped(matrix_vendor(p));
    printf("</span></th>\n");
}

static void print_cell(const struct page *page, size_t k, size_t p)
{
    const struct matrix *m = page->m;
    const struct matrix_cell *cell = matrix_at(m, k, p);
    char text[2048];

    matrix_value(cell, text, sizeof(text));
    printf("<td class=\"%s\" data-v=\"%s\"><button type=\"button\" data-cell=\"%zu %zu %zu\" "
           "title=\"",
           cell->status, m->platforms[p]->vendor->name, k, p, page->detail[k * m->n_platforms + p]);
    escaped(m->kinds[k]->name);
    printf(", ");
    escaped(m->platforms[p]->name);
    printf(": ");
    escaped(text);
    if (cell->source[0]) {
        printf(" [");
        escaped(cell->source);
        printf("]");
    }
    printf("\">");
    if (cell->brief) {
        printf("<small>");
        escaped(cell->brief);
        printf("</small>");
    } else if (!strcmp(cell->status, "nothing")) {
        printf("<small>nothing</small>");
    } else {
        printf("<b>%u</b>", cell->commands);
        if (cell->registers)
            printf("<small>+ register</small>");
        if (cell->widened)
            printf("<small>%s</small>", cli_tags(cell->widened, text, sizeof(text)));
    }
    printf("</button></td>\n");
}

static void print_table(const struct page *page)
{
    const struct matrix *m = page->m;

    printf("<table>\n<thead>\n<tr><th class=\"corner\" rowspan=\"2\" scope=\"col\">Kind of "
           "request</th>\n");
    each_vendor(page, print_vendor);
    printf("</tr>\n<tr>\n");
    for (size_t p = 0; p < m->n_platforms; p++) {
        printf("<th scope=\"col\" data-v=\"%s\" title=\"", m->platforms[p]->vendor->name);
        escaped(m->platforms[p]->title);
        printf("\"><span>");
        escaped(m->platforms[p]->name);
        printf("</span></th>\n");
    }
    printf("</tr>\n</thead>\n<tbody>\n");
    for (size_t k = 0; k < m->n_kinds; k++) {
        printf("<tr><th scope=\"row\"><code>");
        escaped(m->kinds[k]->name);
        printf("</code><small>");
        escaped(m->kinds[k]->text);
        printf("</small></th>\n");
        for (size_t p = 0; p < m->n_platforms; p++)
            print_cell(page, k, p);
        printf("</tr>\n");
    }
    printf("</tbody>\n</table>\n");
}

static void print_data(const struct page *page)
{
    const struct matrix *m = page->m;
    cJSON *all = json_object();
    cJSON *array = json_add_array(all, "kinds");
    char *text;

    for (size_t k = 0; k < m->n_kinds; k++) {
        cJSON *item = json_object();

        json_add_text(item, "kind", m->kinds[k]->name);
        json_add_text(item, "text", m->kinds[k]->text);
        json_append(array, item);
    }
    array = json_add_array(all, "platforms");
    for (size_t p = 0; p < m->n_platforms; p++) {
        cJSON *item = json_object();

        json_add_text(item, "platform", m->platforms[p]->name);
        json_add_text(item, "title", m->platforms[p]->title);
        json_add_text(item, "table", cli_vendor_tables(m->platforms[p]->vendor)->file);
        json_append(array, item);
    }
    array = json_add_array(all, "details");
    for (size_t d = 0; d < page->n_details; d++)
        json_append(array, cJSON_CreateRaw(page->details[d]));
    text = cJSON_PrintUnformatted(all);
    escaped_json(text ? text : "");
    cJSON_free(text);
    cJSON_Delete(all);
}

static void print_piece(const struct page *page, const char *name, size_t n)
{
    const struct matrix *m = page->m;

    if (!strncmp(name, "STYLE", n)) {
        each_vendor(page, print_rule);
    } else if (!strncmp(name, "INTRO", n)) {
        printf("%zu kinds of requests on %zu platform%s: which commands make the IOMMU forget what "
               "a change made stale, and what goes with it.",
               m->n_kinds, m->n_platforms, cli_s(m->n_platforms));
    } else if (!strncmp(name, "FILTER", n)) {
        printf("<input type=\"radio\" name=\"show\" id=\"show-all\" checked><label "
               "for=\"show-all\">All (%zu)</label>\n",
               m->n_platforms);
        each_vendor(page, print_choice);
    } else if (!strncmp(name, "TABLE", n)) {
        print_table(page);
    } else if (!strncmp(name, "DATA", n)) {
        print_data(page);
    } else {
        printf("Made by xinv %s.", xinv_version());
    }
}

void matrix_print_html(const struct matrix *m)
{
    struct page page = {.m = m};
    const struct cli_embedded *e = cli_embedded;
    const char *at;
    const char *end;

    while (e->name && strcmp(e->name, "cli/matrix.html") != 0)
        e++;
    collect(&page);
    at = (const char *)e->data;
    end = at + e->size;
    while (at < end) {
        const char *name = at;

        while (name < end && !(end - name > 2 && name[0] == '@' && name[1] == '@'))
            name++;
        fwrite(at, 1, (size_t)(name - at), stdout);
        if (name == end)
            break;
        name += 2;
        at = name + strcspn(name, "@");
        print_piece(&page, name, (size_t)(at - name));
        at += 2;
    }
    for (size_t d = 0; d < page.n_details; d++)
        free(page.details[d]);
    free(page.details);
    free(page.detail);
}
