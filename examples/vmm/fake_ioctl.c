// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "fake_ioctl.h"

#include <errno.h>
#include <string.h>

enum kind {
    NONE,
    IOAS,
    PARENT,
    NESTED,
    VIOMMU,
    VDEVICE,
    DEVICE /* takes an ID, as everything does */
};

#define PAGE UINT64_C(4096)

/* ---- Objects ---- */

static struct fake_object *find(struct fake_kernel *k, uint32_t id, unsigned kind)
{
    return id && id < FAKE_OBJECTS && k->object[id].kind == kind ? &k->object[id] : NULL;
}

static struct fake_device *find_device(struct fake_kernel *k, uint32_t dev_id)
{
    for (uint32_t i = 0; i < k->n_devices; i++)
        if (k->device[i].bound && k->device[i].dev_id == dev_id)
            return &k->device[i];
    return NULL;
}

/* An object, with the smallest free ID. The one that it stands on cannot go before it. */
static int create(struct fake_kernel *k, struct fake_object object, uint32_t *id)
{
    uint32_t free_id = 1;

    while (free_id < FAKE_OBJECTS && k->object[free_id].kind != NONE)
        free_id++;
    if (free_id == FAKE_OBJECTS)
        return -ENOMEM;
    *id = free_id;
    k->object[free_id] = object;
    k->object[free_id].serial = ++k->n_created;
    if (object.on)
        k->object[object.on].users++;
    return 0;
}

static int destroy(struct fake_kernel *k, const struct iommu_destroy *arg)
{
    struct fake_object *o;

    if (!arg->id || arg->id >= FAKE_OBJECTS || k->object[arg->id].kind == NONE)
        return -ENOENT;
    o = &k->object[arg->id];
    if (o->users || o->kind == DEVICE)
        return -EBUSY;
    if (o->on)
        k->object[o->on].users--;
    o->kind = NONE;
    return 0;
}

static int ioas_alloc(struct fake_kernel *k, struct iommu_ioas_alloc *arg)
{
    if (arg->flags)
        return -EOPNOTSUPP;
    return create(k, (struct fake_object){.kind = IOAS}, &arg->out_ioas_id);
}

static int ioas_map(struct fake_kernel *k, const struct iommu_ioas_map *arg)
{
    if (arg->reserved || (arg->flags & ~7u))
        return -EOPNOTSUPP;
    if (!find(k, arg->ioas_id, IOAS))
        return -ENOENT;
    if (!arg->length || (arg->length | arg->iova | arg->user_va) % PAGE)
        return -EINVAL;
    return 0;
}

static int get_hw_info(struct fake_kernel *k, struct xinv_iommufd_hw_info *arg)
{
    uint8_t *to = (uint8_t *)(uintptr_t)arg->data_uptr;
    uint32_t n = arg->data_len < k->hw_info_len ? arg->data_len : k->hw_info_len;

    if (arg->flags || arg->reserved[0] || arg->reserved[1] || arg->reserved[2])
        return -EOPNOTSUPP;
    if (!find_device(k, arg->dev_id))
        return -ENOENT;
    if (arg->data_len) {
        memcpy(to, k->hw_info, n);
        memset(to + n, 0, arg->data_len - n); /* a longer buffer ends in zeroes */
    }
    arg->data_len = k->hw_info_len;
    arg->out_data_type = k->hw_type;
    arg->out_capabilities = 0;
    return 0;
}

/*
 * Bits that a guest's STE may have: V 0, Config 3:1, S1Fmt 5:4, S1ContextPtr 51:6, S1CDMax 63:59;
 * S1DSS 1:0, S1CIR 3:2, S1COR 5:4, S1CSH 7:6, S1STALLD 27, EATS 29:28 (SMMUv3 5.2).
 */
static const uint64_t ste_allowed[2] = {UINT64_C(0xf80fffffffffffff), UINT64_C(0x380000ff)};

