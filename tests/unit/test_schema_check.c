// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Tables that load and still say something wrong: rows without a backend's command, holes, rows for
 * nothing. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/check.h"
#include "schema/generated/vendors.h"
#include "schema/yaml.h"

#define N(x) (sizeof(x) / sizeof((x)[0]))

/* ---- Tables with one text replaced ---- */

static char *edited(const char *file, const char *from, const char *to)
{
    struct schema_error error;
    size_t size;
    char *text = schema_read_file(file, &size, &error);
    char *at;
    char *out;

    cr_assert_not_null(text, "%s: %s", file, error.text);
    text[size] = '\0';
    at = strstr(text, from);
    cr_assert_not_null(at, "%s has no '%s'", file, from);
    out = malloc(size + strlen(to) + 1);
    cr_assert_not_null(out);
    sprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    free(text);
    return out;
}

/* smmuv3, vtd or amdvi, or an edit of it; named by its file alone in messages. */
static struct schema_vendor *vendor(const char *name, const char *from, const char *to)
{
    struct schema_error error;
    struct schema_vendor *v;
    char path[64];
    char file[32];
    char *text;

    snprintf(path, sizeof(path), "schema/%s.yaml", name);
    snprintf(file, sizeof(file), "%s.yaml", name);
    text = edited(path, from, to);
    v = schema_vendor_parse(file, text, strlen(text), &error);
    cr_assert_not_null(v, "%u:%u: %s: %s", error.line, error.column, error.path, error.text);
    free(text);
    return v;
}

static struct schema_vendor *attached(const char *name, const char *from, const char *to)
{
    struct schema_vendor *v = vendor(name, from, to);
    struct schema_error error;

    cr_assert(schema_vendor_attach(v, &error), "%u:%u: %s: %s", error.line, error.column,
              error.path, error.text);
    return v;
}

static const struct schema_vendor *find(void *context, const char *name)
{
    const struct schema_vendor *v = context;

    return strcmp(v->table.name, name) ? NULL : v;
}

static struct schema_platform *platform(struct schema_vendor *v, const char *name, const char *from,
                                        const char *to)
{
    struct schema_error error;
    struct schema_platform *p;
    char path[100];
    char file[64];
    char *text;

    snprintf(path, sizeof(path), "schema/platforms/%s.yaml", name);
    snprintf(file, sizeof(file), "%s.yaml", name);
    text = edited(path, from, to);
    p = schema_platform_parse(file, text, strlen(text), find, v, &error);
    cr_assert_not_null(p, "%u:%u: %s: %s", error.line, error.column, error.path, error.text);
    free(text);
    return p;
}

/* ---- Warnings as lines ---- */

/* FILE: PATH: TEXT, with # for the numbers of rows: shipped tables grow. */
static void format(const struct schema_error *e, char *text, size_t size)
{
    char path[sizeof(e->path)];
    size_t n = 0;

    for (const char *c = e->path; *c; c++) {
        path[n++] = *c;
        if (*c == '[') {
            path[n++] = '#';
            c += strspn(c + 1, "0123456789");
        }
    }
    path[n] = '\0';
    cr_assert_gt(e->line, 0);
    cr_assert_gt(e->column, 0);
    snprintf(text, size, "%s: %s: %s", e->file, path, e->text);
}

static char said[40000];

static void note(void *context, const struct schema_error *warning)
{
    size_t n = strlen(said);

    (void)context;
    format(warning, said + n, sizeof(said) - n);
    strcat(said, "\n");
}

/* Every warning as a line. */
static const char *check(const struct schema_vendor *v, const struct schema_platform *p)
{
    unsigned lines = 0;
    unsigned n;

    said[0] = '\0';
    n = schema_check(v, p, note, NULL);
    for (const char *c = said; *c; c++)
        lines += *c == '\n';
    cr_assert_eq(n, lines);
    return said;
}

/* The first warning alone: one hole shows in every change that it is in. */
static const char *first(const char *lines)
{
    static char line[1024];

    snprintf(line, sizeof(line), "%.*s", (int)strcspn(lines, "\n"), lines);
    return line;
}

/* The table alone, with one text replaced. */
static void expect_table(const char *name, const char *from, const char *to, const char *expected)
{
    struct schema_vendor *v = attached(name, from, to);

    cr_expect_str_eq(first(check(v, NULL)), expected, "%s\nbut expected\n%s", said, expected);
    schema_vendor_free(v);
}

