// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "cli/cache_info.h"
#include "cli/platform.h"
#include "schema/check.h"
#include "schema/load.h"

struct reader {
    struct request *r;
    struct request_error *error;
    bool failed;
    uint32_t seen; /* keys of the attachment that is being read */
    bool bytes;    /* the explicit request is given as bytes */
};

/* Where a value stands; a chain of these makes the path of an error. */
struct place {
    const struct place *in;
    const char *key; /* NULL: an index */
    int index;
};

static size_t put_path(const struct place *at, char *text, size_t size)
{
    size_t used = at->in ? put_path(at->in, text, size) : 0;

    if (used < size && at->key)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "." : "", at->key);
    else if (used < size && at->in)
        used += (size_t)snprintf(text + used, size - used, "[%d]", at->index);
    return used;
}

static void fail(struct reader *rd, const struct place *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct reader *rd, const struct place *at, const char *format, ...)
{
    va_list args;

    if (rd->failed)
        return;
    rd->failed = true;
    rd->error->path[0] = '\0';
    put_path(at, rd->error->path, sizeof(rd->error->path));
    va_start(args, format);
    vsnprintf(rd->error->text, sizeof(rd->error->text), format, args);
    va_end(args);
}

/* ---- Values ------------------------------------------------------------------------------------
 */

static uint64_t number(struct reader *rd, const struct place *at, const cJSON *v, uint64_t most)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    uint64_t value = 0;

    if (cJSON_IsString(v)) {
        if (!cli_number(v->valuestring, UINT64_MAX, &value)) {
            fail(rd, at, "'%.40s' is no number; expected decimal or 0x... digits", v->valuestring);
            return 0;
        }
    } else if (cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble < exact &&
               v->valuedouble == (double)(uint64_t)v->valuedouble) {
        value = (uint64_t)v->valuedouble;
    } else {
        fail(rd, at, "expected a whole number from 0; one of 2^53 or more as a string \"0x...\"");
        return 0;
    }
    if (value > most) {
        fail(rd, at, "0x%" PRIx64 " is too large; at most 0x%" PRIx64, value, most);
        return 0;
    }
    return value;
}

static bool flag(struct reader *rd, const struct place *at, const cJSON *v)
{
    if (!cJSON_IsBool(v))
        fail(rd, at, "expected true or false");
    return cJSON_IsTrue(v);
}

static unsigned choice(struct reader *rd, const struct place *at, const cJSON *v,
                       const char *const *names)
{
    char text[200];
    int i = cJSON_IsString(v) ? cli_choice(v->valuestring, names) : -1;

    if (i >= 0)
        return (unsigned)i;
    fail(rd, at, "expected one of %s", cli_join(names, text, sizeof(text)));
    return 0;
}

static bool is_object(struct reader *rd, const struct place *at, const cJSON *v)
{
    if (!cJSON_IsObject(v))
        fail(rd, at, "expected an object");
    return cJSON_IsObject(v);
}

static void unknown_key(struct reader *rd, const struct place *at)
{
    fail(rd, at, "unknown key");
}

static void refuse_twice(struct reader *rd, const struct place *at, const cJSON *object,
                         const cJSON *v)
{
    for (const cJSON *w = object->child; w != v; w = w->next)
        if (!strcmp(w->string, v->string))
            fail(rd, at, "comes twice");
}

/* Calls `take` for each member; a key that comes twice is an error. */
typedef void take_member(struct reader *rd, const struct place *at, const cJSON *v);

static void members(struct reader *rd, const struct place *in, const cJSON *object,
                    take_member *take)
{
    const cJSON *v;

    if (!is_object(rd, in, object))
        return;
    cJSON_ArrayForEach (v, object) {
        struct place at = {in, v->string, 0};

        refuse_twice(rd, &at, object, v);
        if (!rd->failed)
            take(rd, &at, v);
    }
}

/* ---- The IOMMU ---------------------------------------------------------------------------------
 */

struct iommu_keys {
    const cJSON *platform;
    const cJSON *vendor;
    const cJSON *registers;
    const cJSON *settings;
};

