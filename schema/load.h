// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Tables from YAML: the one reader that the generator and the tool share. A file is read whole or
 * not at all; an error says where it is, at which key, what is wrong and what would be right.
 */
#ifndef XINV_SCHEMA_LOAD_H
#define XINV_SCHEMA_LOAD_H

#include <xinv/table.h>

struct schema_error {
    char file[256];
    unsigned line;   /* from 1; 0: the file as a whole */
    unsigned column; /* from 1 */
    char path[160];  /* key path, such as commands[3].removes[0].match */
    char text[480];
};

/* schema_error_format - "FILE:LINE:COL: PATH: text", without the parts that are not known */
void schema_error_format(const struct schema_error *error, char *text, size_t size);

struct schema_arena;

/* Where a row stands in its file. */
struct schema_place {
    unsigned line;
    unsigned column;
    const char *path;
};

/* A vendor's table, with what only tools need beside it. All arrays are the loader's. */
struct schema_vendor {
    struct xinv_vendor table; /* backend NULL, until schema_vendor_attach() */
    const char *file;
    const char *title;
    const char *tag_names[XINV_NTAGS];
    const char *const *op_names;        /* per command row */
    const char *const *command_sources; /* per command row */
    const char *const *feature_sources;
    const char *const *change_sources;
    const char *const *repeat_sources;
    const char *cache_sources[XINV_NCACHES];
    struct xinv_costs costs; /* of the platforms that give none */
    const char *cost_source;
    struct schema_place name_place;
    const struct schema_place *feature_places;
    const struct schema_place *command_places;
    const struct schema_place *op_places;
    const struct schema_place *range_places;
    const struct schema_place *change_places;
    const struct schema_place *need_places;
    const struct schema_place *repeat_places;
    const struct schema_place *attach_places;
    struct schema_place cache_places[XINV_NCACHES];
    struct schema_place stage_places[XINV_NSTAGES];
    unsigned n_conds;
    unsigned n_removals;
    unsigned n_ranges;
    unsigned n_needs;
    struct xinv_command_def *commands; /* table.commands, for schema_vendor_attach() */
    struct schema_arena *arena;
};

struct schema_platform {
    struct xinv_platform table; /* vendor points into a schema_vendor */
    const char *file;
    const char *vendor_name;
    const char *source;
    const char *cost_source; /* of table.costs; "": not known */
    struct schema_place registers_place;
    uint8_t uncovered[XINV_NCHANGES]; /* 1 << cache: entries that a quirk says no command removes */
    struct schema_place uncovered_places[XINV_NCHANGES];
    struct schema_arena *arena;
};

/*
 * schema_vendor_load - reads a vendor's file
 * schema_vendor_parse - the same from memory; `file` names it in errors
 * returns: the table, or NULL with *error filled in
 */
struct schema_vendor *schema_vendor_load(const char *file, struct schema_error *error);
struct schema_vendor *schema_vendor_parse(const char *file, const char *text, size_t size,
                                          struct schema_error *error);
void schema_vendor_free(struct schema_vendor *vendor);

/*
 * schema_vendor_attach - gives a table the built-in backend of its vendor's name and turns the
 * names of ops into that backend's numbers. The table's features must begin with the built-in
 * table's, in the same order: backends read them by number. Links with libxinv, unlike the rest of
 * this header.
 *
 * returns: true, or false with *error filled in and the table as it was
 */
bool schema_vendor_attach(struct schema_vendor *vendor, struct schema_error *error);

/* Finds the table of the vendor that a platform names; NULL if there is none. */
typedef const struct schema_vendor *schema_find_vendor(void *context, const char *name);

struct schema_platform *schema_platform_load(const char *file, schema_find_vendor *find,
                                             void *context, struct schema_error *error);
struct schema_platform *schema_platform_parse(const char *file, const char *text, size_t size,
                                              schema_find_vendor *find, void *context,
                                              struct schema_error *error);
void schema_platform_free(struct schema_platform *platform);

/* Names of the enumerators of <xinv/table.h>, as the YAML spells them; NULL ends a list. */
extern const char *const schema_cache_names[];
extern const char *const schema_tag_names[];
extern const char *const schema_change_names[];
extern const char *const schema_stage_names[];
extern const char *const schema_phase_names[];

#endif