/* One platform, with one text replaced in its vendor's table. */
static void expect_platform(const char *name, const char *of, const char *from, const char *to,
                            const char *expected)
{
    struct schema_vendor *v = attached(of, from, to);
    struct schema_platform *p = platform(v, name, "platform:", "platform:");

    cr_expect_str_eq(first(check(v, p)), expected, "%s\nbut expected\n%s", said, expected);
    schema_platform_free(p);
    schema_vendor_free(v);
}

/* ---- A backend for a table ---- */

static void expect_refused(const char *name, const char *from, const char *to, const char *expected)
{
    struct schema_vendor *v = vendor(name, from, to);
    struct schema_error error;
    char text[1024] = "";

    cr_expect_not(schema_vendor_attach(v, &error));
    format(&error, text, sizeof(text));
    cr_expect_str_eq(text, expected, "%s", text);
    cr_expect_null(v->table.backend);
    for (unsigned i = 0; i < v->table.n_commands; i++)
        cr_expect_eq(v->table.commands[i].op, 0);
    schema_vendor_free(v);
}

Test(schema_check, a_shipped_table_with_its_backend_is_the_built_in_one)
{
    static const struct xinv_vendor *const built_in[] = {&xinv_vendor_smmuv3, &xinv_vendor_vtd,
                                                         &xinv_vendor_amdvi};

    for (size_t i = 0; i < N(built_in); i++) {
        struct schema_vendor *v = attached(built_in[i]->name, "vendor:", "vendor:");
        const struct xinv_vendor *t = &v->table;

        cr_expect_eq(t->backend, built_in[i]->backend);
        cr_assert_eq(t->n_commands, built_in[i]->n_commands);
        for (unsigned row = 0; row < t->n_commands; row++) {
            const struct xinv_command_def *a = &t->commands[row];
            const struct xinv_command_def *b = &built_in[i]->commands[row];

            cr_expect(a->op == b->op && a->phase == b->phase && a->operands == b->operands &&
                          a->leaf == b->leaf && !memcmp(&a->removals, &b->removals, 3 * 2),
                      "%s: row %u", t->name, row);
        }
        schema_vendor_free(v);
    }
}

Test(schema_check, an_op_that_the_backend_lacks_is_refused_where_it_stands)
{
    expect_refused("amdvi", "op: iommu_all", "op: iommu_everything",
                   "amdvi.yaml: commands[#].op: 'iommu_everything' is no op of the backend of "
                   "amdvi; known: devtab_entry, interrupt_table, iommu_all, pages_host, "
                   "pages_host_all, pages_guest, pages_guest_all, iotlb, iotlb_all, iotlb_pasid, "
                   "iotlb_pasid_all");
}

Test(schema_check, a_vendor_without_a_backend_is_refused)
{
    expect_refused("vtd", "vendor: vtd", "vendor: riscv",
                   "vtd.yaml: vendor: 'riscv' has no backend; known: smmuv3, vtd, amdvi, vtd_hwpt");
}

/* The words that a backend writes have the tags that they have, whatever a row says. */
Test(schema_check, a_row_that_is_not_what_its_op_writes_is_refused)
{
    expect_refused("smmuv3", "op: tlbi_nh_asid", "op: tlbi_nh_va",
                   "smmuv3.yaml: commands[#].op: the op tlbi_nh_va takes an address; range is "
                   "missing");
    expect_refused("amdvi", "op: iotlb\n", "op: iotlb_all\n",
                   "amdvi.yaml: commands[#].op: the op iotlb_all takes no address");
    expect_refused("smmuv3", "op: cfgi_cd\n", "op: cfgi_cd_all\n",
                   "smmuv3.yaml: commands[#].op: the op cfgi_cd_all does not carry every tag "
                   "that the row matches; see operands");
    expect_refused("smmuv3", "op: cfgi_cd_all\n", "op: cfgi_cd\n",
                   "smmuv3.yaml: commands[#].op: the op cfgi_cd carries tags that the row does "
                   "not match; see operands");
    expect_refused("smmuv3", "op: cfgi_cd_all\n", "op: cfgi_cd_all\n  leaf: optional\n",
                   "smmuv3.yaml: commands[#].op: the op cfgi_cd_all has no leaf form");
}

Test(schema_check, features_that_a_backend_would_read_by_another_number_are_refused)
{
    char expected[200];

    snprintf(
        expected, sizeof(expected),
        "vtd.yaml: features.CACHING: feature 2 must be CM: the backend of vtd reads features by number; new ones go behind its %u",
        xinv_vendor_vtd.n_features);
    expect_refused("vtd", "  CM: {", "  CACHING: {setting: 0, source: \"mine\"}\n  CM: {",
                   expected);
}