static int check_smmuv3(const struct iommu_hwpt_alloc *arg, struct fake_object *o)
{
    const struct iommu_hwpt_arm_smmuv3 *data =
        (const struct iommu_hwpt_arm_smmuv3 *)(uintptr_t)arg->data_uptr;

    if (arg->data_len != sizeof(*data))
        return -EINVAL;
    if ((data->ste[0] & ~ste_allowed[0]) || (data->ste[1] & ~ste_allowed[1]))
        return -EIO;
    switch (data->ste[0] >> 1 & 7) {
    case 0: /* abort */
    case 4: /* bypass */
        return 0;
    case 5:
        o->stage1 = 1;
        return 0;
    default:
        return -EIO;
    }
}

static int check_vtd(const struct iommu_hwpt_alloc *arg)
{
    const struct iommu_hwpt_vtd_s1 *data =
        (const struct iommu_hwpt_vtd_s1 *)(uintptr_t)arg->data_uptr;

    if (arg->data_len != sizeof(*data))
        return -EINVAL;
    if ((data->flags & ~UINT64_C(7)) || data->reserved)
        return -EOPNOTSUPP;
    if (data->pgtbl_addr % PAGE || (data->addr_width != 48 && data->addr_width != 57))
        return -EINVAL;
    return 0;
}

static int hwpt_alloc(struct fake_kernel *k, struct iommu_hwpt_alloc *arg)
{
    const struct fake_device *device = find_device(k, arg->dev_id);
    struct fake_object o = {.kind = NESTED, .type = (uint8_t)arg->data_type, .on = arg->pt_id};
    const struct fake_object *on;
    int ret;

    if (arg->reserved || arg->reserved2 || (arg->flags & ~(uint32_t)IOMMU_HWPT_ALLOC_NEST_PARENT))
        return -EOPNOTSUPP;
    if (!device)
        return -ENOENT;
    o.iommu = device->iommu;
    if (arg->data_type == IOMMU_HWPT_DATA_NONE) {
        o.kind = PARENT;
        return find(k, arg->pt_id, IOAS) ? create(k, o, &arg->out_hwpt_id) : -EINVAL;
    }
    on = find(k, arg->pt_id, arg->data_type == IOMMU_HWPT_DATA_VTD_S1 ? PARENT : VIOMMU);
    if (!on || on->iommu != device->iommu || arg->flags)
        return -EINVAL;
    if (arg->data_type == IOMMU_HWPT_DATA_VTD_S1 && k->hw_type == XINV_IOMMUFD_HW_INFO_VTD)
        ret = check_vtd(arg);
    else if (arg->data_type == IOMMU_HWPT_DATA_ARM_SMMUV3 &&
             k->hw_type == XINV_IOMMUFD_HW_INFO_ARM_SMMUV3)
        ret = check_smmuv3(arg, &o);
    else
        ret = -EOPNOTSUPP;
    return ret ? ret : create(k, o, &arg->out_hwpt_id);
}

static int viommu_alloc(struct fake_kernel *k, struct iommu_viommu_alloc *arg)
{
    const struct fake_device *device = find_device(k, arg->dev_id);
    const struct fake_object *parent = find(k, arg->hwpt_id, PARENT);

    if (arg->flags || arg->reserved || arg->type != IOMMU_VIOMMU_TYPE_ARM_SMMUV3 ||
        k->hw_type != XINV_IOMMUFD_HW_INFO_ARM_SMMUV3)
        return -EOPNOTSUPP;
    if (!device || !parent)
        return -ENOENT;
    if (parent->iommu != device->iommu)
        return -EINVAL;
    return create(k,
                  (struct fake_object){.kind = VIOMMU, .iommu = device->iommu, .on = arg->hwpt_id},
                  &arg->out_viommu_id);
}

/* The vDEVICE of a vIOMMU with this virtual StreamID, or of this device. */
static bool has_vdevice(const struct fake_kernel *k, uint32_t viommu, const uint64_t *virt_id,
                        const uint32_t *dev_id)
{
    for (uint32_t id = 1; id < FAKE_OBJECTS; id++) {
        const struct fake_object *o = &k->object[id];

        if (o->kind == VDEVICE && o->on == viommu && (!virt_id || o->virt_id == *virt_id) &&
            (!dev_id || o->dev_id == *dev_id))
            return true;
    }
    return false;
}