static void find_platform(struct reader *rd, const struct iommu_keys *k)
{
    static const struct place platform = {NULL, "platform", 0};
    static const struct place vendor = {NULL, "vendor", 0};
    const char *name = cJSON_GetStringValue(k->platform ? k->platform : k->vendor);

    if (k->platform && k->vendor) {
        fail(rd, &vendor, "either a platform or a vendor, not both");
    } else if (k->platform) {
        rd->r->platform = name ? cli_platform_find(name) : NULL;
        if (!rd->r->platform)
            fail(rd, &platform, "no platform '%.60s'", name ? name : "");
    } else if (k->vendor) {
        rd->r->described = (struct xinv_platform){.name = "described",
                                                  .title = "An IOMMU by its ID registers",
                                                  .vendor = name ? cli_vendor_find(name) : NULL,
                                                  .registers = rd->r->registers};
        rd->r->platform = &rd->r->described;
        if (!rd->r->platform->vendor)
            fail(rd, &vendor, "no vendor '%.60s'; expected smmuv3, vtd, amdvi or vtd_hwpt",
                 name ? name : "");
    } else {
        rd->r->platform = cli_platform_default();
        if (!rd->r->platform)
            fail(rd, &platform, "is missing; expected a platform's name, or vendor and registers");
    }
}

static void read_registers(struct reader *rd, const cJSON *object)
{
    static const struct place in = {NULL, "registers", 0};
    const struct xinv_vendor *v = rd->r->platform->vendor;
    const cJSON *item;

    if (!is_object(rd, &in, object))
        return;
    cJSON_ArrayForEach (item, object) {
        struct place at = {&in, item->string, 0};
        unsigned i = 0;

        refuse_twice(rd, &at, object, item);
        while (i < v->n_registers && strcmp(v->registers[i], item->string))
            i++;
        if (i == v->n_registers) {
            fail(rd, &at, "is no ID register of %s", v->name);
            return;
        }
        rd->r->registers[i] = number(rd, &at, item, UINT64_MAX);
    }
}

static unsigned read_settings(struct reader *rd, const cJSON *object, struct xinv_setting *set)
{
    static const struct place in = {NULL, "settings", 0};
    const cJSON *item;
    unsigned n = 0;

    if (!is_object(rd, &in, object))
        return 0;
    cJSON_ArrayForEach (item, object) {
        struct place at = {&in, item->string, 0};
        int feature = xinv_feature_find(rd->r->platform->vendor, item->string);

        refuse_twice(rd, &at, object, item);
        if (feature < 0)
            fail(rd, &at, "is no feature of %s", rd->r->platform->vendor->name);
        if (rd->failed)
            return 0;
        set[n].feature = (uint8_t)feature;
        set[n++].value = (uint16_t)number(rd, &at, item, UINT16_MAX);
    }
    return n;
}

static void read_iommu(struct reader *rd, const struct iommu_keys *k)
{
    static const struct place whole = {NULL, NULL, 0};
    struct xinv_setting settings[XINV_MAX_FEATURES];
    unsigned n = 0;
    int ret;

    find_platform(rd, k);
    if (rd->failed)
        return;
    for (unsigned i = 0; i < rd->r->platform->vendor->n_registers; i++)
        rd->r->registers[i] = k->vendor ? 0 : rd->r->platform->registers[i];
    if (k->registers)
        read_registers(rd, k->registers);
    if (k->settings)
        n = read_settings(rd, k->settings, settings);
    if (rd->failed)
        return;
    ret = xinv_iommu_init(&rd->r->iommu, rd->r->platform, rd->r->registers, settings, n);
    if (ret == -XINV_E_NOFORM)
        fail(rd, &whole, "%s: %s", rd->r->platform->name, rd->r->platform->absent);
    else if (ret)
        fail(rd, &whole, "%s", schema_init_text(ret));
}

/* ---- Attachments -------------------------------------------------------------------------------
 */

static void set_tag(struct reader *rd, const struct place *at, const cJSON *v, unsigned tag,
                    uint32_t *value)
{
    *value = (uint32_t)number(rd, at, v, UINT32_MAX);
    rd->r->at[rd->r->n].known |= XINV_TAG_BIT(tag);
}

