// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, const char *which)
{
    fprintf(stderr, "example: %s: %s\n", what, which);
    abort();
}

const struct xinv_platform *vector_platform(const char *vendor)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = xinv_platform_at(i)) != NULL; i++)
        if (!strcmp(p->vendor->name, vendor))
            return p;
    die("no platform of vendor", vendor);
    return NULL;
}

static int pick(const char *text, const char *const *names, const char *what)
{
    for (int i = 0; names[i]; i++)
        if (!strcmp(text, names[i]))
            return i;
    die(what, text);
    return 0;
}

uint8_t vector_tag(const char *name)
{
    static const char *const names[] = {"rid",     "pasid", "asid",  "did", "vmid",
                                        "address", "ipa",   "index", NULL};

    return (uint8_t)pick(name, names, "unknown tag");
}

static void add_setting(struct xinv_setting *set, unsigned *n, const struct xinv_vendor *vendor,
                        const char *name, uint64_t value)
{
    int feature = xinv_feature_find(vendor, name);

    if (feature < 0)
        die("unknown feature", name);
    set[*n].feature = (uint8_t)feature;
    set[*n].value = (uint16_t)value;
    (*n)++;
}

static void read_iommu(struct vector *v, const char *vendor, struct ynode features)
{
    const struct xinv_platform *platform = vector_platform(vendor);
    struct xinv_setting set[XINV_MAX_FEATURES];
    uint64_t registers[16] = {0};
    unsigned n = 0;

    for (size_t i = 0; i < ypairs(features); i++) {
        const char *name = ykey(features, i);
        struct ynode value = yvalue(features, i);

        if (!strcmp(name, "ttm"))
            add_setting(set, &n, platform->vendor, name, !strcmp(ystr(value), "scalable"));
        else if (!strcmp(name, "np_cache"))
            add_setting(set, &n, platform->vendor, "NpCache", yu64(value));
        else if (!strcmp(name, "platform") && !strcmp(ystr(value), "tegra241_vcmdq"))
            continue; /* HYP_OWN says whose queue it is */
        else if (!strcmp(name, "HYP_OWN"))
            add_setting(set, &n, platform->vendor, "CMDQV_GUEST", !yu64(value));
        else if (!strcmp(name, "host_bridge"))
            /* chipsets that need write-buffer flushes and do not say so (VT-d page, section 5) */
            add_setting(set, &n, platform->vendor, "RWBF", !strcmp(ystr(value), "8086:2a40"));
        else if (!strcmp(name, "platform") && !strcmp(ystr(value), "nvidia,tegra264-smmu"))
            add_setting(set, &n, platform->vendor, "REPEAT_TLBI", 1);
        else
            add_setting(set, &n, platform->vendor, name, yu64(value));
    }
    if (xinv_iommu_init(&v->iommu, platform, registers, set, n))
        die("features contradict each other", vendor);
}

static void known(struct xinv_attachment *at, enum xinv_tag tag)
{
    at->known |= XINV_TAG_BIT(tag);
}

