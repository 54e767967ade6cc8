// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Random numbers that can be repeated: XINV_SEED, or a seed that is printed. */
#ifndef XINV_TESTS_RANDOM_H
#define XINV_TESTS_RANDOM_H

#include <stdint.h>

void random_start(void);
uint64_t random_next(void);

#endif
