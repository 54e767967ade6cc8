// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/replay_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct columns {
    int platform;
    int topology;
    int policy; /* 0: no such column, since there is one policy for all */
};

static void print_head(const struct capture *c, const struct replay_result *r)
{
    printf("%s: %" PRIu64 " request%s (", c->name, r->n_requests, cli_s(r->n_requests));
    for (unsigned i = 1, first = 1; i <= REPLAY_KINDS; i++) {
        unsigned kind = i % REPLAY_KINDS;

        if (!r->requests[kind])
            continue;
        printf("%s%" PRIu64 " %s", first ? "" : ", ", r->requests[kind], replay_kind_names[kind]);
        first = 0;
    }
    printf(") under %zu kick%s%s\n", c->kicks, cli_s(c->kicks),
           r->batch ? ", those of a kick together" : "");
}

static int by_count(const void *x, const void *y)
{
    const struct replay_name *a = x;
    const struct replay_name *b = y;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return strcmp(a->name, b->name);
}

void replay_sort_names(struct replay_result *r)
{
    if (r->names.n)
        qsort(r->names.at, r->names.n, sizeof(*r->names.at), by_count);
    if (r->unmap_names.n)
        qsort(r->unmap_names.at, r->unmap_names.n, sizeof(*r->unmap_names.at), by_count);
}

static void print_titles(const struct columns *c)
{
    printf("%-*s  %-*s  ", c->platform, "platform", c->topology, "topology");
    if (c->policy)
        printf("%-*s  ", c->policy, "policy");
    printf("%9s %9s %9s  %11s  %11s  %-11s  %s\n", "commands", "syncs", "bytes", "pages asked",
           "pages extra", "responses", "commands by name");
}

static void print_row(const struct columns *c, struct replay_result *r)
{
    char extra[32];
    char responses[32];

    printf("%-*s  %-*s  ", c->platform, r->platform->name, c->topology, r->topology->name);
    if (c->policy)
        printf("%-*s  ", c->policy, r->policy);
    if (*r->refused) {
        printf("not possible: %s\n", r->refused);
        return;
    }
    if (r->unbounded)
        snprintf(extra, sizeof(extra), "unbounded");
    else
        snprintf(extra, sizeof(extra), "%" PRIu64, r->pages_extra);
    if (r->responses_equal == r->n_requests)
        snprintf(responses, sizeof(responses), "all equal");
    else
        snprintf(responses, sizeof(responses), "%" PRIu64 " differ",
                 r->n_requests - r->responses_equal);
    printf("%9" PRIu64 " %9" PRIu64 " %9" PRIu64 "  %11" PRIu64 "  %11s  %-11s  ", r->commands,
           r->syncs, r->bytes, r->pages_asked, extra, responses);
    for (size_t i = 0; i < r->names.n; i++)
        printf("%s%" PRIu64 " %s", i ? ", " : "", r->names.at[i].count, r->names.at[i].name);
    if (r->registers)
        printf("; %" PRIu64 " register step%s", r->registers, cli_s(r->registers));
    if (r->unbounded)
        printf("; address given up in %" PRIu64 " %s%s", r->unbounded,
               r->batch ? "list" : "request", cli_s(r->unbounded));
    if (r->early)
        printf("; %" PRIu64 " list%s ended early", r->early, cli_s(r->early));
    printf("\n");
}

/* ---- One topology: a row per platform, with everything --------------------------------------- */

static void print_rows(const struct columns *c, struct replay_result *results, size_t n)
{
    print_titles(c);
    for (size_t i = 0; i < n; i++)
        print_row(c, &results[i]);
}

/* ---- Several topologies: a row per platform, a column per topology ----------------------------
 */

static void cell_text(const struct replay_result *r, char *text, size_t size)
{
    if (*r->refused)
        snprintf(text, size, "-");
    else if (r->unbounded)
        snprintf(text, size, "%" PRIu64 " %" PRIu64 " all", r->commands, r->syncs);
    else
        snprintf(text, size, "%" PRIu64 " %" PRIu64 " %" PRIu64, r->commands, r->syncs,
                 r->pages_extra);
}