static void set_flag(struct reader *rd, const struct place *at, const cJSON *v, uint8_t bit)
{
    if (flag(rd, at, v))
        rd->r->at[rd->r->n].flags |= bit;
}

static void read_aliases(struct reader *rd, const struct place *in, const cJSON *v)
{
    struct xinv_attachment *a = &rd->r->at[rd->r->n];
    const cJSON *item;

    if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > REQUEST_ALIASES) {
        fail(rd, in, "expected an array of at most %d requester IDs", REQUEST_ALIASES);
        return;
    }
    a->aliases = rd->r->aliases[rd->r->n];
    cJSON_ArrayForEach (item, v) {
        struct place at = {in, NULL, a->n_aliases};

        rd->r->aliases[rd->r->n][a->n_aliases++] = (uint32_t)number(rd, &at, item, UINT32_MAX);
    }
}

static void read_pci_id(struct reader *rd, const struct place *at, const cJSON *v)
{
    const char *text = cJSON_GetStringValue(v);
    unsigned vendor;
    unsigned device;
    int end = 0;

    if (!text || strlen(text) != 9 || sscanf(text, "%4x:%4x%n", &vendor, &device, &end) != 2 ||
        end != 9) {
        fail(rd, at, "expected \"VVVV:DDDD\", four hexadecimal digits each");
        return;
    }
    rd->r->at[rd->r->n].quirks =
        xinv_endpoint_quirks(&rd->r->iommu, (uint16_t)vendor, (uint16_t)device);
}

static void take_attachment_key(struct reader *rd, const struct place *at, const cJSON *v)
{
    static const char *const keys[] = {"stage",       "rid",           "pasid",
                                       "asid",        "did",           "vmid",
                                       "ats",         "pasid_enabled", "pasids_unknown",
                                       "queue_depth", "queue_id",      "pfsid",
                                       "aliases",     "pci_id",        "stream_id",
                                       "source_id",   "device_id",     "substream_id",
                                       "mip",         "maxpend",       NULL};
    /* the vendors' own names stand for one of the first 14 */
    static const uint8_t meant[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 1, 1, 1, 2, 9, 9};
    struct xinv_attachment *a = &rd->r->at[rd->r->n];
    int key = cli_choice(at->key, keys);

    if (key < 0) {
        unknown_key(rd, at);
        return;
    }
    key = meant[key];
    if (rd->seen >> key & 1)
        fail(rd, at, "is another name of a key that is there; one of them is enough");
    rd->seen |= 1u << key;
    switch (key) {
    case 0:
        a->stage = (uint8_t)choice(rd, at, v, schema_stage_names);
        break;
    case 1:
        set_tag(rd, at, v, XINV_TAG_RID, &a->rid);
        break;
    case 2:
        set_tag(rd, at, v, XINV_TAG_PASID, &a->pasid);
        break;
    case 3:
        set_tag(rd, at, v, XINV_TAG_ASID, &a->asid);
        break;
    case 4:
        set_tag(rd, at, v, XINV_TAG_DID, &a->did);
        break;
    case 5:
        set_tag(rd, at, v, XINV_TAG_VMID, &a->vmid);
        break;
    case 6:
        set_flag(rd, at, v, XINV_ATT_ATS);
        break;
    case 7:
        set_flag(rd, at, v, XINV_ATT_PASID_ENABLED);
        break;
    case 8:
        set_flag(rd, at, v, XINV_ATT_PASIDS_UNKNOWN);
        break;
    case 9:
        a->queue_depth = (uint8_t)number(rd, at, v, 32);
        break;
    case 10:
        a->queue_id = (uint16_t)number(rd, at, v, UINT16_MAX);
        break;
    case 11:
        a->pfsid = (uint16_t)number(rd, at, v, UINT16_MAX);
        break;
    case 12:
        read_aliases(rd, at, v);
        break;
    default:
        read_pci_id(rd, at, v);
        break;
    }
}

