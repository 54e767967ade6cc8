// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The loader of tables: what it makes of good files, and what it says of bad ones. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "schema/yaml.h"
#include "tests/support/yamlnode.h"

#define N(x) (sizeof(x) / sizeof((x)[0]))
#define DATA "tests/data/schema/"

static struct schema_vendor *small;

static const struct schema_vendor *find_small(void *context, const char *name)
{
    (void)context;
    return small && !strcmp(name, "small") ? small : NULL;
}

static void load_small(void)
{
    struct schema_error error;

    small = schema_vendor_load(DATA "small.yaml", &error);
    cr_assert_not_null(small, "%s", error.text);
}

static void free_small(void)
{
    schema_vendor_free(small);
    small = NULL;
}

/* What the loader says of a text as a vendor's file, or "" if it takes it. */
static const char *said_of(const char *text, size_t size)
{
    static char said[1024];
    struct schema_error error;
    struct schema_vendor *v = schema_vendor_parse("f.yaml", text, size, &error);

    said[0] = '\0';
    if (!v)
        schema_error_format(&error, said, sizeof(said));
    schema_vendor_free(v);
    return said;
}

/* ---- refused.yaml ---- */

static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *out = malloc(strlen(text) + strlen(to) + 1);

    cr_assert_not_null(at, "'%s' is not in the file", from);
    cr_assert_not_null(out);
    sprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

static void refuse(struct ynode c)
{
    const char *file = ystr(yget(c, "file"));
    struct schema_error error = {0};
    char path[200];
    char said[1024] = "(nothing)";
    size_t size;
    char *text;
    char *bad;
    bool refused;

    snprintf(path, sizeof(path), DATA "%s", file);
    text = schema_read_file(path, &size, &error);
    cr_assert_not_null(text);
    text[size] = '\0';
    bad = replaced(text, ystr(yget(c, "replace")), ystr(yget(c, "with")));
    if (!strcmp(file, "small.yaml")) {
        struct schema_vendor *v = schema_vendor_parse(file, bad, strlen(bad), &error);

        refused = !v;
        schema_vendor_free(v);
    } else {
        struct schema_platform *p =
            schema_platform_parse(file, bad, strlen(bad), find_small, NULL, &error);

        refused = !p;
        schema_platform_free(p);
    }
    if (refused)
        schema_error_format(&error, said, sizeof(said));
    cr_expect_str_eq(said, ystr(yget(c, "error")), "%s, %s: %s", ystr(yget(c, "group")),
                     ystr(yget(c, "name")), said);
    free(bad);
    free(text);
}

static void refuse_group(const char *group)
{
    yaml_document_t doc;
    struct ynode root;
    unsigned n = 0;

    yload(DATA "refused.yaml", &doc);
    root = yroot(&doc);
    for (size_t i = 0; i < ylen(root); i++)
        if (!strcmp(ystr(yget(yat(root, i), "group")), group)) {
            refuse(yat(root, i));
            n++;
        }
    cr_assert_gt(n, 0, "no case is of group %s", group);
    yaml_document_delete(&doc);
}

TestSuite(schema, .init = load_small, .fini = free_small);

Test(schema, unknown_and_repeated_keys_are_refused)
{
    refuse_group("keys");
}

Test(schema, missing_keys_are_refused)
{
    refuse_group("missing");
}

Test(schema, values_of_another_type_are_refused)
{
    refuse_group("types");
}

Test(schema, numbers_out_of_range_are_refused)
{
    refuse_group("numbers");
}

Test(schema, names_of_things_that_are_not_there_are_refused)
{
    refuse_group("references");
}

Test(schema, conditions_that_cannot_be_read_are_refused)
{
    refuse_group("conditions");
}

Test(schema, rows_that_make_no_sense_are_refused)
{
    refuse_group("sense");
}

Test(schema, yaml_that_tables_do_not_use_is_refused)
{
    refuse_group("yaml");
}

