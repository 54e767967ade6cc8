// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

/* ---- Names ---- */

static const struct {
    int error;
    const char *name;
} errors[] = {
    {ENOENT, "ENOENT"},       {EINTR, "EINTR"},   {EIO, "EIO"},       {E2BIG, "E2BIG"},
    {EBADF, "EBADF"},         {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EFAULT, "EFAULT"},
    {EBUSY, "EBUSY"},         {EEXIST, "EEXIST"}, {ENODEV, "ENODEV"}, {EINVAL, "EINVAL"},
    {ENOTTY, "ENOTTY"},       {ENOSPC, "ENOSPC"}, {ERANGE, "ERANGE"}, {EOPNOTSUPP, "EOPNOTSUPP"},
    {ETIMEDOUT, "ETIMEDOUT"},
};

static const struct {
    uint32_t request;
    const char *name;
} calls[] = {
    {IOMMU_DESTROY, "IOMMU_DESTROY"},
    {IOMMU_IOAS_ALLOC, "IOMMU_IOAS_ALLOC"},
    {IOMMU_IOAS_MAP, "IOMMU_IOAS_MAP"},
    {IOMMU_HWPT_ALLOC, "IOMMU_HWPT_ALLOC"},
    {IOMMU_GET_HW_INFO, "IOMMU_GET_HW_INFO"},
    {IOMMU_HWPT_INVALIDATE, "IOMMU_HWPT_INVALIDATE"},
    {IOMMU_VIOMMU_ALLOC, "IOMMU_VIOMMU_ALLOC"},
    {IOMMU_VDEVICE_ALLOC, "IOMMU_VDEVICE_ALLOC"},
    {VFIO_DEVICE_BIND_IOMMUFD, "VFIO_DEVICE_BIND_IOMMUFD"},
    {VFIO_DEVICE_ATTACH_IOMMUFD_PT, "VFIO_DEVICE_ATTACH_IOMMUFD_PT"},
    {VFIO_DEVICE_DETACH_IOMMUFD_PT, "VFIO_DEVICE_DETACH_IOMMUFD_PT"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int kernel_errno(const char *name)
{
    for (unsigned i = 0; i < COUNT(errors); i++)
        if (!strcmp(errors[i].name, name))
            return errors[i].error;
    return 0;
}

uint32_t kernel_request(const char *name)
{
    for (unsigned i = 0; i < COUNT(calls); i++)
        if (!strcmp(calls[i].name, name))
            return calls[i].request;
    return 0;
}

static const char *error_name(int error)
{
    for (unsigned i = 0; i < COUNT(errors); i++)
        if (errors[i].error == error)
            return errors[i].name;
    return "E?";
}

static const char *call_name(uint32_t request)
{
    for (unsigned i = 0; i < COUNT(calls); i++)
        if (calls[i].request == request)
            return calls[i].name;
    return "?";
}

/* ---- The log, as strace writes it ---- */

/* A command's name, and the fields that are not 0. */
static void print_command(const struct kernel *k, const uint64_t *cmd)
{
    struct xinv_decoded decoded;

    if (xinv_decode(k->smmu, cmd, &decoded) < 0)
        return;
    fprintf(k->log, " /* %s", decoded.name);
    for (unsigned i = 0; i < decoded.n_fields; i++)
        if (decoded.fields[i].value)
            fprintf(k->log, " %s=0x%" PRIx64, decoded.fields[i].name, decoded.fields[i].value);
    fprintf(k->log, " */");
}

static void print_entries(const struct kernel *k, const struct xinv_iommufd_hwpt_invalidate *arg)
{
    const void *entries = (const void *)(uintptr_t)arg->data_uptr;

    for (uint32_t i = 0; i < arg->entry_num; i++) {
        fprintf(k->log, "\n        ");
        if (arg->data_type == XINV_IOMMUFD_DATA_VTD_S1) {
            const struct xinv_iommufd_vtd_s1_invalidate *e =
                (const struct xinv_iommufd_vtd_s1_invalidate *)entries + i;

            if (e->npages == UINT64_MAX)
                fprintf(k->log, "{addr=0x%" PRIx64 ", npages=all, flags=%s}", e->addr,
                        e->flags ? "LEAF" : "0");
            else
                fprintf(k->log, "{addr=0x%" PRIx64 ", npages=%" PRIu64 ", flags=%s}", e->addr,
                        e->npages, e->flags ? "LEAF" : "0");
        } else {
            const struct xinv_iommufd_arm_smmuv3_invalidate *e =
                (const struct xinv_iommufd_arm_smmuv3_invalidate *)entries + i;

            fprintf(k->log, "{0x%016" PRIx64 ", 0x%016" PRIx64 "}", e->cmd[0], e->cmd[1]);
            if (k->smmu)
                print_command(k, e->cmd);
        }
    }
}

static void print_argument(const struct kernel *k, uint32_t request, const void *arg)
{
    switch (request) {
    case IOMMU_DESTROY:
        fprintf(k->log, "{id=%u}", ((const struct iommu_destroy *)arg)->id);
        return;
    case IOMMU_IOAS_ALLOC:
        fprintf(k->log, "{}");
        return;
    case IOMMU_IOAS_MAP: {
        const struct iommu_ioas_map *a = arg;

        fprintf(k->log, "{ioas_id=%u, iova=0x%" PRIx64 ", length=0x%" PRIx64 "}", a->ioas_id,
                a->iova, a->length);
        return;
    }
    case IOMMU_HWPT_ALLOC: {
        const struct iommu_hwpt_alloc *a = arg;
        const void *data = (const void *)(uintptr_t)a->data_uptr;

        fprintf(k->log, "{flags=%s, dev_id=%u, pt_id=%u", a->flags ? "NEST_PARENT" : "0", a->dev_id,
                a->pt_id);
        if (a->data_type == IOMMU_HWPT_DATA_VTD_S1) {
            const struct iommu_hwpt_vtd_s1 *d = data;

            fprintf(k->log, ", VTD_S1, {pgtbl_addr=0x%" PRIx64 ", addr_width=%u}", d->pgtbl_addr,
                    d->addr_width);
        } else if (a->data_type == IOMMU_HWPT_DATA_ARM_SMMUV3) {
            const struct iommu_hwpt_arm_smmuv3 *d = data;

            fprintf(k->log, ", ARM_SMMUV3, {ste=[0x%" PRIx64 ", 0x%" PRIx64 "]}", d->ste[0],
                    d->ste[1]);
        }
        fprintf(k->log, "}");
        return;
    }
    case IOMMU_GET_HW_INFO:
        fprintf(k->log, "{dev_id=%u}", ((const struct xinv_iommufd_hw_info *)arg)->dev_id);
        return;
    case IOMMU_VIOMMU_ALLOC: {
        const struct iommu_viommu_alloc *a = arg;

        fprintf(k->log, "{ARM_SMMUV3, dev_id=%u, hwpt_id=%u}", a->dev_id, a->hwpt_id);
        return;
    }
    case IOMMU_VDEVICE_ALLOC: {
        const struct iommu_vdevice_alloc *a = arg;

        fprintf(k->log, "{viommu_id=%u, dev_id=%u, virt_id=0x%" PRIx64 "}", a->viommu_id, a->dev_id,
                a->virt_id);
        return;
    }
    case IOMMU_HWPT_INVALIDATE: {
        const struct xinv_iommufd_hwpt_invalidate *a = arg;

        fprintf(k->log, "{hwpt_id=%u, %s, entry_len=%u, entry_num=%u, [", a->hwpt_id,
                a->data_type == XINV_IOMMUFD_DATA_VTD_S1 ? "VTD_S1" : "VIOMMU_ARM_SMMUV3",
                a->entry_len, a->entry_num);
        print_entries(k, a);
        fprintf(k->log, "]}");
        return;
    }
    case VFIO_DEVICE_BIND_IOMMUFD:
        fprintf(k->log, "{iommufd=%d}", ((const struct vfio_device_bind_iommufd *)arg)->iommufd);
        return;
    case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
        fprintf(k->log, "{pt_id=%u}", ((const struct vfio_device_attach_iommufd_pt *)arg)->pt_id);
        return;
    case VFIO_DEVICE_DETACH_IOMMUFD_PT:
        fprintf(k->log, "{}");
        return;
    default:
        return;
    }
}

/* What the kernel has written into the argument. */
static void print_result(const struct kernel *k, uint32_t request, const void *arg, int ret)
{
    static const char *const types[] = {"NONE", "INTEL_VTD", "ARM_SMMUV3", "TEGRA241", "AMD"};

    if (ret)
        fprintf(k->log, " = -1 %s", error_name(-ret));
    else
        fprintf(k->log, " = 0");
    if (request == IOMMU_HWPT_INVALIDATE)
        fprintf(k->log, ", entry_num=%u",
                ((const struct xinv_iommufd_hwpt_invalidate *)arg)->entry_num);
    if (ret)
        return;
    switch (request) {
    case IOMMU_IOAS_ALLOC:
        fprintf(k->log, ", ioas_id=%u", ((const struct iommu_ioas_alloc *)arg)->out_ioas_id);
        return;
    case IOMMU_HWPT_ALLOC:
        fprintf(k->log, ", hwpt_id=%u", ((const struct iommu_hwpt_alloc *)arg)->out_hwpt_id);
        return;
    case IOMMU_GET_HW_INFO: {
        uint32_t type = ((const struct xinv_iommufd_hw_info *)arg)->out_data_type;

        fprintf(k->log, ", %s", type < 5 ? types[type] : "unknown");
        return;
    }
    case IOMMU_VIOMMU_ALLOC:
        fprintf(k->log, ", viommu_id=%u", ((const struct iommu_viommu_alloc *)arg)->out_viommu_id);
        return;
    case IOMMU_VDEVICE_ALLOC:
        fprintf(k->log, ", vdevice_id=%u",
                ((const struct iommu_vdevice_alloc *)arg)->out_vdevice_id);
        return;
    case VFIO_DEVICE_BIND_IOMMUFD:
        fprintf(k->log, ", dev_id=%u", ((const struct vfio_device_bind_iommufd *)arg)->out_devid);
        return;
    default:
        return;
    }
}

int kernel_call(const struct kernel *k, int fd, uint32_t request, void *arg)
{
    int ret;

    if (k->log) {
        fprintf(k->log, "    ioctl(%d, %s, ", fd, call_name(request));
        print_argument(k, request, arg);
    }
    if (k->fake)
        ret = fake_ioctl(k->fake, fd, request, arg);
    else
        ret = ioctl(fd, request, arg) < 0 ? -errno : 0;
    if (k->log) {
        fprintf(k->log, ")");
        print_result(k, request, arg, ret);
        fprintf(k->log, "\n");
    }
    return ret;
}