static void read_attachments(struct reader *rd, const cJSON *list, const cJSON *stage)
{
    static const struct place in = {NULL, "attachments", 0};
    static const struct place stage_at = {NULL, "stage", 0};
    uint8_t preset = stage ? (uint8_t)choice(rd, &stage_at, stage, schema_stage_names) : 0;
    const cJSON *item;

    if (!cJSON_IsArray(list) || !cJSON_GetArraySize(list) ||
        cJSON_GetArraySize(list) > REQUEST_ATTACHMENTS) {
        fail(rd, &in, "expected an array of 1 to %d attachments", REQUEST_ATTACHMENTS);
        return;
    }
    cJSON_ArrayForEach (item, list) {
        struct place at = {&in, NULL, (int)rd->r->n};

        rd->seen = 0;
        rd->r->at[rd->r->n] = (struct xinv_attachment){.stage = preset};
        members(rd, &at, item, take_attachment_key);
        if (!rd->failed && !stage && !cJSON_GetObjectItemCaseSensitive(item, "stage"))
            fail(rd, &at, "no stage; expected it here or beside the attachments");
        if (rd->failed)
            return;
        rd->r->n++;
    }
}

/* ---- The change or the invalidation ------------------------------------------------------------
 */

static bool take_range_key(struct reader *rd, const struct place *at, const cJSON *v)
{
    static const char *const keys[] = {
        "first",         "last",   "leaf_size",  "leaf_only",     "global", "granule",
        "leaves_within", "beyond", "enumerated", "smallest_leaf", NULL};
    static const uint16_t bits[] = {0,
                                    0,
                                    0,
                                    XINV_REQ_LEAF_ONLY,
                                    XINV_REQ_GLOBAL,
                                    0,
                                    XINV_REQ_LEAVES_WITHIN,
                                    XINV_REQ_BEYOND,
                                    XINV_REQ_ENUMERATED};
    struct xinv_request *r = &rd->r->request;
    int i = cli_choice(at->key, keys);

    if (i < 0)
        return false;
    switch (i) {
    case 0:
        r->first = number(rd, at, v, UINT64_MAX);
        r->flags |= XINV_REQ_RANGE;
        break;
    case 1:
        r->last = number(rd, at, v, UINT64_MAX);
        r->flags |= XINV_REQ_RANGE;
        break;
    case 2:
        r->log2_leaf_size = (uint8_t)number(rd, at, v, 63);
        break;
    case 5:
        r->log2_granule = (uint8_t)number(rd, at, v, 16);
        break;
    case 9:
        r->log2_smallest_leaf = (uint8_t)number(rd, at, v, 63);
        break;
    default:
        if (flag(rd, at, v))
            r->flags |= bits[i];
        break;
    }
    return true;
}

static void take_change_key(struct reader *rd, const struct place *at, const cJSON *v)
{
    static const char *const froms[] = {"present", "not_present", NULL};
    struct xinv_request *r = &rd->r->request;

    if (!strcmp(at->key, "what")) {
        r->change = (uint8_t)choice(rd, at, v, schema_change_names);
    } else if (!strcmp(at->key, "from")) {
        r->from = choice(rd, at, v, froms) ? XINV_FROM_NOT_PRESENT : XINV_FROM_PRESENT;
    } else if (!strcmp(at->key, "new_did")) {
        r->new_did = (uint32_t)number(rd, at, v, UINT32_MAX);
        r->flags |= XINV_REQ_NEW_DID;
    } else if (!take_range_key(rd, at, v)) {
        unknown_key(rd, at);
    }
}

static void take_caches(struct reader *rd, const struct place *in, const cJSON *v)
{
    static const char *const names[] = {"iotlb",         "device_tlb", "pasid_config",
                                        "device_config", "interrupt",  "stage1",
                                        "stage2",        "nested",     NULL};
    const cJSON *item;
    int i = 0;

    if (!cJSON_IsArray(v)) {
        fail(rd, in, "expected an array of caches");
        return;
    }
    cJSON_ArrayForEach (item, v) {
        struct place at = {in, NULL, i++};

        rd->r->request.caches |= (uint8_t)(1u << choice(rd, &at, item, names));
    }
}