Test(schema_check, features_behind_the_backends_own_are_taken)
{
    struct schema_vendor *v =
        attached("vtd", "\ntags:\n", "  MINE: {setting: 0, source: \"mine\"}\n\ntags:\n");

    schema_vendor_free(v);
}

/* ---- Shipped tables ---- */

Test(schema_check, shipped_tables_give_no_warning, .timeout = 300)
{
    static const char *const names[] = {"smmuv3", "vtd", "amdvi"};

    for (size_t i = 0; i < N(names); i++)
        expect_table(names[i], "vendor:", "vendor:", "");
}

Test(schema_check, shipped_platforms_give_no_warning)
{
    static const char *const names[] = {"smmuv3", "vtd", "amdvi"};
    struct schema_vendor *vendors[N(names)];
    unsigned checked = 0;
    DIR *dir = opendir("schema/platforms");
    struct dirent *entry;

    cr_assert_not_null(dir);
    for (size_t i = 0; i < N(names); i++)
        vendors[i] = attached(names[i], "vendor:", "vendor:");
    while ((entry = readdir(dir)) != NULL) {
        char path[400];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "schema/platforms/%s", entry->d_name);
        for (size_t i = 0; i < N(names); i++) {
            struct schema_error error;
            struct schema_platform *p = schema_platform_load(path, find, vendors[i], &error);

            if (!p)
                continue; /* another vendor's */
            cr_expect_str_empty(check(vendors[i], p), "%s", said);
            schema_platform_free(p);
            checked++;
        }
    }
    closedir(dir);
    for (size_t i = 0; i < N(names); i++)
        schema_vendor_free(vendors[i]);
    cr_expect_geq(checked, 7);
}

/* ---- Conditions ---- */

Test(schema_check, rows_whose_conditions_exclude_each_other_are_named, .timeout = 300)
{
    static const struct {
        const char *vendor;
        const char *from;
        const char *to;
        const char *expected;
    } cases[] = {
        {"amdvi", "when: [IASup]", "when: [IASup, \"!IASup\"]",
         "amdvi.yaml: commands[#]: this command never applies: no 1-bit value of IASup meets its conditions"},
        {"smmuv3", "\"SSIDSIZE >= 1\"]\n  source: \"CMD_ATC_INV, SSV = 1\"",
         "\"SSIDSIZE >= 32\"]\n  source: \"CMD_ATC_INV, SSV = 1\"",
         "smmuv3.yaml: commands[#]: this command never applies: no 5-bit value of SSIDSIZE meets its conditions"},
        {"smmuv3", "{kind: scaled, max_order: 31, when: [RIL]}",
         "{kind: scaled, max_order: 31, when: [RIL, \"!S1P\"]}",
         "smmuv3.yaml: commands[#].range[#]: this range never applies: no 1-bit value of S1P meets its conditions and those around it"},
        {"smmuv3", "nested: {allocate: vmid, per: domain, when: [S1P, S2P, \"!NO_NESTING\"]}",
         "nested: {allocate: vmid, per: domain, when: [S1P, \"S1P < 1\"]}",
         "smmuv3.yaml: stages.nested: this stage never applies: no 1-bit value of S1P meets its conditions"},
        {"vtd", "    when: [IR]\n", "    when: [IR, \"IR >= 2\"]\n",
         "vtd.yaml: caches.interrupt: this cache never applies: no 1-bit value of IR meets its conditions"},
        {"smmuv3", "when: [REPEAT_TLBI], source",
         "when: [REPEAT_TLBI, \"REPEAT_TLBI == 0\"], source",
         "smmuv3.yaml: repeats[#]: this erratum never applies: no 16-bit value of REPEAT_TLBI meets its conditions"},
        {"vtd", "{change: pasid_entry, when: [ttm]}",
         "{change: pasid_entry, when: [ttm, \"!ttm\"]}",
         "vtd.yaml: attach[#]: this row never applies: no 16-bit value of ttm meets its conditions"},
        {"vtd", "when: [\"!CM\", RWBF]", "when: [\"!CM\", CM, RWBF]",
         "vtd.yaml: changes[#].needs[#]: this need never applies: no 1-bit value of CM meets its conditions"},
        {"smmuv3", "  when: [\"!E2H\"]\n  source: \"3.17, 3.9.1",
         "  when: [\"!E2H\", \"E2H >= 3\"]\n  source: \"3.17, 3.9.1",
         "smmuv3.yaml: changes[#]: this change never applies: no 16-bit value of E2H meets its conditions"},
    };

    for (size_t i = 0; i < N(cases); i++)
        expect_table(cases[i].vendor, cases[i].from, cases[i].to, cases[i].expected);
}

