// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The only functions of a C library that the core calls. */
#ifndef XINV_CORE_MEM_H
#define XINV_CORE_MEM_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