/* An explicit request as the former uAPI of Linux has it. */
static void take_bytes(struct reader *rd, const struct place *in, const cJSON *v)
{
    struct cache_info_error error = {.text = "expected a string of hexadecimal digits"};
    struct place at = {in, NULL, 0};

    if (cJSON_IsString(v) && cache_info_parse(v->valuestring, &rd->r->request, &error))
        return;
    at.key = error.field;
    fail(rd, error.field ? &at : in, "%s", error.text);
}

static void take_invalidate_key(struct reader *rd, const struct place *at, const cJSON *v)
{
    static const char *const scopes[] = {"domain",   "pasid",      "address",
                                         "endpoint", "everything", NULL};
    static const char *const in_bytes[] = {"caches", "scope",     "pasid",     "asid", "first",
                                           "last",   "leaf_size", "leaf_only", NULL};
    struct xinv_request *r = &rd->r->request;

    if (!strcmp(at->key, "bytes")) {
        take_bytes(rd, at, v);
    } else if (rd->bytes && cli_choice(at->key, in_bytes) >= 0) {
        fail(rd, at, "the bytes say it");
    } else if (!strcmp(at->key, "caches")) {
        take_caches(rd, at, v);
    } else if (!strcmp(at->key, "scope")) {
        r->scope = (uint8_t)choice(rd, at, v, scopes);
    } else if (!strcmp(at->key, "pasid")) {
        r->pasid = (uint32_t)number(rd, at, v, UINT32_MAX);
        r->flags |= XINV_REQ_PASID;
    } else if (!strcmp(at->key, "asid")) {
        r->asid = (uint32_t)number(rd, at, v, UINT32_MAX);
        r->flags |= XINV_REQ_ASID;
    } else if (!take_range_key(rd, at, v)) {
        unknown_key(rd, at);
    }
}

static void require(struct reader *rd, const struct place *at, const cJSON *object, const char *key)
{
    if (!rd->failed && !cJSON_GetObjectItemCaseSensitive(object, key))
        fail(rd, at, "no '%s' in it", key);
}

static void read_what(struct reader *rd, const cJSON *change, const cJSON *invalidate)
{
    static const struct place change_at = {NULL, "change", 0};
    static const struct place invalidate_at = {NULL, "invalidate", 0};
    const struct place *at = change ? &change_at : &invalidate_at;
    const cJSON *object = change ? change : invalidate;

    if (!change == !invalidate) {
        fail(rd, &change_at, "expected either a change or an invalidation");
        return;
    }
    rd->bytes = cJSON_GetObjectItemCaseSensitive(invalidate, "bytes") != NULL;
    members(rd, at, object, change ? take_change_key : take_invalidate_key);
    if (rd->bytes)
        return;
    require(rd, at, object, change ? "what" : "caches");
    if (invalidate) {
        rd->r->request.flags |= XINV_REQ_INVALIDATE;
        require(rd, at, object, "scope");
    }
    if (rd->r->request.flags & XINV_REQ_RANGE) {
        require(rd, at, object, "first");
        require(rd, at, object, "last");
    }
}

static void read_policy(struct reader *rd, const cJSON *v)
{
    static const struct place at = {NULL, "policy", 0};
    static const struct place at_most = {&at, "at_most", 0};
    static const char *const kinds[] = {"exact", "latency", NULL};
    const cJSON *k = cJSON_GetObjectItemCaseSensitive(v, "at_most");

    if (cJSON_IsObject(v) && k && cJSON_GetArraySize(v) == 1) {
        rd->r->policy.kind = XINV_POLICY_AT_MOST;
        rd->r->policy.blocks = (uint8_t)number(rd, &at_most, k, XINV_MAX_BLOCKS);
        if (!rd->r->policy.blocks)
            fail(rd, &at_most, "expected 1 to %d", XINV_MAX_BLOCKS);
    } else if (cJSON_IsString(v)) {
        rd->r->policy.kind = choice(rd, &at, v, kinds) ? XINV_POLICY_LATENCY : XINV_POLICY_EXACT;
    } else {
        fail(rd, &at, "expected \"exact\", \"latency\" or {\"at_most\": K}");
    }
}