/* ---- Needs ---- */

Test(schema_check, entries_that_no_row_removes_are_named_with_their_classes, .timeout = 300)
{
    expect_table(
        "vtd", "- {cache: interrupt, match: []}", "- {cache: write_buffer, match: []}",
        "vtd.yaml: changes[#].needs[#]: everything on stage1, stage2, nested, passthrough: no command removes interrupt entries (presence present|not_present) with any tags");
    expect_table(
        "smmuv3", "match: [], classes: {regime: el1}}",
        "match: [], classes: {global: no, regime: el1}}",
        "smmuv3.yaml: changes[#].needs[#]: everything on stage1, stage2, nested, passthrough: no command removes stage1 entries (level leaf|walk, global yes, regime el1) with any tags");
    expect_table(
        "amdvi", "{cache: device_tlb, match: [rid, pasid], classes: {pasid: tagged}}",
        "{cache: device_tlb, match: [rid, pasid], classes: {pasid: untagged}}",
        "amdvi.yaml: changes[#].needs[#]: stage1_pte on stage1: no command removes device_tlb entries (pasid tagged) known by rid, pasid");
}

Test(schema_check, a_table_without_commands_has_every_hole_and_nothing_else)
{
    char *text = edited("schema/amdvi.yaml", "commands:\n", "commands: []\nx:\n");
    char *rows = strstr(text, "\nx:\n");
    char *order = strstr(text, "\norder:\n");
    struct schema_error error;
    struct schema_vendor *v;

    cr_assert(rows && order);
    memmove(rows, order, strlen(order) + 1);
    v = schema_vendor_parse("amdvi.yaml", text, strlen(text), &error);
    cr_assert(v && schema_vendor_attach(v, &error), "%s: %s", error.path, error.text);
    cr_expect_eq(v->table.n_commands, 0);
    cr_expect_str_eq(first(check(v, NULL)),
                     "amdvi.yaml: changes[#].needs[#]: stage1_pte on stage1: no command removes "
                     "stage1 entries (level leaf|walk, presence present|not_present) known by "
                     "pasid, did");
    cr_expect_null(strstr(said, "never applies"));
    cr_expect_null(strstr(said, "in no plan"));
    schema_vendor_free(v);
    free(text);
}

Test(schema_check, a_row_that_is_off_where_the_need_is_does_not_count, .timeout = 300)
{
    expect_table("amdvi", "  when: [IASup]\n", "  when: [IASup, NpCache]\n", "");
    expect_table(
        "vtd", "  when: [RWBF]\n", "  when: [RWBF, CM]\n",
        "vtd.yaml: changes[#].needs[#]: stage2_pte on stage2: no command removes write_buffer entries with any tags");
}

Test(schema_check, entries_that_no_row_of_a_platform_removes_are_named)
{
    expect_platform(
        "arm-smmuv3-ril", "smmuv3",
        "{cache: device_tlb, match: [rid], classes: {pasid: untagged}}\n",
        "{cache: device_tlb, match: [rid], classes: {pasid: tagged}}\n",
        "smmuv3.yaml: changes[#].needs[#]: stage1_pte on stage1, arm-smmuv3-ril: no command removes device_tlb entries (pasid untagged) known by rid");
    expect_platform(
        "amd-vi-generic", "amdvi", "when: [IASup]", "when: [SNPSup]",
        "amdvi.yaml: changes[#].needs[#]: everything on stage1, amd-vi-generic: no command removes device_config entries (presence present|not_present) with any tags");
}

Test(schema_check, a_platform_whose_settings_contradict_its_registers_is_named)
{
    struct schema_vendor *v = attached("vtd", "vendor:", "vendor:");
    struct schema_platform *p =
        platform(v, "intel-vtd-scalable", "queue_width: 256", "queue_width: 128");

    cr_expect_str_eq(
        check(v, p),
        "intel-vtd-scalable.yaml: registers: registers and settings contradict each other\n", "%s",
        said);
    schema_platform_free(p);
    schema_vendor_free(v);
}

