// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/platform.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "core/backend.h"
#include "schema/load.h"

static void names(char *text, size_t size)
{
    const struct xinv_platform *p;
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", p->name);
}

static void append(struct cli_platforms *list, const struct xinv_platform *platform)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i] == platform)
            return;
    list->at = cli_grow(list->at, list->n + 1, sizeof(*list->at));
    list->at[list->n++] = platform;
}

int cli_platforms_add(const struct cli_command *command, struct cli_platforms *list,
                      const char *name)
{
    const struct xinv_platform *p = xinv_platform_find(name);
    char text[2048];

    if (p) {
        append(list, p);
        return CLI_OK;
    }
    if (strcmp(name, "all")) {
        names(text, sizeof(text));
        return cli_misuse(command, "no platform '%s'; known are all, %s", name, text);
    }
    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL; i++)
        append(list, p);
    return CLI_OK;
}

int cli_set_feature(const struct cli_command *command, const struct xinv_vendor *vendor,
                    const char *text, struct xinv_setting *setting)
{
    const char *equals = strchr(text, '=');
    char name[64];
    uint64_t value;
    int feature;

    if (!equals || equals == text || (size_t)(equals - text) >= sizeof(name))
        return cli_misuse(command, "'%s' is not NAME=VALUE", text);
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    feature = xinv_feature_find(vendor, name);
    if (feature < 0)
        return cli_misuse(command, "%s has no feature '%s'", vendor->name, name);
    if (!cli_number(equals + 1, UINT16_MAX, &value))
        return cli_misuse(command, "'%s' is no value of %s; it takes 0 to 65535", equals + 1, name);
    setting->feature = (uint8_t)feature;
    setting->value = (uint16_t)value;
    return CLI_OK;
}

int cli_policy(const struct cli_command *command, const char *text, struct xinv_policy *policy)
{
    uint64_t blocks;

    policy->kind = XINV_POLICY_EXACT;
    policy->blocks = 0;
    if (!strcmp(text, "exact"))
        return CLI_OK;
    if (!strcmp(text, "latency")) {
        policy->kind = XINV_POLICY_LATENCY;
        return CLI_OK;
    }
    if (!strncmp(text, "at-most:", 8) && cli_number(text + 8, XINV_MAX_BLOCKS, &blocks) && blocks) {
        policy->kind = XINV_POLICY_AT_MOST;
        policy->blocks = (uint8_t)blocks;
        return CLI_OK;
    }
    return cli_misuse(command, "'%s' is no policy; exact, latency or at-most:1 to at-most:%d", text,
                      XINV_MAX_BLOCKS);
}

/* ---- xinv platforms -----------------------------------------------------------------------------
 */

static const struct cli_option options[] = {
    {"json", NULL, "one JSON document"},
    {NULL, NULL, NULL},
};

static void print_text(void)
{
    const struct xinv_platform *p;
    int width = 0;

    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL; i++)
        if ((int)strlen(p->name) > width)
            width = (int)strlen(p->name);
    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL; i++)
        printf("%-*s  %-6s  %s\n", width, p->name, p->vendor->name, p->title);
}

static cJSON *platform_json(const struct xinv_platform *p)
{
    const struct xinv_vendor *v = p->vendor;
    cJSON *item = json_object();
    cJSON *map;
    struct xinv_iommu iommu;

    json_add_text(item, "platform", p->name);
    json_add_text(item, "vendor", v->name);
    json_add_text(item, "title", p->title);
    if (xinv_iommu_init(&iommu, p, NULL, NULL, 0))
        return item;
    map = json_add_object(item, "registers");
    for (unsigned i = 0; i < v->n_registers; i++)
        json_add_hex(map, v->registers[i], p->registers[i]);
    map = json_add_object(item, "features");
    for (unsigned i = 0; i < v->n_features; i++)
        json_add_count(map, v->features[i].name, iommu.feature[i]);
    map = json_add_object(item, "tag_bits");
    for (unsigned t = 0; t < XINV_NTAGS; t++)
        if (iommu.tag_bits[t])
            json_add_count(map, schema_tag_names[t], iommu.tag_bits[t]);
    map = json_add_array(item, "stages");
    for (unsigned i = 0; schema_stage_names[i]; i++)
        if (iommu.stages & XINV_STAGE_BIT(i))
            json_append_text(map, schema_stage_names[i]);
    json_add_count(item, "command_bytes", iommu.words * 8u);
    return item;
}

static void print_json(const struct cli_platforms *list)
{
    cJSON *array = json_array();

    for (size_t i = 0; i < list->n; i++)
        json_append(array, platform_json(list->at[i]));
    json_print(array, true);
    cJSON_Delete(array);
}

/* One platform as a page: what its registers say, and what follows. */
static void print_page(const struct xinv_platform *p)
{
    const struct xinv_vendor *v = p->vendor;
    struct xinv_iommu iommu;
    int column = 0;

    printf("%s: %s\n", p->name, p->title);
    printf("vendor     %s\n", v->name);
    for (unsigned i = 0; i < v->n_registers; i++)
        printf("register   %-8s 0x%" PRIx64 "\n", v->registers[i], p->registers[i]);
    if (xinv_iommu_init(&iommu, p, NULL, NULL, 0))
        return;
    printf("stages    ");
    for (unsigned i = 0; schema_stage_names[i]; i++)
        if (iommu.stages & XINV_STAGE_BIT(i))
            printf(" %s", schema_stage_names[i]);
    printf("\ntags      ");
    for (unsigned t = 0; t < XINV_NTAGS; t++)
        if (iommu.tag_bits[t])
            printf(" %s:%u", schema_tag_names[t], iommu.tag_bits[t]);
    printf("\nfeatures  ");
    for (unsigned i = 0; i < v->n_features; i++) {
        if (column > 60)
            printf("\n          ");
        column = column > 60 ? 0 : column;
        column += printf(" %s=%u", v->features[i].name, iommu.feature[i]);
    }
    printf("\ncommands  ");
    column = 0;
    for (unsigned i = 0; i < v->n_commands; i++) {
        if (!(iommu.commands >> i & 1) || v->commands[i].leaf)
            continue;
        if (column > 60)
            printf("\n          ");
        column = column > 60 ? 0 : column;
        column += printf(" %s", v->backend->op_names[v->commands[i].op]);
    }
    printf("\n");
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cli_args args = {.command = command, .argc = argc, .argv = argv};
    struct cli_platforms list = {0};
    const char *value;
    bool json = false;
    int option;
    int status = CLI_OK;

    while (!status && (option = cli_next(&args, &value)) != CLI_END) {
        if (option == CLI_HELP || option == CLI_BAD) {
            free(list.at);
            return option == CLI_HELP ? CLI_OK : CLI_USAGE;
        }
        if (option == CLI_OPERAND)
            status = cli_platforms_add(command, &list, value);
        else
            json = true;
    }
    if (!status && json) {
        if (!list.n)
            status = cli_platforms_add(command, &list, "all");
        print_json(&list);
    } else if (!status && list.n) {
        for (size_t i = 0; i < list.n; i++) {
            if (i)
                printf("\n");
            print_page(list.at[i]);
        }
    } else if (!status) {
        print_text();
    }
    free(list.at);
    return status;
}

const struct cli_command cli_platforms = {
    .name = "platforms",
    .operands = "[NAME...]",
    .summary = "Lists the built-in platforms; with names, what each of them can do.",
    .options = options,
    .run = run,
};
