// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/vendor_iommu.h"

#include <string.h>

#include "schema/check.h"

int vendor_iommu_take(const struct cli_command *command, struct vendor_iommu *v, int option,
                      const char *value)
{
    bool setting = option == VENDOR_IOMMU_SET;
    unsigned *n = setting ? &v->n_settings : &v->n_registers;

    switch (option) {
    case VENDOR_IOMMU_PLATFORM:
        v->platform = value;
        return CLI_OK;
    case VENDOR_IOMMU_PLATFORM_FILE:
    case VENDOR_IOMMU_VENDOR_FILE:
        return CLI_OK; /* read before the command runs */
    case VENDOR_IOMMU_WIDTH:
        v->width = value;
        return CLI_OK;
    default:
        break;
    }
    if (*n == VENDOR_IOMMU_PAIRS)
        return cli_misuse(command, "more than %d of --%s", VENDOR_IOMMU_PAIRS,
                          setting ? "set" : "register");
    (setting ? v->settings : v->registers)[(*n)++] = value;
    return CLI_OK;
}

static int take_registers(const struct cli_command *command, const struct vendor_iommu *v,
                          const struct xinv_vendor *vendor, uint64_t *registers)
{
    for (unsigned i = 0; i < v->n_registers; i++) {
        const char *text = v->registers[i];
        const char *equals = strchr(text, '=');
        unsigned r = 0;

        if (!equals)
            return cli_misuse(command, "'%s' is not NAME=VALUE", text);
        while (r < vendor->n_registers &&
               (strlen(vendor->registers[r]) != (size_t)(equals - text) ||
                strncmp(vendor->registers[r], text, (size_t)(equals - text)) != 0))
            r++;
        if (r == vendor->n_registers)
            return cli_misuse(command, "%s has no register '%.*s'", vendor->name,
                              (int)(equals - text), text);
        if (!cli_number(equals + 1, UINT64_MAX, &registers[r]))
            return cli_misuse(command, "'%s' is no value of %s; expected decimal or 0x... digits",
                              equals + 1, vendor->registers[r]);
    }
    return CLI_OK;
}

/* The ring's width is a setting of the table; without a platform a wide ring is a scalable unit's.
 */
static int take_width(const struct cli_command *command, const struct vendor_iommu *v,
                      const struct xinv_vendor *vendor, bool everything,
                      struct xinv_setting *settings, unsigned *n)
{
    int width = xinv_feature_find(vendor, "queue_width");
    int ttm = xinv_feature_find(vendor, "ttm");
    bool wide = v->width && !strcmp(v->width, "256");

    if (!v->width)
        return CLI_OK;
    if (!wide && strcmp(v->width, "128") != 0)
        return cli_misuse(command, "'%s' is no width; 128 or 256", v->width);
    if (width < 0 || ttm < 0)
        return cli_misuse(command, "--width is vtd's; %s has one width", vendor->name);
    settings[(*n)++] = (struct xinv_setting){(uint8_t)width, wide ? 256 : 128};
    if (everything && wide)
        settings[(*n)++] = (struct xinv_setting){(uint8_t)ttm, 1};
    return CLI_OK;
}

/* The platform that is meant: the named one, or that of the only file; *platform NULL: none. */
static int take_platform(const struct cli_command *command, const struct vendor_iommu *v,
                         const struct xinv_platform **platform)
{
    struct cli_platforms list = {0};

    *platform = v->platform ? cli_platform_find(v->platform) : cli_platform_default();
    if (v->platform && !strcmp(v->platform, "all"))
        return cli_misuse(command, "one platform at a time");
    if (v->platform && !*platform)
        return cli_platforms_add(command, &list, v->platform); /* complains with the names */
    if (*platform && strcmp((*platform)->vendor->name, v->vendor) != 0)
        return cli_misuse(command, "platform '%s' is one of %s", (*platform)->name,
                          (*platform)->vendor->name);
    return CLI_OK;
}

int vendor_iommu_make(const struct cli_command *command, const struct vendor_iommu *v,
                      struct xinv_iommu *iommu)
{
    static struct xinv_platform everything = {.name = "every feature"};
    const struct xinv_platform *platform;
    const struct xinv_vendor *vendor;
    struct xinv_setting settings[VENDOR_IOMMU_PAIRS + 2];
    uint64_t registers[16];
    unsigned n = 0;
    int status;
    int ret;

    if (!v->vendor)
        return cli_misuse(command, "no vendor is named; smmuv3, vtd, amdvi or vtd_hwpt");
    if (!cli_vendor_find(v->vendor))
        return cli_misuse(command, "no vendor '%s'; smmuv3, vtd, amdvi or vtd_hwpt", v->vendor);
    status = take_platform(command, v, &platform);
    if (status)
        return status;
    everything.vendor = cli_vendor_find(v->vendor);
    vendor = platform ? platform->vendor : everything.vendor;
    for (unsigned i = 0; i < vendor->n_registers; i++)
        registers[i] = platform ? platform->registers[i] : UINT64_MAX;
    status = take_registers(command, v, vendor, registers);
    if (!status)
        status = take_width(command, v, vendor, !platform, settings, &n);
    for (unsigned i = 0; !status && i < v->n_settings; i++)
        status = cli_set_feature(command, vendor, v->settings[i], &settings[n++]);
    if (status)
        return status;
    ret = xinv_iommu_init(iommu, platform ? platform : &everything, registers, settings, n);
    return ret ? cli_misuse(command, "%s", schema_init_text(ret)) : CLI_OK;
}