static void read_attachment(struct vector *v, struct ynode node, uint8_t stage)
{
    struct xinv_attachment *at = &v->at[v->n];

    at->stage = stage;
    for (size_t i = 0; i < ypairs(node); i++) {
        const char *key = ykey(node, i);
        struct ynode value = yvalue(node, i);

        if (!strcmp(key, "stream_id") || !strcmp(key, "source_id") || !strcmp(key, "device_id")) {
            at->rid = (uint32_t)yu64(value);
            known(at, XINV_TAG_RID);
        } else if (!strcmp(key, "substream_id") || !strcmp(key, "pasid")) {
            at->pasid = (uint32_t)yu64(value);
            known(at, XINV_TAG_PASID);
        } else if (!strcmp(key, "asid")) {
            at->asid = (uint32_t)yu64(value);
            known(at, XINV_TAG_ASID);
        } else if (!strcmp(key, "did")) {
            at->did = (uint32_t)yu64(value);
            known(at, XINV_TAG_DID);
        } else if (!strcmp(key, "vmid")) {
            at->vmid = (uint32_t)yu64(value);
            known(at, XINV_TAG_VMID);
        } else if (!strcmp(key, "ats")) {
            at->flags |= yu64(value) ? XINV_ATT_ATS : 0;
        } else if (!strcmp(key, "mip") || !strcmp(key, "maxpend")) {
            at->queue_depth = (uint8_t)yu64(value);
        } else if (!strcmp(key, "pfsid")) {
            at->pfsid = (uint16_t)yu64(value);
        } else if (!strcmp(key, "queue_id")) {
            at->queue_id = (uint16_t)yu64(value);
        } else if (!strcmp(key, "aliases")) {
            for (size_t k = 0; k < ylen(value) && k < VECTOR_ALIASES; k++)
                v->aliases[v->n][at->n_aliases++] = (uint32_t)yu64(yat(value, k));
            at->aliases = v->aliases[v->n];
        } else if (!strcmp(key, "pci_id")) {
            unsigned vendor = 0;
            unsigned device = 0;

            if (sscanf(ystr(value), "%x:%x", &vendor, &device) != 2)
                die("not a PCI ID", ystr(value));
            at->quirks = xinv_endpoint_quirks(&v->iommu, (uint16_t)vendor, (uint16_t)device);
        } else if (strcmp(key, "gn")) { /* GN follows from the stage */
            die("unknown attachment key", key);
        }
    }
    v->n++;
}

static void read_domain(struct vector *v, struct ynode domain)
{
    static const char *const stages[] = {"stage1", "stage2", "nested", "passthrough", NULL};
    uint8_t stage = (uint8_t)pick(ystr(yget(domain, "stage")), stages, "unknown stage");
    struct ynode list = yget(domain, "attachments");

    for (size_t i = 0; i < ylen(list); i++)
        read_attachment(v, yat(list, i), stage);
}

/* The nest parent's own DomainID holds stage-2 entries too: a stage-2 change reaches it as one more
 * attachment. */
static void read_parent(struct vector *v, struct ynode domain)
{
    struct xinv_attachment *at = &v->at[v->n];

    if (!yhas(domain, "parent_did") || v->request.change != XINV_CHANGE_STAGE2_PTE ||
        (v->request.flags & XINV_REQ_INVALIDATE))
        return;
    at->stage = XINV_STAGE_STAGE2;
    at->did = (uint32_t)yu64(yget(domain, "parent_did"));
    known(at, XINV_TAG_DID);
    v->n++;
}

/* A guest owns the PASID table of an endpoint whose PASIDs nobody lists. */
static void read_open_pasids(struct vector *v, struct ynode change)
{
    if (!yhas(change, "enumerated") || yu64(yget(change, "enumerated")))
        return;
    for (size_t i = 0; i < v->n; i++)
        if (v->at[i].stage == XINV_STAGE_NESTED && (v->at[i].flags & XINV_ATT_ATS))
            v->at[i].flags |= XINV_ATT_PASIDS_UNKNOWN;
}

static void read_common(struct xinv_request *r, const char *key, struct ynode value)
{
    if (!strcmp(key, "first")) {
        r->first = yu64(value);
        r->flags |= XINV_REQ_RANGE;
    } else if (!strcmp(key, "last")) {
        r->last = yu64(value);
        r->flags |= XINV_REQ_RANGE;
    } else if (!strcmp(key, "leaf_size")) {
        /* every leaf that was removed has this size */
        r->log2_leaf_size = (uint8_t)yu64(value);
        r->log2_smallest_leaf = r->log2_leaf_size;
    } else if (!strcmp(key, "leaf_only")) {
        r->flags |= yu64(value) ? XINV_REQ_LEAF_ONLY : 0;
    } else if (!strcmp(key, "global")) {
        r->flags |= yu64(value) ? XINV_REQ_GLOBAL : 0;
    } else {
        die("unknown request key", key);
    }
}

