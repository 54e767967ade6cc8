// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "host.h"

#include <errno.h>
#include <string.h>
#include <xinv/platforms.h>

/* A wider call after a failed one, and one more after that: an error that stays is not of the
 * moment. */
#define ROUNDS 3

/* ---- Set-up ---- */

static int bind_device(struct host *h, struct host_device *d)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = h->kernel->iommufd};
    int ret = kernel_call(h->kernel, d->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);

    d->dev_id = bind.out_devid;
    return ret;
}

/* The library's view of the IOMMU of a device, from what the kernel says of the hardware. */
static int get_iommu(struct host *h, const struct host_device *d)
{
    union {
        struct xinv_iommufd_hw_info_vtd vtd;
        struct xinv_iommufd_hw_info_arm_smmuv3 smmuv3;
        struct xinv_iommufd_hw_info_amd amd;
    } data;
    struct xinv_iommufd_hw_info info = {.size = sizeof(info),
                                        .dev_id = d->dev_id,
                                        .data_len = sizeof(data),
                                        .data_uptr = (uintptr_t)&data};
    struct host_iommu *u = &h->iommu[d->iommu];
    int ret = kernel_call(h->kernel, h->kernel->iommufd, IOMMU_GET_HW_INFO, &info);

    if (ret)
        return ret;
    h->type = info.out_data_type;
    switch (info.out_data_type) {
    case XINV_IOMMUFD_HW_INFO_VTD:
        ret = xinv_iommufd_vtd_init(&u->iommu, &data.vtd, info.data_len);
        break;
    case XINV_IOMMUFD_HW_INFO_ARM_SMMUV3:
        ret = xinv_iommufd_smmuv3_init(&u->iommu, &data.smmuv3, info.data_len);
        h->kernel->smmu = &u->iommu;
        break;
    case XINV_IOMMUFD_HW_INFO_AMD:
        ret = xinv_iommufd_amd_init(&u->iommu, &data.amd, info.data_len);
        h->absent = xinv_platform_iommufd_amd.absent;
        break;
    default:
        return -ENODEV;
    }
    return ret ? -ENODEV : 0;
}

static int map_memory(struct host *h)
{
    struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};
    struct iommu_ioas_map map = {.size = sizeof(map),
                                 .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
                                          IOMMU_IOAS_MAP_READABLE,
                                 .user_va = (uintptr_t)h->memory,
                                 .length = h->size,
                                 .iova = h->gpa};
    int ret = kernel_call(h->kernel, h->kernel->iommufd, IOMMU_IOAS_ALLOC, &alloc);

    if (ret)
        return ret;
    h->ioas = alloc.out_ioas_id;
    map.ioas_id = alloc.out_ioas_id;
    return kernel_call(h->kernel, h->kernel->iommufd, IOMMU_IOAS_MAP, &map);
}

static int make_parent(struct host *h, const struct host_device *d, struct host_iommu *u)
{
    struct iommu_hwpt_alloc alloc = {.size = sizeof(alloc),
                                     .flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
                                     .dev_id = d->dev_id,
                                     .pt_id = h->ioas};
    struct iommu_viommu_alloc viommu = {
        .size = sizeof(viommu), .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3, .dev_id = d->dev_id};
    int ret = kernel_call(h->kernel, h->kernel->iommufd, IOMMU_HWPT_ALLOC, &alloc);

    u->parent = alloc.out_hwpt_id;
    if (ret || h->type != XINV_IOMMUFD_HW_INFO_ARM_SMMUV3)
        return ret;
    viommu.hwpt_id = u->parent;
    ret = kernel_call(h->kernel, h->kernel->iommufd, IOMMU_VIOMMU_ALLOC, &viommu);
    u->viommu = viommu.out_viommu_id;
    return ret;
}

static int make_vdevice(struct host *h, const struct host_device *d)
{
    struct iommu_vdevice_alloc alloc = {.size = sizeof(alloc),
                                        .viommu_id = h->iommu[d->iommu].viommu,
                                        .dev_id = d->dev_id,
                                        .virt_id = d->endpoint};

    if (!alloc.viommu_id)
        return 0;
    return kernel_call(h->kernel, h->kernel->iommufd, IOMMU_VDEVICE_ALLOC, &alloc);
}

int host_open(struct host *h)
{
    int ret = 0;

    for (uint32_t i = 0; i < h->n_devices && !ret; i++)
        ret = bind_device(h, &h->device[i]);
    if (!ret)
        ret = map_memory(h);
    for (uint32_t i = 0; i < h->n_devices && !ret; i++) {
        struct host_device *d = &h->device[i];
        struct host_iommu *u = &h->iommu[d->iommu];

        if (!u->parent) {
            u->out = (struct xinv_out){.words = u->words,
                                       .steps = u->steps,
                                       .cap_words = HOST_WORDS,
                                       .cap_steps = HOST_STEPS};
            ret = get_iommu(h, d);
            if (!ret)
                ret = make_parent(h, d, u);
            h->n_iommus++;
        }
        if (!ret)
            ret = make_vdevice(h, d);
    }
    return ret;
}