/* ---- Bytes and files ---- */

Test(schema, bytes_that_are_no_utf8_are_refused_where_they_stand)
{
    static const struct {
        const char *text;
        size_t size;
        const char *said;
    } cases[] = {
        {"vendor: a\ntitle: b\xff\n", 20,
         "f.yaml:2:9: not YAML in UTF-8: invalid leading UTF-8 octet"},
        {"vendor: \xc3\x28\n", 11, "f.yaml:1:10: not YAML in UTF-8: invalid trailing UTF-8 octet"},
        {"vendor: \xc3\xa4\xe4", 11,
         "f.yaml:1:10: not YAML in UTF-8: incomplete UTF-8 octet "
         "sequence"},
        {"vendor: \xc0\xaf\n", 11,
         "f.yaml:1:9: not YAML in UTF-8: invalid length of a UTF-8 "
         "sequence"},
        {"vendor: a\0b\n", 12,
         "f.yaml:1:10: not YAML in UTF-8: control characters are not "
         "allowed"},
        /* a byte-order mark of UTF-16 */
        {"\xff\xfe"
         "a\0",
         4, "f.yaml:1:1: not YAML in UTF-8: invalid leading UTF-8 octet"},
    };

    for (size_t i = 0; i < N(cases); i++)
        cr_expect_str_eq(said_of(cases[i].text, cases[i].size), cases[i].said, "case %zu: %s", i,
                         said_of(cases[i].text, cases[i].size));
}

Test(schema, a_byte_order_mark_of_utf8_is_taken)
{
    struct schema_error error;
    size_t size;
    char *text = schema_read_file(DATA "small.yaml", &size, &error);
    char *marked = malloc(size + 3);

    cr_assert(text && marked);
    memcpy(marked, "\xef\xbb\xbf", 3);
    memcpy(marked + 3, text, size);
    cr_expect_str_empty(said_of(marked, size + 3), "%s", said_of(marked, size + 3));
    free(marked);
    free(text);
}

Test(schema, a_file_without_a_table_is_refused)
{
    static const struct {
        const char *text;
        const char *said;
    } cases[] = {
        {"", "f.yaml:1:1: is empty; a table is a map"},
        {"\n\n# only a comment\n", "f.yaml:1:1: is empty; a table is a map"},
        {"---\n", "f.yaml:2:1: must be a map"},
        {"smmuv3\n", "f.yaml:1:1: must be a map"},
        {"- smmuv3\n", "f.yaml:1:1: must be a map"},
        {"{}\n", "f.yaml:1:1: vendor is missing"},
    };

    for (size_t i = 0; i < N(cases); i++)
        cr_expect_str_eq(said_of(cases[i].text, strlen(cases[i].text)), cases[i].said,
                         "case %zu: %s", i, said_of(cases[i].text, strlen(cases[i].text)));
}

static const char *said_of_file(const char *file)
{
    static char said[1024];
    struct schema_error error;
    struct schema_vendor *v = schema_vendor_load(file, &error);
    struct schema_error second;
    struct schema_platform *p = schema_platform_load(file, find_small, NULL, &second);

    cr_assert_null(v);
    cr_assert_null(p);
    cr_assert_str_eq(error.text, second.text, "both loaders say the same");
    schema_error_format(&error, said, sizeof(said));
    return said;
}

Test(schema, files_that_cannot_be_read_are_refused)
{
    cr_expect_str_eq(said_of_file("tests/data/schema/none.yaml"),
                     "tests/data/schema/none.yaml: cannot be opened: No such file or directory");
    cr_expect_str_eq(said_of_file("tests/data"), "tests/data: cannot be read: Is a directory");
}

