// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/platform.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/table_file.h"
#include "cli/tables.h"
#include "core/backend.h"
#include "schema/load.h"

/* ---- Files -------------------------------------------------------------------------------------
 */

static struct table_file *files;
static size_t n_files;

static const struct xinv_platform *file_platform(size_t i)
{
    return files[i].platform ? &files[i].platform->table : NULL;
}

static void add_file(const char *path, enum table_kind kind)
{
    files = cli_grow(files, n_files + 1, sizeof(*files));
    files[n_files++] = (struct table_file){.path = path, .kind = kind};
}

static void list_files(const struct cli_command *command, int argc, char **argv)
{
    struct cli_args args = {.command = command, .argc = argc, .argv = argv, .quiet = true};
    const char *value;
    int option;

    while ((option = cli_next(&args, &value)) >= 0 || option == CLI_OPERAND) {
        if (option < 0)
            continue;
        if (!strcmp(command->options[option].name, "platform-file"))
            add_file(value, TABLE_PLATFORM);
        else if (!strcmp(command->options[option].name, "vendor-file"))
            add_file(value, TABLE_VENDOR);
    }
    if (option != CLI_END)
        cli_platform_files_free(); /* the command says what is wrong, or its help */
}

/* A platform's name stands for one of them. */
static void check_names(void)
{
    for (size_t i = 0; i < n_files; i++)
        for (size_t k = 0; k < i; k++)
            if (file_platform(i) && file_platform(k) && !strcmp(files[i].name, files[k].name)) {
                table_fail(&files[i], NULL, "platform: '%s' is the platform of %s as well",
                           files[i].name, files[k].path);
                break;
            }
}

static int complain(enum table_kind expected, const struct table_file *file)
{
    char text[1024];

    if (expected == TABLE_PLATFORM && file->kind == TABLE_VENDOR)
        return cli_fail(CLI_INPUT, "%s: is a vendor's table; expected a platform's file",
                        file->path);
    if (expected == TABLE_VENDOR && file->kind == TABLE_PLATFORM)
        return cli_fail(CLI_INPUT, "%s: is a platform's file; expected a vendor's table",
                        file->path);
    if (!file->failed)
        return CLI_OK;
    schema_error_format(&file->error, text, sizeof(text));
    return cli_fail(CLI_INPUT, "%s", text);
}

static int check_used(const struct cli_command *command)
{
    for (size_t i = 0; i < n_files; i++) {
        bool used = files[i].kind == TABLE_PLATFORM;

        for (size_t k = 0; !used && k < n_files; k++)
            used = files[k].tables == files[i].vendor;
        if (!used)
            return cli_misuse(command, "%s: no --platform-file names the vendor '%s'",
                              files[i].path, files[i].name);
    }
    return CLI_OK;
}

int cli_platform_files_read(const struct cli_command *command, int argc, char **argv)
{
    enum table_kind *kinds;
    int status = CLI_OK;

    list_files(command, argc, argv);
    if (!n_files)
        return CLI_OK;
    for (size_t i = 0; i < n_files; i++)
        if (!strcmp(files[i].path, "-")) {
            cli_platform_files_free();
            return cli_misuse(command, "a table is not read from standard input; name a file");
        }
    kinds = cli_alloc(n_files, sizeof(*kinds));
    for (size_t i = 0; i < n_files; i++)
        kinds[i] = files[i].kind;
    table_files_read(files, n_files);
    check_names();
    for (size_t i = 0; i < n_files; i++)
        if (complain(kinds[i], &files[i]))
            status = CLI_INPUT;
    free(kinds);
    if (!status)
        status = check_used(command);
    if (status)
        cli_platform_files_free();
    return status;
}

void cli_platform_files_free(void)
{
    table_files_free(files, n_files);
    files = NULL;
    n_files = 0;
}

/* ---- Names -------------------------------------------------------------------------------------
 */

const struct xinv_platform *cli_platform_find(const char *name)
{
    for (size_t i = 0; i < n_files; i++)
        if (file_platform(i) && !strcmp(files[i].name, name))
            return file_platform(i);
    return xinv_platform_find(name);
}

const struct xinv_platform *cli_platform_default(void)
{
    const struct xinv_platform *only = NULL;

    for (size_t i = 0; i < n_files; i++) {
        if (!file_platform(i))
            continue;
        if (only)
            return NULL;
        only = file_platform(i);
    }
    return only;
}

const struct xinv_vendor *cli_vendor_find(const char *name)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL; i++)
        if (!strcmp(p->vendor->name, name))
            return p->vendor;
    return NULL;
}