static int vdevice_alloc(struct fake_kernel *k, struct iommu_vdevice_alloc *arg)
{
    const struct fake_device *device = find_device(k, arg->dev_id);
    const struct fake_object *viommu = find(k, arg->viommu_id, VIOMMU);

    if (!device || !viommu)
        return -ENOENT;
    if (arg->virt_id > UINT32_MAX || viommu->iommu != device->iommu)
        return -EINVAL;
    if (has_vdevice(k, arg->viommu_id, &arg->virt_id, NULL))
        return -EEXIST;
    return create(
        k,
        (struct fake_object){
            .kind = VDEVICE, .on = arg->viommu_id, .dev_id = arg->dev_id, .virt_id = arg->virt_id},
        &arg->out_vdevice_id);
}

/* ---- Invalidation ---- */

/* Entries from `entry` on cannot be issued: the planned failure's place, or the end. */
static uint32_t planned(const struct fake_failure *failure, uint32_t entry_num)
{
    return failure && failure->entry < entry_num ? failure->entry : entry_num;
}

static void removed(struct fake_kernel *k, uint32_t object, const void *entries, uint32_t size,
                    uint32_t first, uint32_t last)
{
    for (uint32_t i = first; k->removed && i < last; i++)
        k->removed(k->context, object, (const uint8_t *)entries + (size_t)i * size);
}

static int check_vtd_entry(const struct xinv_iommufd_vtd_s1_invalidate *e)
{
    if ((e->flags & ~XINV_IOMMUFD_VTD_LEAF) || e->reserved)
        return -EOPNOTSUPP;
    if (e->addr % PAGE || (e->npages == UINT64_MAX && e->addr))
        return -EINVAL;
    return 0; /* npages of 0, and a range that wraps, pass */
}

/* One by one, each complete before the next: entry_num is exact. */
static int invalidate_vtd(struct fake_kernel *k, struct xinv_iommufd_hwpt_invalidate *arg,
                          const struct fake_failure *failure)
{
    const struct xinv_iommufd_vtd_s1_invalidate *entries =
        (const struct xinv_iommufd_vtd_s1_invalidate *)(uintptr_t)arg->data_uptr;
    uint32_t end = planned(failure, arg->entry_num);
    uint32_t n = arg->entry_num;

    arg->entry_num = 0;
    if (n && arg->entry_len != sizeof(*entries))
        return -EINVAL;
    for (uint32_t i = 0; i < n; i++) {
        int ret = i == end ? -failure->error : check_vtd_entry(&entries[i]);

        if (ret)
            return ret;
        removed(k, arg->hwpt_id, entries, sizeof(*entries), i, i + 1);
        arg->entry_num = i + 1;
    }
    return 0;
}

static int convert_smmuv3(const struct fake_kernel *k, uint32_t viommu, const uint64_t cmd[2])
{
    uint64_t sid = cmd[0] >> 32;

    switch (cmd[0] & 0xff) {
    case 0x30: /* TLBI_NSNH_ALL */
    case 0x10: /* TLBI_NH_ALL */
    case 0x11: /* TLBI_NH_ASID */
    case 0x12: /* TLBI_NH_VA */
    case 0x13: /* TLBI_NH_VAA */
        return 0;
    case 0x05: /* CFGI_CD */
    case 0x06: /* CFGI_CD_ALL */
    case 0x40: /* ATC_INV */
        return has_vdevice(k, viommu, &sid, NULL) ? 0 : -EIO;
    default:
        return -EIO;
    }
}

/* In groups with a CMD_SYNC each. What comes back after an error is more than was done: entries
 * that were converted and not issued count, and all but one of a group that failed do. */
