// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/topology.h"

#include <stdlib.h>
#include <string.h>

#include "schema/yaml.h"

static const struct xinv_reserved_region msi_window = {0xfee00000, 0xfeefffff, 1};

static void set_reserved(struct topology_endpoint *to, const struct xinv_reserved_region *regions,
                         size_t n)
{
    to->reserved = cli_alloc(n, sizeof(*to->reserved));
    for (size_t i = 0; i < n; i++)
        to->reserved[i] = regions[i];
    to->e.n_reserved = (uint8_t)n;
    to->e.reserved = to->reserved;
}

void topology_default(struct topology *t)
{
    *t = (struct topology){0};
    t->name = cli_copy("default");
    t->config = (struct xinv_session_config){
        .page_size_mask = ~UINT64_C(0xfff),
        .input_end = UINT64_MAX,
        .domain_end = UINT32_MAX,
        .probe_size = 512,
        .features = XINV_VIRTIO_F_INPUT_RANGE | XINV_VIRTIO_F_DOMAIN_RANGE |
                    XINV_VIRTIO_F_MAP_UNMAP | XINV_VIRTIO_F_PROBE | XINV_VIRTIO_F_MMIO |
                    XINV_VIRTIO_F_BYPASS_CONFIG,
        .n_iommus = 1,
    };
    t->defaults.e.stage = XINV_STAGE_STAGE2;
    t->defaults.e.queue_depth = 32;
    t->defaults.pci_vendor = 0xffff;
    t->defaults.pci_device = 0xffff;
    set_reserved(&t->defaults, &msi_window, 1);
}

void topology_free(struct topology *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->endpoints[i].aliases);
        free(t->endpoints[i].reserved);
    }
    free(t->endpoints);
    free(t->defaults.aliases);
    free(t->defaults.reserved);
    free(t->name);
    *t = (struct topology){0};
}

/* ---- Reading -----------------------------------------------------------------------------------
 */

static void read_range(const struct schema_node *map, const char *key, uint64_t most,
                       uint64_t *first, uint64_t *last)
{
    struct schema_node list = schema_get(map, key);
    struct schema_node low;
    struct schema_node high;

    if (!list.node)
        return;
    if (schema_length(&list) != 2) {
        schema_fail(&list, "a range is [first, last], both inclusive");
        return;
    }
    low = schema_item(&list, 0);
    high = schema_item(&list, 1);
    *first = schema_number(&low, 0, most);
    *last = schema_number(&high, 0, most);
    if (*first > *last)
        schema_fail(&list, "first is above last");
}

static void read_session(struct topology *t, const struct schema_node *root)
{
    static const char *const keys[] = {"page_size_mask", "input_range",  "domain_range",
                                       "probe_size",     "unknown_type", NULL};
    static const char *const unknown[] = {"unsupp", "unwritten", NULL};
    struct schema_node map = schema_get(root, "session");
    struct schema_node value;
    uint64_t first = t->config.domain_start;
    uint64_t last = t->config.domain_end;

    if (!map.node || !schema_map(&map, keys))
        return;
    value = schema_get(&map, "page_size_mask");
    if (value.node) {
        t->config.page_size_mask = schema_number(&value, 0, UINT64_MAX);
        if (!t->config.page_size_mask)
            schema_fail(&value, "is 0; at least one page size is needed");
    }
    read_range(&map, "input_range", UINT64_MAX, &t->config.input_start, &t->config.input_end);
    read_range(&map, "domain_range", UINT32_MAX, &first, &last);
    t->config.domain_start = (uint32_t)first;
    t->config.domain_end = (uint32_t)last;
    value = schema_get(&map, "probe_size");
    if (value.node)
        t->config.probe_size = (uint32_t)schema_number(&value, 0, 1u << 16);
    value = schema_get(&map, "unknown_type");
    if (value.node)
        t->config.unknown_type_unwritten = (uint8_t)schema_choice(&value, unknown);
}

