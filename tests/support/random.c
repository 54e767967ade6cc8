// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t state = 1;

uint64_t random_next(void)
{
    /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

void random_seed(uint64_t n)
{
    state = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    if (!state)
        state = 1;
    for (unsigned i = 0; i < 4; i++)
        (void)random_next();
}

uint64_t random_given(const char *variable, uint64_t preset)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 0) : preset;
}

void random_start_at(uint64_t preset)
{
    uint64_t seed = random_given("XINV_SEED", preset);

    fprintf(stderr, "XINV_SEED=%" PRIu64 "\n", seed);
    random_seed(seed);
}

void random_start(void)
{
    random_start_at((uint64_t)time(NULL));
}

/* the upper half: its bits are better mixed */
unsigned random_below(unsigned n)
{
    return (unsigned)((random_next() >> 33) % n);
}

bool random_chance(unsigned percent)
{
    return random_below(100) < percent;
}
