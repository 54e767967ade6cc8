// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Tables that a user gives as files: vendors' and platforms', told apart by their keys. */
#ifndef XINV_CLI_TABLE_FILE_H
#define XINV_CLI_TABLE_FILE_H

#include "schema/load.h"

enum table_kind {
    TABLE_UNKNOWN, /* it cannot be read so far */
    TABLE_VENDOR,
    TABLE_PLATFORM
};

struct table_file {
    const char *path; /* "-" is standard input */
    enum table_kind kind;
    char *name;                         /* of the vendor or platform; NULL: not known */
    char *vendor_name;                  /* that it describes or names; NULL: not known */
    struct schema_vendor *vendor;       /* of a vendor's file, with its backend */
    struct schema_platform *platform;   /* of a platform's file */
    const struct schema_vendor *tables; /* the platform's */
    bool failed;                        /* then neither is there */
    struct schema_error error;
};

/*
 * table_files_read - fills in files whose paths are given. The vendor that a platform names is the
 * one of a file beside it, or built in.
 * returns: how many of them failed
 */
size_t table_files_read(struct table_file *files, size_t n);
void table_files_free(struct table_file *files, size_t n);

/* table_fail - refuses a file for what its key says */
void table_fail(struct table_file *file, const struct schema_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