/* Every name, those of files first; one that a file took from a built-in platform stands once. */
static void names(char *text, size_t size)
{
    const struct xinv_platform *p;
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n_files && used < size; i++)
        if (file_platform(i))
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", files[i].name);
    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL && used < size; i++)
        if (cli_platform_find(p->name) == p)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", p->name);
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
    const struct xinv_platform *p = cli_platform_find(name);
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

const struct schema_vendor *cli_vendor_tables(const struct xinv_vendor *vendor)
{
    for (size_t i = 0; i < n_files; i++)
        if (files[i].vendor && &files[i].vendor->table == vendor)
            return files[i].vendor;
    return tables_vendor(vendor->name);
}

/* A platform's file, with what is not in the library; NULL: there is none. */
static const struct schema_platform *platform_prose(const struct xinv_platform *platform)
{
    for (size_t i = 0; i < n_files; i++)
        if (files[i].platform && &files[i].platform->table == platform)
            return files[i].platform;
    return xinv_platform_find(platform->name) == platform ? tables_platform(platform->name) : NULL;
}

const char *cli_platform_source(const struct xinv_platform *platform)
{
    const struct schema_platform *p = platform_prose(platform);

    return p ? p->source : "";
}

const char *cli_platform_cost_source(const struct xinv_platform *platform)
{
    const struct schema_platform *p = platform_prose(platform);

    return p ? p->cost_source : "";
}

void cli_platforms_add_files(struct cli_platforms *list)
{
    for (size_t i = 0; i < n_files; i++)
        if (file_platform(i))
            append(list, file_platform(i));
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

int cli_max_commands(const struct cli_command *command, const char *text,
                     struct xinv_policy *policy)
{
    uint64_t number = XINV_WORTH;

    if (strcmp(text, "cost") != 0 && (!cli_number(text, XINV_WORTH - 1, &number) || !number))
        return cli_misuse(command, "'%s' is no number of commands; expected 1 to 65534, or cost",
                          text);
    policy->max_commands = (uint16_t)number;
    return CLI_OK;
}

/* ---- xinv platforms -----------------------------------------------------------------------------
 */

enum {
    PLATFORM_FILE,
    VENDOR_FILE,
    JSON
};

static const struct cli_option options[] = {
    CLI_PLATFORM_FILE_OPTIONS,
    {"json", NULL, "one JSON document"},
    {NULL, NULL, NULL},
};

static void print_list(const struct cli_platforms *list)
{
    int width = 0;

    for (size_t i = 0; i < list->n; i++)
        if ((int)strlen(list->at[i]->name) > width)
            width = (int)strlen(list->at[i]->name);
    for (size_t i = 0; i < list->n; i++)
        printf("%-*s  %-6s  %s\n", width, list->at[i]->name, list->at[i]->vendor->name,
               list->at[i]->title);
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
    if (p->absent)
        json_add_text(item, "absent", p->absent);
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
    if (iommu.target)
        json_add_text(item, "target", schema_tag_names[__builtin_ctz(iommu.target)]);
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
    if (p->absent)
        printf("absent     %s\n", p->absent);
    if (xinv_iommu_init(&iommu, p, NULL, NULL, 0))
        return;
    if (iommu.target)
        printf("target     %s: a queue for each\n", schema_tag_names[__builtin_ctz(iommu.target)]);
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

struct settings {
    struct cli_platforms list;
    bool json;
};

static int take(const struct cli_command *command, void *context, int option, const char *value)
{
    struct settings *s = context;

    if (option == CLI_OPERAND)
        return cli_platforms_add(command, &s->list, value);
    s->json |= option == JSON; /* files are read before the command runs */
    return CLI_OK;
}

static int print(const struct cli_command *command, struct settings *s)
{
    bool named;

    cli_platforms_add_files(&s->list);
    named = s->list.n;
    if (!named && cli_platforms_add(command, &s->list, "all"))
        return CLI_USAGE;
    if (s->json)
        print_json(&s->list);
    else if (!named)
        print_list(&s->list);
    for (size_t i = 0; named && !s->json && i < s->list.n; i++) {
        printf("%s", i ? "\n" : "");
        print_page(s->list.at[i]);
    }
    return CLI_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.json = false};
    int status = cli_each(command, argc, argv, take, &s);

    if (!status)
        status = print(command, &s);
    free(s.list.at);
    return status == CLI_HELP ? CLI_OK : status;
}

const struct cli_command cli_platforms = {
    .name = "platforms",
    .operands = "[NAME...]",
    .summary = "Lists the built-in platforms; with names or files, what each of them can do.",
    .options = options,
    .run = run,
};