static void read_change(struct xinv_request *r, struct ynode change)
{
    static const char *const changes[] = {
        "stage1_pte",   "stage2_pte",  "pasid_entry", "pasid_table",
        "device_entry", "tag_release", "everything",  NULL};
    static const char *const froms[] = {"present", "not_present", NULL};

    for (size_t i = 0; i < ypairs(change); i++) {
        const char *key = ykey(change, i);
        struct ynode value = yvalue(change, i);

        if (!strcmp(key, "what")) {
            r->change = (uint8_t)pick(ystr(value), changes, "unknown change");
        } else if (!strcmp(key, "from")) {
            r->from = pick(ystr(value), froms, "unknown from") ? XINV_FROM_NOT_PRESENT
                                                               : XINV_FROM_PRESENT;
        } else if (!strcmp(key, "new_did")) {
            r->new_did = (uint32_t)yu64(value);
            r->flags |= XINV_REQ_NEW_DID;
        } else if (!strcmp(key, "enumerated")) {
            r->flags |= yu64(value) ? XINV_REQ_ENUMERATED : 0;
        } else if (!strcmp(key, "pasid")) {
            r->pasid = (uint32_t)yu64(value);
            r->flags |= XINV_REQ_PASID;
        } else if (!strcmp(key, "did") || !strcmp(key, "asid") || !strcmp(key, "vmid")) {
            continue; /* the tag released: the attachments name it as well */
        } else {
            read_common(r, key, value);
        }
    }
}

static void read_invalidate(struct xinv_request *r, struct ynode node)
{
    static const char *const caches[] = {"iotlb", "device_tlb", "pasid_config", "device_config",
                                         NULL};
    static const char *const scopes[] = {"domain", "pasid", "address", NULL};

    r->flags |= XINV_REQ_INVALIDATE;
    for (size_t i = 0; i < ypairs(node); i++) {
        const char *key = ykey(node, i);
        struct ynode value = yvalue(node, i);

        if (!strcmp(key, "caches")) {
            for (size_t k = 0; k < ylen(value); k++)
                r->caches |= (uint8_t)(1u << pick(ystr(yat(value, k)), caches, "unknown cache"));
        } else if (!strcmp(key, "scope")) {
            r->scope = (uint8_t)pick(ystr(value), scopes, "unknown scope");
        } else if (!strcmp(key, "pasid")) {
            r->pasid = (uint32_t)yu64(value);
            r->flags |= XINV_REQ_PASID;
        } else if (!strcmp(key, "asid")) {
            r->asid = (uint32_t)yu64(value);
            r->flags |= XINV_REQ_ASID;
        } else {
            read_common(r, key, value);
        }
    }
}

static void read_completion(struct xinv_completion *c, struct ynode node)
{
    for (size_t i = 0; i < ypairs(node); i++) {
        const char *key = ykey(node, i);
        struct ynode value = yvalue(node, i);

        if (!strcmp(key, "address")) {
            c->address = yu64(value);
            c->store = 1;
        } else if (!strcmp(key, "data")) {
            c->data = yu64(value);
            c->store = 1;
        } else if (!strcmp(key, "interrupt")) {
            c->interrupt = (uint8_t)yu64(value);
        } else if (!strcmp(key, "fence") || !strcmp(key, "flush")) {
            c->fence = (uint8_t)yu64(value);
        } else if (!strcmp(key, "page_drain")) {
            c->drain = (uint8_t)yu64(value);
        } else {
            die("unknown completion key", key);
        }
    }
}

static void read_policy(struct xinv_policy *p, struct ynode node)
{
    static const char *const kinds[] = {"exact", "latency", NULL};

    if (yhas(node, "at_most")) {
        p->kind = XINV_POLICY_AT_MOST;
        p->blocks = (uint8_t)yu64(yget(node, "at_most"));
    } else {
        p->kind =
            pick(ystr(node), kinds, "unknown policy") ? XINV_POLICY_LATENCY : XINV_POLICY_EXACT;
    }
}

void vector_read(struct vector *v, const char *vendor, struct ynode example)
{
    memset(v, 0, sizeof(*v));
    read_iommu(v, vendor, yget(example, "features"));
    if (yhas(example, "change"))
        read_change(&v->request, yget(example, "change"));
    if (yhas(example, "invalidate"))
        read_invalidate(&v->request, yget(example, "invalidate"));
    read_domain(v, yget(example, "domain"));
    read_parent(v, yget(example, "domain"));
    read_open_pasids(v, yget(example, "change"));
    read_completion(&v->completion, yget(example, "completion"));
    read_policy(&v->policy, yget(example, "policy"));
}