static void take_completion_key(struct reader *rd, const struct place *at, const cJSON *v)
{
    static const char *const keys[] = {"address", "data", "interrupt", "fence", "drain", NULL};
    struct xinv_completion *c = &rd->r->completion;

    switch (cli_choice(at->key, keys)) {
    case 0:
        c->address = number(rd, at, v, UINT64_MAX);
        c->store = 1;
        break;
    case 1:
        c->data = number(rd, at, v, UINT64_MAX);
        c->store = 1;
        break;
    case 2:
        c->interrupt = flag(rd, at, v);
        break;
    case 3:
        c->fence = flag(rd, at, v);
        break;
    case 4:
        c->drain = flag(rd, at, v);
        break;
    default:
        unknown_key(rd, at);
        break;
    }
}

static void read_completion(struct reader *rd, const cJSON *v)
{
    static const struct place at = {NULL, "completion", 0};

    if (cJSON_IsString(v) && !strcmp(v->valuestring, "none"))
        return;
    if (!cJSON_IsObject(v)) {
        fail(rd, &at, "expected \"none\" or an object");
        return;
    }
    members(rd, &at, v, take_completion_key);
    if (rd->r->completion.store) {
        require(rd, &at, v, "address");
        require(rd, &at, v, "data");
    }
}

/* A kind brings one attachment and the change with it. */
static void read_kind(struct reader *rd, const cJSON *v, const cJSON *const others[4])
{
    static const struct place at = {NULL, "kind", 0};
    const char *name = cJSON_GetStringValue(v);

    rd->r->kind = name ? cli_kind_find(name) : NULL;
    if (!rd->r->kind) {
        fail(rd, &at, "no kind '%.60s'; xinv matrix lists them", name ? name : "");
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        if (others[i])
            fail(rd, &at, "comes with its own %s", others[i]->string);
    cli_kind_request(rd->r->kind, &rd->r->iommu, &rd->r->at[0], &rd->r->request);
    rd->r->n = 1;
}

static uint16_t read_max_commands(struct reader *rd, const cJSON *v)
{
    static const struct place at = {NULL, "max_commands", 0};

    if (cJSON_IsString(v) && strcmp(v->valuestring, "cost") == 0)
        return XINV_WORTH;
    return (uint16_t)number(rd, &at, v, XINV_WORTH - 1);
}

bool request_read(struct request *r, const cJSON *json, struct request_error *error)
{
    static const char *const keys[] = {
        "platform",   "vendor", "registers",  "settings",     "stage", "attachments", "change",
        "invalidate", "policy", "completion", "max_commands", "id",    "kind",        NULL};
    static const struct place whole = {NULL, NULL, 0};
    const cJSON *at[sizeof(keys) / sizeof(keys[0])] = {NULL};
    struct reader rd = {r, error, false, 0, false};
    struct iommu_keys iommu;
    const cJSON *v;

    r->n = 0;
    r->kind = NULL;
    r->request = (struct xinv_request){0};
    r->policy = (struct xinv_policy){0};
    r->completion = (struct xinv_completion){0};
    if (!is_object(&rd, &whole, json))
        return false;
    cJSON_ArrayForEach (v, json) {
        struct place key = {NULL, v->string, 0};
        int i = cli_choice(v->string, keys);

        if (i < 0)
            unknown_key(&rd, &key);
        else if (at[i])
            fail(&rd, &key, "comes twice");
        else
            at[i] = v;
    }
    iommu = (struct iommu_keys){at[0], at[1], at[2], at[3]};
    if (!rd.failed)
        read_iommu(&rd, &iommu);
    if (!rd.failed && at[12])
        read_kind(&rd, at[12], &at[4]);
    if (!rd.failed && !at[12])
        read_attachments(&rd, at[5], at[4]);
    if (!rd.failed && !at[12])
        read_what(&rd, at[6], at[7]);
    if (!rd.failed && at[8])
        read_policy(&rd, at[8]);
    if (!rd.failed && at[9])
        read_completion(&rd, at[9]);
    if (!rd.failed && at[10])
        r->policy.max_commands = read_max_commands(&rd, at[10]);
    return !rd.failed;
}
