// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "core/backend.h"
#include "schema/generated/vendors.h"
#include "schema/load.h"

/* A built-in table has its backend, and the features that the backend reads by number. */
static const struct xinv_vendor *const built_in[] = {&xinv_vendor_smmuv3, &xinv_vendor_vtd,
                                                     &xinv_vendor_amdvi, &xinv_vendor_vtd_hwpt};
#define VENDORS (sizeof(built_in) / sizeof(built_in[0]))

static void fail_place(const struct schema_vendor *v, const struct schema_place *place,
                       struct schema_error *error)
{
    memset(error, 0, sizeof(*error));
    snprintf(error->file, sizeof(error->file), "%s", v->file);
    snprintf(error->path, sizeof(error->path), "%s", place->path);
    error->line = place->line;
    error->column = place->column;
}

static const struct xinv_vendor *find_built_in(const struct schema_vendor *v,
                                               struct schema_error *error)
{
    for (size_t i = 0; i < VENDORS; i++)
        if (!strcmp(built_in[i]->name, v->table.name))
            return built_in[i];
    fail_place(v, &v->name_place, error);
    snprintf(error->text, sizeof(error->text),
             "'%s' has no backend; known: smmuv3, vtd, amdvi, vtd_hwpt", v->table.name);
    return NULL;
}

static bool same_features(const struct schema_vendor *v, const struct xinv_vendor *known,
                          struct schema_error *error)
{
    for (unsigned i = 0; i < known->n_features; i++) {
        if (i < v->table.n_features && !strcmp(v->table.features[i].name, known->features[i].name))
            continue;
        if (i < v->table.n_features)
            fail_place(v, &v->feature_places[i], error);
        else
            fail_place(v, &(struct schema_place){0, 0, "features"}, error);
        snprintf(error->text, sizeof(error->text),
                 "feature %u must be %s: the backend of %s reads features by number; new ones go "
                 "behind its %u",
                 i, known->features[i].name, known->name, known->n_features);
        return false;
    }
    return true;
}

static bool find_op(const struct schema_vendor *v, const struct xinv_backend *backend, unsigned row,
                    uint8_t *op, struct schema_error *error)
{
    size_t n = 0;

    for (*op = 0; *op < backend->n_ops; ++*op)
        if (!strcmp(backend->op_names[*op], v->op_names[row]))
            return true;
    fail_place(v, &v->op_places[row], error);
    n = (size_t)snprintf(error->text, sizeof(error->text),
                         "'%s' is no op of the backend of %s; known: ", v->op_names[row],
                         backend->name);
    for (unsigned i = 0; i < backend->n_ops && n < sizeof(error->text); i++)
        n += (size_t)snprintf(error->text + n, sizeof(error->text) - n, "%s%s", i ? ", " : "",
                              backend->op_names[i]);
    return false;
}

/* Does a row say of its op's words what the built-in row of that op says of them? */
static const char *row_differs(const struct xinv_command_def *row,
                               const struct xinv_command_def *known, bool has_leaf)
{
    if (row->leaf && !has_leaf)
        return "has no leaf form";
    if (known->ranges.count && !row->ranges.count)
        return "takes an address; range is missing";
    if (!known->ranges.count && row->ranges.count)
        return "takes no address";
    if (row->operands & ~known->operands)
        return "does not carry every tag that the row matches; see operands";
    if (row->operands != known->operands)
        return "carries tags that the row does not match; see operands";
    return NULL;
}

static bool same_row(const struct schema_vendor *v, const struct xinv_vendor *known, unsigned row,
                     uint8_t op, struct schema_error *error)
{
    const char *why = NULL;
    bool has_leaf = false;

    for (unsigned i = 0; i < known->n_commands; i++)
        if (known->commands[i].op == op && known->commands[i].leaf)
            has_leaf = true;
    for (unsigned i = 0; i < known->n_commands; i++) {
        if (known->commands[i].op != op)
            continue;
        why = row_differs(&v->commands[row], &known->commands[i], has_leaf);
        if (!why)
            return true;
    }
    if (!why)
        return true; /* no built-in row has this op */
    fail_place(v, &v->op_places[row], error);
    snprintf(error->text, sizeof(error->text), "the op %s %s", v->op_names[row], why);
    return false;
}

bool schema_vendor_attach(struct schema_vendor *v, struct schema_error *error)
{
    const struct xinv_vendor *known = find_built_in(v, error);
    uint8_t ops[XINV_MAX_COMMANDS];

    if (!known || !same_features(v, known, error))
        return false;
    for (unsigned row = 0; row < v->table.n_commands; row++)
        if (!find_op(v, known->backend, row, &ops[row], error) ||
            !same_row(v, known, row, ops[row], error))
            return false;
    for (unsigned row = 0; row < v->table.n_commands; row++)
        v->commands[row].op = ops[row];
    v->table.backend = known->backend;
    return true;
}