/* Results stand topology by topology; the platform's row p has result [t * platforms + p]. */
static void print_grid(const struct columns *c, struct replay_result *results, size_t n,
                       size_t topologies)
{
    size_t platforms = n / topologies;

    printf(
        "Each cell: commands, syncs among them, pages removed beyond those asked for (all: where\n"
        "the address had to be given up); -: the platform lacks the stage, device TLBs or bypass.\n\n");
    printf("%-*s", c->platform, "platform");
    for (size_t t = 0; t < topologies; t++)
        printf("  %20s", results[t * platforms].topology->name);
    printf("\n");
    for (size_t p = 0; p < platforms; p++) {
        printf("%-*s", c->platform, results[p].platform->name);
        for (size_t t = 0; t < topologies; t++) {
            char text[80];

            cell_text(&results[t * platforms + p], text, sizeof(text));
            printf("  %20s", text);
        }
        printf("\n");
    }
}

/* Every response as the recorded device gave it? Silence where all are. */
static void print_differences(const struct replay_result *results, size_t n)
{
    uint64_t differ = 0;
    uint64_t all = 0;

    for (size_t i = 0; i < n; i++) {
        all += results[i].n_requests;
        differ += results[i].n_requests - results[i].responses_equal;
    }
    printf("\n%" PRIu64 " response%s, %" PRIu64 " differ%s from the recorded ones\n", all,
           cli_s(all), differ, differ == 1 ? "s" : "");
}

void replay_print(const struct capture *capture, struct replay_result *results, size_t n,
                  size_t topologies)
{
    struct columns c = {8, 8, 0};

    for (size_t i = 0; i < n; i++) {
        if (strcmp(results[i].policy, results[0].policy) != 0)
            c.policy = 10; /* at-most:16 */
        if ((int)strlen(results[i].platform->name) > c.platform)
            c.platform = (int)strlen(results[i].platform->name);
        if ((int)strlen(results[i].topology->name) > c.topology)
            c.topology = (int)strlen(results[i].topology->name);
    }
    for (size_t i = 0; i < n; i++)
        if (!*results[i].refused) {
            print_head(capture, &results[i]);
            break;
        }
    if (topologies == 1) {
        print_rows(&c, results, n);
    } else {
        print_grid(&c, results, n, topologies);
        print_differences(results, n);
    }
}

static void add_names(cJSON *map, const struct replay_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        json_add_count(map, names->at[i].name, names->at[i].count);
}

cJSON *replay_result_json(const struct replay_result *r)
{
    cJSON *item = json_object();
    cJSON *map;
    uint8_t widened = 0;

    json_add_text(item, "platform", r->platform->name);
    json_add_text(item, "vendor", r->platform->vendor->name);
    json_add_text(item, "topology", r->topology->name);
    json_add_text(item, "policy", r->policy);
    if (*r->refused) {
        json_add_text(item, "error", r->refused);
        return item;
    }
    map = json_add_object(item, "requests");
    for (unsigned i = 1; i <= REPLAY_KINDS; i++)
        if (r->requests[i % REPLAY_KINDS])
            json_add_count(map, replay_kind_names[i % REPLAY_KINDS], r->requests[i % REPLAY_KINDS]);
    json_add_count(map, "total", r->n_requests);
    map = json_add_object(item, "responses");
    json_add_count(map, "equal", r->responses_equal);
    json_add_count(map, "different", r->n_requests - r->responses_equal);
    json_add_count(item, "errors", r->errors);
    map = json_add_object(item, "commands");
    add_names(map, &r->names);
    json_add_count(map, "total", r->commands);
    json_add_count(item, "syncs", r->syncs);
    json_add_count(item, "lists", r->lists);
    if (r->batch)
        json_add_count(item, "early", r->early);
    map = json_add_object(item, "unmaps");
    json_add_count(map, "lists", r->unmap_lists);
    json_add_count(map, "syncs", r->unmap_syncs);
    add_names(json_add_object(map, "commands"), &r->unmap_names);
    json_add_count(item, "registers", r->registers);
    json_add_count(item, "bytes", r->bytes);
    json_add_count(item, "pages_asked", r->pages_asked);
    if (r->unbounded)
        json_add_text(item, "pages_extra", "unbounded");
    else
        json_add_count(item, "pages_extra", r->pages_extra);
    json_add_count(item, "requests_unbounded", r->unbounded);
    for (unsigned t = 0; t < XINV_NTAGS; t++)
        widened |= (uint8_t)((r->widened[t] != 0) << t);
    json_add_tags(item, "widened", widened);
    json_add_caches(item, "must_beyond", r->must_beyond);
    json_add_caches(item, "may_beyond", r->may_beyond);
    return item;
}
