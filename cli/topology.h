// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What requests do not carry: which endpoints there are, behind which IOMMU, and how each of them
 * is attached. Read from YAML (docs/topology.md); without a file the defaults apply to every
 * endpoint that a capture names.
 */
#ifndef XINV_CLI_TOPOLOGY_H
#define XINV_CLI_TOPOLOGY_H

#include <xinv/session.h>

#include "cli/cli.h"

#define TOPOLOGY_MAX_IOMMUS 32

struct topology_endpoint {
    struct xinv_endpoint e;
    uint16_t pci_vendor; /* 0xffff: not given */
    uint16_t pci_device;
    uint32_t *aliases;
    struct xinv_reserved_region *reserved;
};

struct topology {
    char *name;
    struct xinv_session_config config; /* its sizes are the replay's */
    struct topology_endpoint defaults; /* for endpoints that are not listed */
    bool stage_given;                  /* defaults.e.stage comes from the file */
    bool listed_only;                  /* endpoints that are not listed do not exist */
    struct topology_endpoint *endpoints;
    size_t n;
};

/* topology_default - one IOMMU; stage 2, no ATS; requester ID = endpoint number */
void topology_default(struct topology *t);

/* topology_read - a file; CLI_OK, or CLI_INPUT after a complaint with file, line and column */
int topology_read(struct topology *t, const char *path);
void topology_free(struct topology *t);

/* topology_find - how an endpoint is attached, or NULL where the file lists others only */
const struct topology_endpoint *topology_find(const struct topology *t, uint32_t id);

#endif
