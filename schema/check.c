// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schema/check_impl.h"

void schema_check_warn(struct schema_checker *check, const char *file,
                       const struct schema_place *place, const char *format, ...)
{
    struct schema_error warning;
    va_list args;

    memset(&warning, 0, sizeof(warning));
    snprintf(warning.file, sizeof(warning.file), "%s", file);
    snprintf(warning.path, sizeof(warning.path), "%s", place->path);
    warning.line = place->line;
    warning.column = place->column;
    va_start(args, format);
    vsnprintf(warning.text, sizeof(warning.text), format, args);
    va_end(args);
    check->warnings++;
    check->warn(check->context, &warning);
}

unsigned schema_check(const struct schema_vendor *vendor, const struct schema_platform *platform,
                      schema_warn *warn, void *context)
{
    struct schema_checker check = {vendor, &vendor->table, warn, context, 0};

    if (platform) {
        schema_check_platform(&check, platform);
    } else {
        schema_check_conditions(&check);
        schema_check_needs(&check);
        schema_check_uses(&check);
    }
    return check.warnings;
}
