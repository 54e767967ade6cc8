// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What recorded guests come to, command by command: every word that the tool writes for every
 * platform is valid to a decoder that shares nothing with the encoder.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/refdec.h"
#include "tests/support/vectorcaps.h"

static const char *const topologies[] = {"stage2", "stage1", "stage2-ats", "stage1-ats"};

static const char *from_environment(const char *name, const char *preset)
{
    const char *value = getenv(name);

    return value ? value : preset;
}

/* Decodes a file of words; returns how many commands it has. */
static size_t decode_file(const struct xinv_iommu *iommu, const char *path)
{
    struct refdec_caps caps = vector_caps(iommu);
    FILE *f = fopen(path, "rb");
    uint64_t words[4];
    size_t n = 0;

    cr_assert_not_null(f);
    while (fread(words, 8, iommu->words, f) == iommu->words) {
        struct refdec_cmd cmd;
        char err[160];

        cr_assert_eq(refdec_decode(vector_refdec_vendor(iommu), &caps, words, iommu->words, &cmd,
                                   err, sizeof(err)),
                     0, "%s, command %zu: %016lx %016lx: %s", iommu->platform->name, n,
                     (unsigned long)words[0], (unsigned long)words[1], err);
        n++;
    }
    fclose(f);
    return n;
}

static size_t replay(const struct xinv_platform *platform, const char *topology)
{
    const char *source = from_environment("XINV_SOURCE_DIR", ".");
    struct xinv_iommu iommu;
    char path[] = "/tmp/xinv-words-XXXXXX";
    char command[1024];
    size_t n = 0;
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
    snprintf(command, sizeof(command),
             "%s/bin/xinv replay %s/tests/data/captures/viommu-x86-6.12-strict.requests.gz "
             "--platform %s --topology %s/tests/data/topologies/%s.yaml --bin %s >/dev/null 2>&1",
             from_environment("XINV_BUILD_DIR", "build"), source, platform->name, source, topology,
             path);
    /* exit status 1: the platform has no such stage, or no device TLB commands */
    if (!system(command)) {
        cr_assert_eq(xinv_iommu_init(&iommu, platform, NULL, NULL, 0), 0);
        n = decode_file(&iommu, path);
    }
    remove(path);
    return n;
}

Test(streams, every_command_for_a_recorded_guest_is_valid)
{
    const struct xinv_platform *p;
    unsigned replayed = 0;

    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL; i++)
        for (size_t t = 0; t < sizeof(topologies) / sizeof(topologies[0]); t++) {
            size_t n = replay(p, topologies[t]);

            replayed += n > 0;
            cr_assert(n == 0 || n > 10000, "%s, %s: %zu commands", p->name, topologies[t], n);
        }
    cr_assert_gt(replayed, 50);
}