Test(schema, a_file_of_more_than_1_mib_is_refused_before_it_is_parsed)
{
    char file[] = "/tmp/xinv-schema-XXXXXX";
    int fd = mkstemp(file);
    char expected[100];
    char *big = malloc(SCHEMA_MAX_BYTES + 1);

    cr_assert(fd >= 0 && big);
    /* a brace that never closes: parsed, it would be another error */
    memset(big, ' ', SCHEMA_MAX_BYTES + 1);
    big[0] = '{';
    cr_assert_eq(ftruncate(fd, SCHEMA_MAX_BYTES + 1), 0);
    close(fd);
    snprintf(expected, sizeof(expected), "%s: is larger than 1 MiB; a table fits in less", file);
    cr_expect_str_eq(said_of_file(file), expected);
    unlink(file);
    cr_expect_str_eq(said_of(big, SCHEMA_MAX_BYTES + 1),
                     "f.yaml: is larger than 1 MiB; a table fits in less");
    cr_expect_str_eq(said_of(big, SCHEMA_MAX_BYTES),
                     "f.yaml:2:1: not YAML: did not find expected node content");
    free(big);
}

Test(schema, references_that_multiply_are_refused_at_the_first_one)
{
    char bomb[2000] = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";

    for (char c = 'b'; c <= 'p'; c++)
        sprintf(bomb + strlen(bomb), "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c,
                c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
    cr_expect_str_eq(said_of(bomb, strlen(bomb)),
                     "f.yaml:1:4: anchors are not allowed; write the value out");
    cr_expect_str_eq(said_of("vendor: *a\n", 11),
                     "f.yaml:1:9: aliases are not allowed; write the value out");
}

/* Each of these is cheap to write and dear to whoever compares everything with everything. */
Test(schema, large_files_are_refused_quickly, .timeout = 120)
{
    static const char *const units[] = {"[",       "{a: ", "- ", "? ", "k: v\n",
                                        "\"k\": ", "a, ",  "!",  "&a "};
    char *big = malloc(SCHEMA_MAX_BYTES);

    cr_assert_not_null(big);
    for (size_t u = 0; u < N(units); u++) {
        size_t n = strlen(units[u]);

        for (size_t i = 0; i < SCHEMA_MAX_BYTES; i++)
            big[i] = units[u][i % n];
        cr_expect_str_not_empty(said_of(big, SCHEMA_MAX_BYTES), "%s", units[u]);
    }
    free(big);
}

Test(schema, many_keys_of_a_map_are_refused_before_they_are_compared, .timeout = 120)
{
    char *big = malloc(SCHEMA_MAX_BYTES);
    size_t n;

    cr_assert_not_null(big);
    n = (size_t)sprintf(big, "vendor: a\ntitle: a\nfirst_free_tag: 1\nfinal_sync: asked\n"
                             "registers: []\nfeatures:\n");
    for (unsigned i = 0; n + 12 < SCHEMA_MAX_BYTES; i++)
        n += (size_t)sprintf(big + n, " k%05x: 1\n", i);
    cr_expect_str_eq(said_of(big, n),
                     "f.yaml:7:2: features: has more than 256 keys; no map needs as many");
    free(big);
}

Test(schema, an_error_without_a_place_names_the_file_alone)
{
    struct schema_error error = {.file = "f", .text = "cannot be opened"};
    char text[64];

    schema_error_format(&error, text, sizeof(text));
    cr_expect_str_eq(text, "f: cannot be opened");
}

/* ---- What is read ---- */

static const struct xinv_removal_def *removal(unsigned row, unsigned i)
{
    return &small->table.removals[small->table.commands[row].removals.first + i];
}

Test(schema, a_row_with_a_leaf_form_becomes_two_rows)
{
    const struct xinv_vendor *t = &small->table;

    cr_assert_eq(t->n_commands, 5);
    cr_expect_eq(t->commands[1].leaf, 0);
    cr_expect_eq(t->commands[2].leaf, 1);
    cr_expect_str_eq(t->commands[2].name, "FLUSH");
    cr_expect_str_eq(small->op_names[2], "flush_page");
    cr_expect_eq(removal(1, 0)->classes, XINV_AXES_ALL);
    cr_expect_eq(removal(2, 0)->classes, XINV_AXES_ALL & ~XINV_LEVEL_WALK);
    /* keep_level: the leaf bit is not about this cache */
    cr_expect_eq(removal(2, 1)->classes, XINV_AXES_ALL & ~XINV_GLOBAL_YES);
    cr_expect_eq(removal(2, 1)->must, 1);
    cr_expect_eq(removal(2, 2)->must, 0);
}

Test(schema, ranges_keep_their_order_and_their_conditions)
{
    const struct xinv_vendor *t = &small->table;
    const struct xinv_range_def *r = &t->ranges[t->commands[1].ranges.first];

    cr_assert_eq(t->commands[1].ranges.count, 3);
    cr_expect_eq(r[0].kind, XINV_RANGE_SCALED);
    cr_expect_eq(r[0].max_order.base, 31);
    cr_expect_eq(r[0].max_order.feature, XINV_NO_FEATURE);
    cr_assert_eq(r[0].conds.count, 1);
    cr_expect_eq(t->conds[r[0].conds.first].feature, 1);
    cr_expect_eq(t->conds[r[0].conds.first].op, XINV_COND_GE);
    cr_expect_eq(t->conds[r[0].conds.first].value, 2);
    cr_expect_eq(r[1].kind, XINV_RANGE_POW2);
    cr_expect_eq(r[1].leaf_floor, 1);
    cr_expect_eq(r[1].max_order.times, 1);
    cr_expect_eq(r[1].max_order.feature, 2);
    cr_expect_eq(t->conds[r[1].conds.first].op, XINV_COND_EQ);
    cr_expect_eq(r[2].kind, XINV_RANGE_PAGE);
    cr_expect_eq(r[2].conds.count, 0);
}

Test(schema, an_axis_that_a_cache_does_not_list_has_its_first_value)
{
    const struct xinv_cache_def *c = small->table.caches;
    const unsigned plain =
        XINV_LEVEL_LEAF | XINV_GLOBAL_NO | XINV_PASID_UNTAGGED | XINV_PRESENT | XINV_REGIME_EL1;

    cr_expect_eq(c[XINV_CACHE_DEVICE_CONFIG].axes, plain | XINV_NOT_PRESENT);
    cr_expect_eq(c[XINV_CACHE_STAGE1].axes, plain | XINV_LEVEL_WALK | XINV_GLOBAL_YES);
    cr_expect_eq(c[XINV_CACHE_DEVICE_TLB].axes, plain | XINV_PASID_TAGGED);
    cr_expect_eq(c[XINV_CACHE_DEVICE_TLB].pasid_zero, 1);
    cr_expect_eq(c[XINV_CACHE_NESTED].present, 0);
}

Test(schema, operands_are_what_the_matches_say_unless_the_row_says_more)
{
    cr_expect_eq(small->table.commands[0].operands,
                 XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID));
    cr_expect_eq(small->table.commands[1].operands,
                 XINV_TAG_BIT(XINV_TAG_DID) | XINV_TAG_BIT(XINV_TAG_IPA));
}

