// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Random numbers that can be repeated: of XINV_SEED, or of a seed that is printed. */
#ifndef XINV_TESTS_RANDOM_H
#define XINV_TESTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* random_start - XINV_SEED, or another sequence each time */
void random_start(void);

/* random_start_at - XINV_SEED, or always this sequence */
void random_start_at(uint64_t preset);

/* random_given - the number in an environment variable, or this one */
uint64_t random_given(const char *variable, uint64_t preset);

/* random_seed - a sequence of its own for each number, without a word */
void random_seed(uint64_t n);

uint64_t random_next(void);

/* random_below - 0 to n - 1; random_chance - true so often in 100 */
unsigned random_below(unsigned n);
bool random_chance(unsigned percent);

#endif