/* ---- Tables and devices ---- */

static uint32_t *find_owed(struct host *h, uint32_t object)
{
    for (uint32_t i = 0; i < h->n_owed && i < HOST_OWED; i++)
        if (h->owed[i] == object)
            return &h->owed[i];
    return NULL;
}

int host_nest(struct host *h, const struct host_device *d, const void *data, uint32_t *hwpt)
{
    bool smmuv3 = h->type == XINV_IOMMUFD_HW_INFO_ARM_SMMUV3;
    const struct host_iommu *u = &h->iommu[d->iommu];
    struct iommu_hwpt_alloc alloc = {.size = sizeof(alloc),
                                     .dev_id = d->dev_id,
                                     .pt_id = smmuv3 ? u->viommu : u->parent,
                                     .data_type = smmuv3 ? IOMMU_HWPT_DATA_ARM_SMMUV3
                                                         : IOMMU_HWPT_DATA_VTD_S1,
                                     .data_len = smmuv3 ? sizeof(struct iommu_hwpt_arm_smmuv3)
                                                        : sizeof(struct iommu_hwpt_vtd_s1),
                                     .data_uptr = (uintptr_t)data};
    int ret = kernel_call(h->kernel, h->kernel->iommufd, IOMMU_HWPT_ALLOC, &alloc);

    if (!ret)
        *hwpt = alloc.out_hwpt_id;
    return ret;
}

void host_destroy(struct host *h, uint32_t id)
{
    struct iommu_destroy destroy = {.size = sizeof(destroy), .id = id};
    uint32_t *owed = find_owed(h, id);

    if (owed && h->n_owed <= HOST_OWED)
        *owed = h->owed[--h->n_owed];
    kernel_call(h->kernel, h->kernel->iommufd, IOMMU_DESTROY, &destroy);
}

int host_block(struct host *h, struct host_device *d)
{
    struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};
    int ret = 0;

    if (d->attached)
        ret = kernel_call(h->kernel, d->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
    if (!ret)
        d->attached = 0;
    return ret;
}

/* ---- Invalidation ---- */

int host_queue(struct host *h, uint32_t iommu, const struct xinv_attachment *attachments, size_t n,
               const struct xinv_request *request)
{
    /* a range that would take more is given up for the whole table: no list outgrows the buffer */
    static const struct xinv_policy policy = {.kind = XINV_POLICY_EXACT, .max_commands = 64};
    struct host_iommu *u = &h->iommu[iommu];
    uint32_t step = u->out.n_steps;
    uint8_t phase = 0;
    int ret = xinv_translate(&u->iommu, attachments, n, request, &policy, NULL, &u->out, NULL);

    for (; step < u->out.n_steps; step++) {
        phase = (uint8_t)(phase + (u->steps[step].kind == XINV_STEP_WAIT));
        u->phase[step] = phase;
    }
    return ret < 0 ? ret : 0;
}

/* Appends the entries of all steps of one phase that are for the same object as the step `from`. */
static void gather(const struct host_iommu *u, uint32_t from, bool *taken, struct xinv_out *list)
{
    struct xinv_step *to = &list->steps[list->n_steps++];

    *to = (struct xinv_step){
        .kind = XINV_STEP_QUEUE, .first = list->n_words, .target = u->steps[from].target};
    for (uint32_t i = from; i < u->out.n_steps; i++) {
        const struct xinv_step *step = &u->steps[i];

        if (taken[i] || u->phase[i] != u->phase[from] || step->kind != XINV_STEP_QUEUE ||
            step->target != to->target)
            continue;
        taken[i] = true;
        memcpy(list->words + list->n_words, u->words + step->first,
               step->count * sizeof(*list->words));
        list->n_words += step->count;
        to->count += step->count;
    }
}

/*
 * What is queued as one list: first what no request waits for, then what waits for that, and so on,
 * the entries of an object together. Each request keeps its order, and they share their calls.
 */
static void share_calls(const struct host_iommu *u, struct xinv_out *list)
{
    bool taken[HOST_STEPS] = {false};
    uint8_t last = 0;

    for (uint32_t i = 0; i < u->out.n_steps; i++)
        last = u->phase[i] > last ? u->phase[i] : last;
    for (unsigned phase = 0; phase <= last; phase++)
        for (uint32_t i = 0; i < u->out.n_steps; i++)
            if (!taken[i] && u->phase[i] == phase && u->steps[i].kind == XINV_STEP_QUEUE)
                gather(u, i, taken, list);
}

void host_owe(struct host *h, uint32_t object)
{
    if (find_owed(h, object))
        return;
    if (h->n_owed < HOST_OWED)
        h->owed[h->n_owed] = object;
    h->n_owed++;
}