Test(schema, a_pair_of_phases_replaces_the_default_order)
{
    cr_expect_eq(small->table.order[XINV_PHASE_CONFIG][XINV_PHASE_STAGE1], XINV_ORDER_FENCE);
    cr_expect_eq(small->table.order[XINV_PHASE_CONFIG][XINV_PHASE_DEVICE_TLB], XINV_ORDER_QUEUE);
}

Test(schema, rows_know_where_they_stand)
{
    cr_expect_eq(small->command_places[3].line, 82);
    cr_expect_eq(small->command_places[3].column, 3);
    cr_expect_str_eq(small->command_places[3].path, "commands[2]");
    cr_expect_str_eq(small->op_places[3].path, "commands[2].op");
    cr_expect_str_eq(small->need_places[1].path, "changes[0].needs[1]");
}

Test(schema, a_platform_has_its_registers_and_settings)
{
    struct schema_error error;
    struct schema_platform *p =
        schema_platform_load(DATA "small-platform.yaml", find_small, NULL, &error);

    cr_assert_not_null(p, "%s", error.text);
    cr_expect_eq(p->table.registers[0], 0x21);
    cr_expect_eq(p->table.registers[1], 9);
    cr_expect_eq(p->table.n_settings, 2);
    cr_expect_eq(p->table.settings[1].feature, 1);
    cr_expect_eq(p->table.settings[1].value, 15);
    cr_expect_eq(p->table.vendor, &small->table);
    schema_platform_free(p);
}