static void read_aliases(struct topology_endpoint *e, const struct schema_node *map)
{
    struct schema_node list = schema_get(map, "aliases");
    size_t n = schema_length(&list);

    if (n > UINT8_MAX) {
        schema_fail(&list, "has %zu entries; at most 255", n);
        return;
    }
    if (!n)
        return;
    free(e->aliases);
    e->aliases = cli_alloc(n, sizeof(*e->aliases));
    for (size_t i = 0; i < n; i++) {
        struct schema_node item = schema_item(&list, i);

        e->aliases[i] = (uint32_t)schema_number(&item, 0, UINT32_MAX);
    }
    e->e.aliases = e->aliases;
    e->e.n_aliases = (uint8_t)n;
}

static void read_reserved(struct topology_endpoint *e, const struct schema_node *map)
{
    static const char *const keys[] = {"range", "type", NULL};
    static const char *const types[] = {"reserved", "msi", NULL};
    struct xinv_reserved_region regions[16];
    struct schema_node list = schema_get(map, "reserved");
    size_t n = schema_length(&list);

    if (!list.node)
        return;
    if (n > sizeof(regions) / sizeof(regions[0])) {
        schema_fail(&list, "has %zu entries; at most 16", n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct schema_node item = schema_item(&list, i);
        struct schema_node type = schema_get(&item, "type");

        if (!schema_map(&item, keys))
            return;
        (void)schema_require(&item, "range");
        regions[i] = (struct xinv_reserved_region){0};
        read_range(&item, "range", UINT64_MAX, &regions[i].start, &regions[i].end);
        if (type.node)
            regions[i].msi = (uint8_t)schema_choice(&type, types);
    }
    free(e->reserved);
    set_reserved(e, regions, n);
}

static void read_pci_id(struct topology_endpoint *e, const struct schema_node *map)
{
    struct schema_node value = schema_get(map, "pci_id");
    char text[16];
    uint64_t vendor;
    uint64_t device;

    if (!value.node)
        return;
    snprintf(text, sizeof(text), "0x%s", schema_text(&value));
    if (strlen(schema_text(&value)) == 9 && text[6] == ':') {
        char second[8];

        text[6] = '\0';
        snprintf(second, sizeof(second), "0x%s", schema_text(&value) + 5);
        if (cli_number(text, UINT16_MAX, &vendor) && cli_number(second, UINT16_MAX, &device)) {
            e->pci_vendor = (uint16_t)vendor;
            e->pci_device = (uint16_t)device;
            return;
        }
    }
    schema_fail(&value, "is no PCI ID; expected \"VVVV:DDDD\", four hexadecimal digits each");
}

static void read_flag(struct topology_endpoint *e, const struct schema_node *map, const char *key,
                      uint8_t flag)
{
    struct schema_node value = schema_get(map, key);

    if (!value.node)
        return;
    e->e.flags &= (uint8_t)~flag;
    if (schema_bool(&value))
        e->e.flags |= flag;
}

static uint32_t number_or(const struct schema_node *map, const char *key, uint32_t most,
                          uint32_t preset)
{
    struct schema_node value = schema_get(map, key);

    return value.node ? (uint32_t)schema_number(&value, 0, most) : preset;
}

/* The keys of `defaults:` and of an endpoint; `id` and `rid` are an endpoint's alone. */
static bool read_endpoint(struct topology *t, struct topology_endpoint *e,
                          const struct schema_node *map, const char *const *keys)
{
    static const char *const stages[] = {"stage1", "stage2", NULL};
    struct schema_node stage = schema_get(map, "stage");

    if (!schema_map(map, keys))
        return false;
    e->e.iommu = number_or(map, "iommu", t->config.n_iommus - 1, e->e.iommu);
    if (stage.node) {
        t->stage_given = true;
        e->e.stage = schema_choice(&stage, stages) ? XINV_STAGE_STAGE2 : XINV_STAGE_STAGE1;
    }
    read_flag(e, map, "ats", XINV_ATT_ATS);
    read_flag(e, map, "pasid", XINV_ATT_PASID_ENABLED);
    e->e.queue_depth = (uint8_t)number_or(map, "queue_depth", 32, e->e.queue_depth);
    e->e.queue_id = (uint16_t)number_or(map, "queue_id", UINT16_MAX, e->e.queue_id);
    e->e.pfsid = (uint16_t)number_or(map, "pfsid", UINT16_MAX, e->e.pfsid);
    e->e.fixed_tag = number_or(map, "tag", UINT32_MAX, e->e.fixed_tag);
    read_reserved(e, map);
    read_pci_id(e, map);
    return !map->doc->failed;
}

/* The default's own reserved regions and aliases, so that each endpoint owns its arrays. */
static struct topology_endpoint copy_of(const struct topology_endpoint *from)
{
    struct topology_endpoint to = *from;

    to.aliases = NULL;
    set_reserved(&to, from->reserved, from->e.n_reserved);
    return to;
}

static void read_endpoints(struct topology *t, const struct schema_node *root)
{
    static const char *const keys[] = {"id",  "rid",      "aliases",     "iommu",    "stage",
                                       "ats", "pasid",    "queue_depth", "queue_id", "pfsid",
                                       "tag", "reserved", "pci_id",      NULL};
    struct schema_node list = schema_get(root, "endpoints");
    size_t n = schema_length(&list);

    t->endpoints = cli_alloc(n, sizeof(*t->endpoints));
    for (size_t i = 0; i < n; i++) {
        struct schema_node item = schema_item(&list, i);
        struct schema_node id = schema_require(&item, "id");
        struct topology_endpoint *e = &t->endpoints[i];

        *e = copy_of(&t->defaults);
        t->n++;
        e->e.id = (uint32_t)schema_number(&id, 0, UINT32_MAX);
        e->e.rid = number_or(&item, "rid", UINT32_MAX, e->e.id);
        read_aliases(e, &item);
        if (!read_endpoint(t, e, &item, keys))
            return;
        for (size_t k = 0; k < i; k++)
            if (t->endpoints[k].e.id == e->e.id)
                schema_fail(&id, "endpoint 0x%x is listed already", e->e.id);
    }
}

static void read_root(struct topology *t, const struct schema_node *root)
{
    static const char *const keys[] = {"name",      "iommus",          "session", "defaults",
                                       "endpoints", "other_endpoints", NULL};
    static const char *const default_keys[] = {"iommu",       "stage",    "ats",   "pasid",
                                               "queue_depth", "queue_id", "pfsid", "tag",
                                               "reserved",    "pci_id",   NULL};
    static const char *const others[] = {"defaults", "absent", NULL};
    struct schema_node name = schema_require(root, "name");
    struct schema_node defaults = schema_get(root, "defaults");
    struct schema_node other = schema_get(root, "other_endpoints");

    if (!schema_map(root, keys))
        return;
    free(t->name);
    t->name = cli_copy(schema_text(&name));
    t->config.n_iommus = number_or(root, "iommus", TOPOLOGY_MAX_IOMMUS, 1);
    if (!t->config.n_iommus) {
        struct schema_node iommus = schema_get(root, "iommus");

        schema_fail(&iommus, "is 0; expected 1 to %d", TOPOLOGY_MAX_IOMMUS);
        return;
    }
    read_session(t, root);
    if (defaults.node && !read_endpoint(t, &t->defaults, &defaults, default_keys))
        return;
    read_endpoints(t, root);
    if (other.node)
        t->listed_only = schema_choice(&other, others) == 1;
}

int topology_read(struct topology *t, const char *path)
{
    struct schema_error error = {0};
    struct schema_doc doc;
    struct schema_node root;
    size_t size;
    char *text;
    char line[1024];
    bool good = false;

    topology_default(t);
    text = schema_read_file(path, &size, &error);
    if (text && schema_doc_parse(&doc, path, text, size, &error)) {
        root = schema_root(&doc);
        read_root(t, &root);
        good = !doc.failed;
        schema_doc_close(&doc);
    }
    free(text);
    if (good)
        return CLI_OK;
    topology_free(t);
    schema_error_format(&error, line, sizeof(line));
    return cli_fail(CLI_INPUT, "%s", line);
}

const struct topology_endpoint *topology_find(const struct topology *t, uint32_t id)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->endpoints[i].e.id == id)
            return &t->endpoints[i];
    return t->listed_only ? NULL : &t->defaults;
}