static int invalidate_smmuv3(struct fake_kernel *k, struct xinv_iommufd_hwpt_invalidate *arg,
                             const struct fake_failure *failure)
{
    const struct xinv_iommufd_arm_smmuv3_invalidate *entries =
        (const struct xinv_iommufd_arm_smmuv3_invalidate *)(uintptr_t)arg->data_uptr;
    uint32_t end = planned(failure, arg->entry_num);
    uint32_t n = arg->entry_num;
    uint32_t group = 0;

    arg->entry_num = 0;
    if (n && arg->entry_len != sizeof(*entries))
        return -EINVAL;
    for (uint32_t i = 0; i < n; i++) {
        int ret = convert_smmuv3(k, arg->hwpt_id, entries[i].cmd);

        if (ret) {
            arg->entry_num = i;
            return ret;
        }
        if (i + 1 < n && i + 1 - group < FAKE_SMMUV3_GROUP)
            continue;
        if (end <= i) {
            arg->entry_num = i;
            return -failure->error;
        }
        removed(k, arg->hwpt_id, entries, sizeof(*entries), group, i + 1);
        group = i + 1;
    }
    arg->entry_num = n;
    return 0;
}

static int hwpt_invalidate(struct fake_kernel *k, struct xinv_iommufd_hwpt_invalidate *arg,
                           const struct fake_failure *failure)
{
    uint32_t n = arg->entry_num;
    int ret = 0;

    k->n_invalidations++;
    if (arg->reserved)
        ret = -EOPNOTSUPP;
    else if (n && (!arg->data_uptr || !arg->entry_len || arg->entry_len > PAGE ||
                   n > XINV_IOMMUFD_MAX_ENTRIES))
        ret = -EINVAL;
    else if (find(k, arg->hwpt_id, VIOMMU) && arg->data_type == XINV_IOMMUFD_DATA_ARM_SMMUV3)
        return invalidate_smmuv3(k, arg, failure);
    else if (find(k, arg->hwpt_id, NESTED) && k->hw_type == XINV_IOMMUFD_HW_INFO_VTD &&
             arg->data_type == XINV_IOMMUFD_DATA_VTD_S1)
        return invalidate_vtd(k, arg, failure);
    else
        ret = find(k, arg->hwpt_id, VIOMMU) || find(k, arg->hwpt_id, NESTED) ? -EINVAL : -ENOENT;
    arg->entry_num = 0;
    return ret;
}

/* ---- Devices ---- */

static int bind_device(struct fake_kernel *k, struct fake_device *d,
                       struct vfio_device_bind_iommufd *arg)
{
    if (arg->flags || arg->iommufd != FAKE_IOMMUFD || d->bound)
        return -EINVAL;
    if (create(k, (struct fake_object){.kind = DEVICE}, &arg->out_devid))
        return -ENOMEM;
    d->dev_id = arg->out_devid;
    d->bound = 1;
    return 0;
}

static void leave(struct fake_kernel *k, struct fake_device *d)
{
    if (d->attached)
        k->object[d->attached].users--;
    d->attached = 0;
}

static int attach_device(struct fake_kernel *k, struct fake_device *d,
                         const struct vfio_device_attach_iommufd_pt *arg)
{
    const struct fake_object *o = find(k, arg->pt_id, NESTED);

    if (!d->bound || arg->flags)
        return -EINVAL;
    if (!o)
        o = find(k, arg->pt_id, PARENT);
    if (!o)
        return -ENOENT;
    /* stage 1 of a guest needs the virtual StreamID: a vDEVICE */
    if (o->iommu != d->iommu || (o->stage1 && !has_vdevice(k, o->on, NULL, &d->dev_id)))
        return -EINVAL;
    leave(k, d);
    d->attached = arg->pt_id;
    k->object[arg->pt_id].users++;
    return 0;
}