static const char *costs_of(const char *of_platform, const char *of_vendor,
                            struct xinv_costs *costs)
{
    static char source[100];
    char vendor_text[400];
    char text[400];
    struct schema_error error;
    struct schema_platform *p;
    struct schema_vendor *own = small;
    size_t size;
    char *file = schema_read_file(DATA "small.yaml", &size, &error);
    char *costly;

    cr_assert_not_null(file);
    file[size] = '\0'; /* there is room for one more byte than a table may have */
    snprintf(vendor_text, sizeof(vendor_text), "final_sync: asked\n%s", of_vendor);
    costly = replaced(file, "final_sync: asked\n", vendor_text);
    small = schema_vendor_parse("small.yaml", costly, strlen(costly), &error);
    cr_assert_not_null(small, "%s", error.text);
    snprintf(text, sizeof(text),
             "platform: p\ntitle: x\nvendor: small\nregisters: {CAP: 1, EXT: 9}\nsource: x\n%s",
             of_platform);
    p = schema_platform_parse("p.yaml", text, strlen(text), find_small, NULL, &error);
    cr_assert_not_null(p, "%s", error.text);
    *costs = p->table.costs;
    snprintf(source, sizeof(source), "%s", p->cost_source);
    schema_platform_free(p);
    schema_vendor_free(small);
    small = own;
    free(costly);
    free(file);
    return source;
}

Test(schema, a_platform_has_its_own_costs_or_those_of_its_vendor)
{
    static const char of_vendor[] =
        "costs: {command: 1, sync: 2, device_tlb: 3, refill: 4, source: v}\n";
    static const char of_platform[] =
        "costs: {command: 5, sync: 6, device_tlb: 7, refill: 65535, source: p}\n";
    struct xinv_costs costs;

    cr_expect_str_eq(costs_of("", "", &costs), "");
    cr_expect_eq(costs.command, 0);
    cr_expect_str_eq(costs_of("", of_vendor, &costs), "v");
    cr_expect_eq(costs.command, 1);
    cr_expect_eq(costs.sync, 2);
    cr_expect_eq(costs.device_tlb, 3);
    cr_expect_eq(costs.refill, 4);
    cr_expect_str_eq(costs_of(of_platform, of_vendor, &costs), "p");
    cr_expect_eq(costs.command, 5);
    cr_expect_eq(costs.refill, 65535);
}

/* ---- Damage ---- */

static uint64_t state;

static uint32_t dice(uint32_t sides)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % sides;
}

struct text {
    char *data;
    size_t size;
};