/* The last resort: no device translates through the object any more. */
static void block_object(struct host *h, uint32_t object)
{
    host_owe(h, object);
    for (uint32_t i = 0; i < h->n_devices; i++) {
        struct host_device *d = &h->device[i];

        if (d->attached == object || h->iommu[d->iommu].viommu == object)
            host_block(h, d);
    }
}

static int issue_list(struct host *h, const struct xinv_iommu *iommu, struct xinv_out *out,
                      unsigned rounds);

/* One call, and what must follow if it fails. */
static int issue(struct host *h, const struct xinv_iommu *iommu,
                 const struct xinv_iommufd_hwpt_invalidate *call, unsigned rounds)
{
    struct xinv_iommufd_hwpt_invalidate arg = *call; /* the kernel writes into it */
    const void *entries = (const void *)(uintptr_t)call->data_uptr;
    uint64_t words[HOST_WORDS];
    struct xinv_step steps[HOST_STEPS];
    struct xinv_out again = {
        .words = words, .steps = steps, .cap_words = HOST_WORDS, .cap_steps = HOST_STEPS};
    int error = kernel_call(h->kernel, h->kernel->iommufd, IOMMU_HWPT_INVALIDATE, &arg);
    int ret;

    if (!error)
        return 0;
    ret = xinv_iommufd_resume(iommu, call, entries, -error, arg.entry_num, &again);
    if (ret == 0)
        return 0;
    if (ret > 0 && rounds > 1 && !issue_list(h, iommu, &again, rounds - 1))
        return 0;
    block_object(h, call->hwpt_id);
    return error;
}

static int issue_list(struct host *h, const struct xinv_iommu *iommu, struct xinv_out *out,
                      unsigned rounds)
{
    struct xinv_iommufd_hwpt_invalidate calls[HOST_STEPS];
    int n = xinv_iommufd_calls(iommu, out, calls, HOST_STEPS);
    int ret = n < 0 ? -EINVAL : 0;
    uint32_t failed = 0;

    for (uint32_t i = 0; n < 0 && i < out->n_steps; i++)
        block_object(h, out->steps[i].target);
    for (int i = 0; i < n; i++) {
        int error;

        if (ret && calls[i].hwpt_id == failed)
            continue; /* its devices are blocked */
        error = issue(h, iommu, &calls[i], rounds);
        if (error) {
            ret = error;
            failed = calls[i].hwpt_id;
        }
    }
    return ret;
}

int host_flush(struct host *h)
{
    int ret = 0;

    for (uint32_t i = 0; i < h->n_iommus; i++) {
        struct host_iommu *u = &h->iommu[i];
        uint64_t words[HOST_WORDS];
        struct xinv_step steps[HOST_STEPS];
        struct xinv_out list = {
            .words = words, .steps = steps, .cap_words = HOST_WORDS, .cap_steps = HOST_STEPS};
        int error;

        share_calls(u, &list);
        error = issue_list(h, &u->iommu, &list, ROUNDS);
        if (error)
            ret = error;
        u->out.n_words = 0;
        u->out.n_steps = 0;
    }
    return ret;
}

/* Everything of an object: what failed before was a part of it. */
static int make_good(struct host *h, const struct host_device *d, uint32_t object)
{
    struct xinv_request all = {.flags = XINV_REQ_INVALIDATE, .caches = XINV_INV_IOTLB};
    struct xinv_attachment at = {.stage = XINV_STAGE_NESTED,
                                 .known = XINV_TAG_BIT(XINV_TAG_DID) | XINV_TAG_BIT(XINV_TAG_VMID),
                                 .did = object,
                                 .vmid = object};
    const struct xinv_iommu *iommu = &h->iommu[d->iommu].iommu;
    uint64_t words[16];
    struct xinv_step steps[16];
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = 16, .cap_steps = 16};
    struct xinv_iommufd_hwpt_invalidate call;

    if (xinv_translate(iommu, &at, 1, &all, NULL, NULL, &out, NULL) < 0 ||
        xinv_iommufd_calls(iommu, &out, &call, 1) != 1)
        return -EINVAL;
    return kernel_call(h->kernel, h->kernel->iommufd, IOMMU_HWPT_INVALIDATE, &call);
}

int host_attach(struct host *h, struct host_device *d, uint32_t hwpt)
{
    struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = hwpt};
    uint32_t viommu = h->iommu[d->iommu].viommu;
    uint32_t object = viommu ? viommu : hwpt;
    uint32_t *owed = find_owed(h, object);
    int ret = h->n_owed > HOST_OWED ? -EIO : 0;

    if (!ret && owed)
        ret = make_good(h, d, object);
    if (!ret && owed)
        *owed = h->owed[--h->n_owed];
    if (!ret)
        ret = kernel_call(h->kernel, d->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
    if (!ret)
        d->attached = hwpt;
    return ret;
}