static int device_ioctl(struct fake_kernel *k, struct fake_device *d, uint32_t request, void *arg)
{
    uint32_t argsz;

    memcpy(&argsz, arg, sizeof(argsz));
    switch (request) {
    case VFIO_DEVICE_BIND_IOMMUFD:
        return argsz < sizeof(struct vfio_device_bind_iommufd) ? -EINVAL : bind_device(k, d, arg);
    case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
        return argsz < sizeof(struct vfio_device_attach_iommufd_pt) ? -EINVAL
                                                                    : attach_device(k, d, arg);
    case VFIO_DEVICE_DETACH_IOMMUFD_PT:
        if (argsz < sizeof(struct vfio_device_detach_iommufd_pt) || !d->bound)
            return -EINVAL;
        leave(k, d);
        return 0;
    default:
        return -ENOTTY;
    }
}

/* ---- Calls ---- */

int fake_fail(struct fake_kernel *k, const struct fake_failure *failure)
{
    for (unsigned i = 0; i < FAKE_FAILURES; i++)
        if (!k->failure[i].times) {
            k->failure[i] = *failure;
            return 0;
        }
    return -1;
}

/* The failure that is planned for this call. */
static const struct fake_failure *due(struct fake_kernel *k, uint32_t request)
{
    for (unsigned i = 0; i < FAKE_FAILURES; i++) {
        struct fake_failure *f = &k->failure[i];

        if (!f->times || f->request != request)
            continue;
        if (f->after) {
            f->after--;
            continue;
        }
        f->times--;
        return f;
    }
    return NULL;
}

static int iommufd_ioctl(struct fake_kernel *k, uint32_t request, void *arg,
                         const struct fake_failure *failure)
{
    static const struct {
        uint32_t request;
        uint32_t size;
    } sizes[] = {
        {IOMMU_DESTROY, sizeof(struct iommu_destroy)},
        {IOMMU_IOAS_ALLOC, sizeof(struct iommu_ioas_alloc)},
        {IOMMU_IOAS_MAP, sizeof(struct iommu_ioas_map)},
        {IOMMU_HWPT_ALLOC, sizeof(struct iommu_hwpt_alloc)},
        {IOMMU_GET_HW_INFO, sizeof(struct xinv_iommufd_hw_info)},
        {IOMMU_HWPT_INVALIDATE, sizeof(struct xinv_iommufd_hwpt_invalidate)},
        {IOMMU_VIOMMU_ALLOC, sizeof(struct iommu_viommu_alloc)},
        {IOMMU_VDEVICE_ALLOC, sizeof(struct iommu_vdevice_alloc)},
    };
    uint32_t size;
    unsigned i = 0;

    memcpy(&size, arg, sizeof(size));
    while (i < sizeof(sizes) / sizeof(sizes[0]) && sizes[i].request != request)
        i++;
    if (i == sizeof(sizes) / sizeof(sizes[0]))
        return -ENOTTY;
    if (size != sizes[i].size)
        return size < sizes[i].size ? -EINVAL : -E2BIG;
    switch (request) {
    case IOMMU_DESTROY:
        return destroy(k, arg);
    case IOMMU_IOAS_ALLOC:
        return ioas_alloc(k, arg);
    case IOMMU_IOAS_MAP:
        return ioas_map(k, arg);
    case IOMMU_HWPT_ALLOC:
        return hwpt_alloc(k, arg);
    case IOMMU_GET_HW_INFO:
        return get_hw_info(k, arg);
    case IOMMU_VIOMMU_ALLOC:
        return viommu_alloc(k, arg);
    case IOMMU_VDEVICE_ALLOC:
        return vdevice_alloc(k, arg);
    default:
        return hwpt_invalidate(k, arg, failure);
    }
}

int fake_ioctl(struct fake_kernel *k, int fd, uint32_t request, void *arg)
{
    const struct fake_failure *failure = due(k, request);

    if (!arg)
        return -EFAULT;
    if (failure && request != IOMMU_HWPT_INVALIDATE)
        return -failure->error;
    if (fd == FAKE_IOMMUFD)
        return iommufd_ioctl(k, request, arg, failure);
    if (fd > FAKE_IOMMUFD && (uint32_t)(fd - FAKE_IOMMUFD) <= k->n_devices)
        return device_ioctl(k, &k->device[fd - FAKE_IOMMUFD - 1], request, arg);
    return -EBADF;
}
