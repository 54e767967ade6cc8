// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/table_file.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xinv/xinv.h>

#include "cli/cli.h"
#include "cli/tables.h"
#include "schema/check.h"
#include "schema/yaml.h"

void table_fail(struct table_file *file, const struct schema_place *place, const char *format, ...)
{
    struct schema_error *e = &file->error;
    va_list args;

    memset(e, 0, sizeof(*e));
    snprintf(e->file, sizeof(e->file), "%s", file->path);
    if (place) {
        snprintf(e->path, sizeof(e->path), "%s", place->path);
        e->line = place->line;
        e->column = place->column;
    }
    va_start(args, format);
    vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
    file->failed = true;
}

/* ---- What a file is ----------------------------------------------------------------------------
 */

static char *scalar(const struct schema_node *map, const char *key)
{
    struct schema_node value = schema_get(map, key);

    if (!value.node || value.node->type != YAML_SCALAR_NODE)
        return NULL;
    return cli_copy((const char *)value.node->data.scalar.value);
}

static void tell_apart(struct table_file *file, const struct schema_node *root)
{
    char *platform;

    if (!schema_map(root, NULL))
        return;
    platform = scalar(root, "platform");
    file->vendor_name = scalar(root, "vendor");
    file->kind = schema_get(root, "platform").node ? TABLE_PLATFORM
                 : schema_get(root, "vendor").node ? TABLE_VENDOR
                                                   : TABLE_UNKNOWN;
    if (file->kind == TABLE_UNKNOWN)
        schema_fail(root, "is no table; one begins with the key vendor or platform");
    file->name = platform;
    if (file->kind == TABLE_VENDOR && file->vendor_name)
        file->name = cli_copy(file->vendor_name);
}

/* Reads the text, and as much of it as says what it is. */
static char *open_file(struct table_file *file, size_t *size)
{
    char why[200];
    char *text = cli_read(file->path, SCHEMA_MAX_BYTES, size, why, sizeof(why));
    struct schema_doc doc;
    struct schema_node root;

    if (!text) {
        table_fail(file, NULL, "%s%s", why,
                   strncmp(why, "is larger", 9) ? "" : "; a table fits in less");
        return NULL;
    }
    file->failed = !schema_doc_parse(&doc, file->path, text, *size, &file->error);
    if (!file->failed) {
        root = schema_root(&doc);
        tell_apart(file, &root);
        file->failed = doc.failed;
        schema_doc_close(&doc);
    }
    if (!file->failed)
        return text;
    free(text);
    return NULL;
}

/* ---- Vendors -----------------------------------------------------------------------------------
 */

static void read_vendor(struct table_file *files, size_t i, const char *text, size_t size)
{
    struct table_file *file = &files[i];

    file->vendor = schema_vendor_parse(file->path, text, size, &file->error);
    file->failed = !file->vendor || !schema_vendor_attach(file->vendor, &file->error);
    for (size_t k = 0; !file->failed && k < i; k++)
        if (files[k].kind == TABLE_VENDOR && files[k].name && !strcmp(files[k].name, file->name))
            table_fail(file, &file->vendor->name_place, "%s has the table of '%s' as well",
                       files[k].path, file->name);
    if (file->failed) {
        schema_vendor_free(file->vendor);
        file->vendor = NULL;
    }
}

/* ---- Platforms ---------------------------------------------------------------------------------
 */

struct finder {
    const struct table_file *files;
    size_t n;
    const struct table_file *wrong; /* the file of the vendor, which failed */
    const struct schema_vendor *found;
    bool asked;
};

static const struct schema_vendor *find(void *context, const char *name)
{
    struct finder *f = context;

    f->asked = true;
    for (size_t i = 0; i < f->n; i++) {
        const struct table_file *file = &f->files[i];

        if (file->kind != TABLE_VENDOR || !file->name || strcmp(file->name, name) != 0)
            continue;
        f->wrong = file->failed ? file : NULL;
        return f->found = file->vendor;
    }
    return f->found = tables_vendor(name);
}

/* Registers and settings that no hardware of the vendor has are refused here, not when used. */
static void check_usable(struct table_file *file)
{
    struct xinv_platform table;
    struct xinv_iommu iommu;
    int ret;

    file->platform->table.vendor = &file->tables->table;
    table = file->platform->table;
    table.absent = NULL;
    ret = xinv_iommu_init(&iommu, &table, NULL, NULL, 0);
    if (ret)
        table_fail(file, &file->platform->registers_place, "%s", schema_init_text(ret));
}

static void read_platform(struct table_file *files, size_t n, struct table_file *file,
                          const char *text, size_t size)
{
    struct finder finder = {.files = files, .n = n};
    char names[128];

    file->platform = schema_platform_parse(file->path, text, size, find, &finder, &file->error);
    file->failed = !file->platform;
    file->tables = finder.found;
    if (finder.wrong)
        snprintf(file->error.text, sizeof(file->error.text), "the table of '%s' in %s is wrong",
                 file->vendor_name, finder.wrong->path);
    else if (finder.asked && !finder.found)
        snprintf(file->error.text, sizeof(file->error.text),
                 "no table of vendor '%s'; known: %s, and those of files given beside it",
                 file->vendor_name, tables_vendor_names(names, sizeof(names)));
    if (!file->failed)
        check_usable(file);
    if (file->failed) {
        schema_platform_free(file->platform);
        file->platform = NULL;
    }
}

size_t table_files_read(struct table_file *files, size_t n)
{
    char **texts = cli_alloc(n, sizeof(*texts));
    size_t *sizes = cli_alloc(n, sizeof(*sizes));
    size_t failed = 0;

    for (size_t i = 0; i < n; i++)
        texts[i] = open_file(&files[i], &sizes[i]);
    for (size_t i = 0; i < n; i++)
        if (texts[i] && files[i].kind == TABLE_VENDOR)
            read_vendor(files, i, texts[i], sizes[i]);
    for (size_t i = 0; i < n; i++)
        if (texts[i] && files[i].kind == TABLE_PLATFORM)
            read_platform(files, n, &files[i], texts[i], sizes[i]);
    for (size_t i = 0; i < n; i++) {
        free(texts[i]);
        failed += files[i].failed;
    }
    free(texts);
    free(sizes);
    return failed;
}

void table_files_free(struct table_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        schema_platform_free(files[i].platform);
        free(files[i].name);
        free(files[i].vendor_name);
    }
    for (size_t i = 0; i < n; i++)
        schema_vendor_free(files[i].vendor);
    free(files);
}
