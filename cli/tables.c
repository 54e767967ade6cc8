// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/embedded.h"

#define MAX_VENDORS 8

static struct schema_vendor *vendors[MAX_VENDORS];

/* The tool's own tables were read when it was built: they cannot be wrong now. */
static void must(const void *table, const struct schema_error *error)
{
    char text[1024];

    if (table)
        return;
    schema_error_format(error, text, sizeof(text));
    exit(cli_fail(CLI_INPUT, "built-in table: %s", text));
}

static const struct cli_embedded *find(const char *folder, const char *name)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s.yaml", folder, name);
    for (const struct cli_embedded *e = cli_embedded; e->name; e++)
        if (!strcmp(e->name, path))
            return e;
    return NULL;
}

const struct schema_vendor *tables_vendor(const char *name)
{
    const struct cli_embedded *e = find("schema", name);
    struct schema_error error;
    unsigned i = 0;

    for (; i < MAX_VENDORS && vendors[i]; i++)
        if (!strcmp(vendors[i]->table.name, name))
            return vendors[i];
    if (!e || i == MAX_VENDORS)
        return NULL;
    vendors[i] = schema_vendor_parse(e->name, (const char *)e->data, e->size, &error);
    must(vendors[i], &error);
    must(schema_vendor_attach(vendors[i], &error) ? vendors[i] : NULL, &error);
    return vendors[i];
}

const char *tables_vendor_names(char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (const struct cli_embedded *e = cli_embedded; e->name; e++) {
        const char *name = e->name + strlen("schema/");

        if (!strncmp(e->name, "schema/", strlen("schema/")) && !strchr(name, '/') && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%.*s", used ? ", " : "",
                                     (int)strcspn(name, "."), name);
    }
    return text;
}

static const struct schema_vendor *find_vendor(void *context, const char *name)
{
    (void)context;
    return tables_vendor(name);
}

const struct schema_platform *tables_platform(const char *name)
{
    static struct schema_platform *last;
    const struct cli_embedded *e = find("schema/platforms", name);
    struct schema_error error;

    if (last && !strcmp(last->table.name, name))
        return last;
    if (!e)
        return NULL;
    schema_platform_free(last);
    last =
        schema_platform_parse(e->name, (const char *)e->data, e->size, find_vendor, NULL, &error);
    must(last, &error);
    return last;
}