static size_t line_at(const struct text *t, size_t at)
{
    while (at && t->data[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(const struct text *t, size_t at)
{
    while (at < t->size && t->data[at] != '\n')
        at++;
    return at < t->size ? at + 1 : at;
}

/* A line of this file or of another one, in place of one of this file's, or before it. */
static void move_line(struct text *t, const struct text *from, bool keep)
{
    size_t at = line_at(t, dice((uint32_t)t->size));
    size_t end = keep ? at : line_end(t, at);
    size_t source = line_at(from, dice((uint32_t)from->size));
    size_t n = line_end(from, source) - source;
    char *made = malloc(t->size + n);

    cr_assert_not_null(made);
    memcpy(made, t->data, at);
    memcpy(made + at, from->data + source, n);
    memcpy(made + at + n, t->data + end, t->size - end);
    t->size = at + n + t->size - end;
    free(t->data);
    t->data = made;
}

/* A number, a word or a sign becomes another one. */
static void damage_byte(struct text *t)
{
    static const char signs[] = "0123456789abcdefxyz_-!:>[]{},&*#'\"|% \n\t\xff\x80\x01";
    size_t at = dice((uint32_t)t->size);

    t->data[at] = signs[dice(sizeof(signs) - 1)];
}

static void damage(struct text *t, const struct text *other)
{
    for (unsigned i = dice(3); t->size > 1; i--) {
        switch (dice(5)) {
        case 0:
            t->size -= dice((uint32_t)t->size);
            break;
        case 1:
            move_line(t, other, true);
            break;
        case 2:
            move_line(t, t->size > 2 && dice(2) ? other : t, false);
            break;
        default:
            damage_byte(t);
            break;
        }
        if (!i)
            break;
    }
}

static const char *const files[] = {DATA "small.yaml", "schema/smmuv3.yaml", "schema/vtd.yaml",
                                    "schema/amdvi.yaml", DATA "small-platform.yaml"};

/* Reads a damaged file as it would be read whole; returns whether it still makes a table. */
static bool survives(size_t file, const struct text *t)
{
    struct schema_error error;
    struct schema_vendor *v = NULL;
    struct schema_platform *p = NULL;
    bool good;

    memset(&error, 0, sizeof(error));
    if (file == N(files) - 1)
        p = schema_platform_parse(files[file], t->data, t->size, find_small, NULL, &error);
    else
        v = schema_vendor_parse(files[file], t->data, t->size, &error);
    good = v || p;
    cr_assert(good || (error.text[0] && !strcmp(error.file, files[file])));
    if (v)
        (void)schema_vendor_attach(v, &error);
    schema_vendor_free(v);
    schema_platform_free(p);
    return good;
}

Test(schema, damaged_files_are_refused_or_are_tables)
{
    struct text whole[N(files)];
    struct schema_error error;
    const char *given = getenv("XINV_SEED");
    unsigned good = 0;
    unsigned bad = 0;

    state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)state);
    for (size_t i = 0; i < N(files); i++)
        whole[i].data = schema_read_file(files[i], &whole[i].size, &error);
    for (unsigned turn = 0; turn < 4000; turn++) {
        size_t i = dice(N(files));
        struct text t = {malloc(whole[i].size), whole[i].size};

        cr_assert_not_null(t.data);
        memcpy(t.data, whole[i].data, t.size);
        damage(&t, &whole[dice(N(files))]);
        if (survives(i, &t))
            good++;
        else
            bad++;
        free(t.data);
    }
    for (size_t i = 0; i < N(files); i++)
        free(whole[i].data);
    cr_expect_gt(good, 50, "nothing was damaged so little that it stayed a table");
    cr_expect_gt(bad, 500);
}

Test(schema, every_shorter_file_is_refused_or_is_a_table)
{
    struct text whole;
    struct schema_error error;

    for (size_t i = 0; i < N(files); i += N(files) - 1) {
        whole.data = schema_read_file(files[i], &whole.size, &error);
        cr_assert_not_null(whole.data);
        for (size_t size = 0; size < whole.size; size++) {
            /* in memory of its own, so that nothing behind the end goes unseen */
            struct text t = {malloc(size + 1), size};

            cr_assert_not_null(t.data);
            memcpy(t.data, whole.data, size);
            t.data = realloc(t.data, size ? size : 1);
            (void)survives(i, &t);
            free(t.data);
        }
        free(whole.data);
    }
}