Test(schema_check, a_change_with_more_needs_than_a_request_can_have_is_named)
{
    char many[2000] = "";

    for (unsigned i = 0; i < 17; i++)
        strcat(many, "  - {cache: device_config, tags: [rid]}\n");
    strcat(many, "  - {cache: stage1, tags: [did, pasid, address], hints: [level]}\n");
    expect_platform(
        "amd-vi-generic", "amdvi",
        "  - {cache: stage1, tags: [did, pasid, address], hints: [level]}\n", many,
        "amdvi.yaml: changes[#]: stage1_pte on stage1, amd-vi-generic: has more than 16 needs");
}

Test(schema_check, a_change_with_more_rows_than_a_plan_chooses_from_is_named, .timeout = 300)
{
    static const char twin[] = "- name: TWIN\n"
                               "  op: pages_guest_all\n"
                               "  phase: stage1\n"
                               "  removes:\n"
                               "  - {cache: [pasid_config, stage1, nested], match: [did, pasid]}\n"
                               "  when: [GTSup]\n"
                               "  source: \"as INVALIDATE_IOMMU_PAGES\"\n";
    char many[8000] = "";

    for (unsigned i = 0; i < 24; i++)
        strcat(many, twin);
    strcat(many, "\n# Commands may finish");
    expect_platform("amd-vi-generic", "amdvi", "\n# Commands may finish", many,
                    "amdvi.yaml: changes[#]: stage1_pte on stage1, amd-vi-generic: 24 rows to "
                    "choose from or more, and no more are looked at");
}

Test(schema_check, a_quirk_that_says_what_stays_uncovered_takes_its_warning_away)
{
    struct schema_vendor *v = attached("amdvi", "vendor:", "vendor:");
    struct schema_platform *p =
        platform(v, "amd-rd890", "everything: [device_config, stage2, interrupt]",
                 "everything: [device_config, interrupt]");

    cr_expect_str_eq(
        check(v, p),
        "amdvi.yaml: changes[#].needs[#]: everything on stage2, amd-rd890: no command removes stage2 entries (level leaf|walk, presence present|not_present) with any tags\namdvi.yaml: changes[#].needs[#]: everything on passthrough, amd-rd890: no command removes stage2 entries (level leaf|walk, presence present|not_present) with any tags\n",
        "%s", said);
    schema_platform_free(p);
    schema_vendor_free(v);
}

Test(schema_check, a_quirk_that_says_too_much_stays_uncovered_is_named)
{
    struct schema_vendor *v = attached("amdvi", "vendor:", "vendor:");
    struct schema_platform *p =
        platform(v, "amd-rd890", "everything: [device_config, stage2, interrupt]",
                 "everything: [device_config, stage2, interrupt]\n    stage2_pte: [stage2]");

    cr_expect_str_eq(
        check(v, p),
        "amd-rd890.yaml: quirks[#].uncovered.stage2_pte: nothing of stage2 stays uncovered here\n",
        "%s", said);
    schema_platform_free(p);
    schema_vendor_free(v);
}

/* ---- Uses ---- */

Test(schema_check, a_row_that_others_always_beat_is_named, .timeout = 300)
{
    static const char twin[] = "- name: TWIN\n"
                               "  op: pages_guest_all\n"
                               "  phase: stage1\n"
                               "  removes:\n"
                               "  - {cache: [pasid_config, stage1, nested], match: [did, pasid]}\n"
                               "  when: [GTSup]\n"
                               "  source: \"as INVALIDATE_IOMMU_PAGES\"\n";
    char behind[1000];

    snprintf(behind, sizeof(behind), "%s\n# Commands may finish", twin);
    expect_table(
        "amdvi", "\n# Commands may finish", behind,
        "amdvi.yaml: commands[#]: TWIN (pages_guest_all) is in no plan: nothing needs it, or other rows always do as well");
}

Test(schema_check, a_leaf_form_that_others_always_beat_is_named_as_one, .timeout = 300)
{
    expect_table(
        "vtd",
        "- {cache: stage2, match: [did, ipa]}\n  - {cache: [stage1, nested], match: "
        "[did]}\n",
        "- {cache: stage2, match: [did, ipa], keep_level: true}\n  - {cache: [stage1, "
        "nested], match: [did], keep_level: true}\n",
        "vtd.yaml: commands[#]: iotlb (iotlb_page, leaf form) is in no plan: nothing needs it, or other rows always do as well");
}

Test(schema_check, a_row_is_used_if_only_features_that_no_platform_has_let_it, .timeout = 300)
{
    expect_table("amdvi", "when: [IASup]", "when: [IASup, SNPSup, vIommuSup]", "");
}
