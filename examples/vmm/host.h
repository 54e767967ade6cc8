// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The host's side of a guest's IOMMU: what the VMM makes of /dev/iommu for it, and the way of an
 * invalidation from a request of the library to ioctls that have succeeded, or devices that are cut
 * off.
 */
#ifndef VMM_HOST_H
#define VMM_HOST_H

#include "kernel.h"

#define HOST_IOMMUS  2
#define HOST_DEVICES FAKE_DEVICES
#define HOST_OWED    16
#define HOST_WORDS   1024
#define HOST_STEPS   256

/* A physical device that the guest owns. */
struct host_device {
    /* set by the caller */
    int fd;            /* its VFIO descriptor */
    uint32_t endpoint; /* the guest's number for it: its virtual StreamID as well */
    uint8_t iommu;     /* which physical IOMMU it is behind */
    uint8_t ats;       /* its ATC is on */

    uint32_t dev_id;
    uint32_t attached; /* the HWPT, 0: blocked */
};

/* A physical IOMMU. */
struct host_iommu {
    struct xinv_iommu iommu;
    uint32_t parent; /* the HWPT of stage 2: guest-physical to host-physical */
    uint32_t viommu; /* SMMUv3: commands go to this one */
    /* entries that wait for host_flush() */
    struct xinv_out out;
    uint64_t words[HOST_WORDS];
    struct xinv_step steps[HOST_STEPS];
    uint8_t phase[HOST_STEPS]; /* of each step: how many waits of its request come before it */
};

struct host {
    /* set by the caller */
    struct kernel *kernel;
    void *memory; /* of the guest, from guest-physical `gpa` on; page-aligned */
    uint64_t gpa;
    uint64_t size;
    struct host_device device[HOST_DEVICES];
    uint32_t n_devices;

    const char *absent; /* after -ENODEV: why, and what to do instead; or NULL */
    uint32_t type;      /* XINV_IOMMUFD_HW_INFO_* */
    uint32_t ioas;
    uint32_t n_iommus;
    struct host_iommu iommu[HOST_IOMMUS];
    /* objects whose devices were blocked because an invalidation failed; stale entries are there
     * until it is made good, before a device comes back */
    uint32_t owed[HOST_OWED];
    uint32_t n_owed; /* more than HOST_OWED: nothing is attached any more */
};

/*
 * host_open - binds the devices, asks what their IOMMUs are, maps guest memory and makes a nesting
 * parent for each IOMMU, and a vIOMMU with a vDEVICE for each device where the vendor has those
 * returns: 0, a negative errno, or -ENODEV: an IOMMU whose kernel driver takes no invalidations
 */
int host_open(struct host *host);

/*
 * host_nest - a nested HWPT for a guest's stage 1
 * @data: struct iommu_hwpt_vtd_s1 or struct iommu_hwpt_arm_smmuv3
 * returns: 0, or a negative errno
 */
int host_nest(struct host *host, const struct host_device *device, const void *data,
              uint32_t *hwpt);
void host_destroy(struct host *host, uint32_t id);

/*
 * host_attach, host_block - where a device's DMA goes
 * An attach first makes good what host_flush() could not; an error is that one's, or the attach's.
 */
int host_attach(struct host *host, struct host_device *device, uint32_t hwpt);
int host_block(struct host *host, struct host_device *device);

/* host_owe - entries of this nested HWPT or vIOMMU are stale, and its devices that could use them
 * are blocked: before one is attached again, everything of the object is invalidated */
void host_owe(struct host *host, uint32_t object);

/*
 * host_queue - entries for one request, to go with the next host_flush()
 * @attachments: with the kernel's names: nested HWPT or vIOMMU, virtual StreamID
 * returns: 0, or an error of xinv_translate(); the list is as it was then
 */
int host_queue(struct host *host, uint32_t iommu, const struct xinv_attachment *attachments,
               size_t n, const struct xinv_request *request);

/*
 * host_flush - issues what is queued, and goes on until the kernel has done all of it
 *
 * After an error the kernel's word for what it has done is taken as far as it can be trusted, and
 * the rest is issued again, wider. Where that does not help, the devices behind the object are
 * blocked: a response must not be published while one of them could use a stale entry.
 *
 * returns: 0, also after an error that could be made good; a negative errno: devices are blocked
 */
int host_flush(struct host *host);

#endif
