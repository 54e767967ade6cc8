// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Linux hosts: lists as arguments of the ioctl IOMMU_HWPT_INVALIDATE of /dev/iommu.
 *
 * A VMM on Linux does not own the hardware's queue. It hands the kernel arrays of entries for an
 * object of its own: a nested HWPT (VT-d) or a vIOMMU (SMMUv3). The forms are platforms like any
 * other (iommufd-vtd-s1, iommufd-arm-smmuv3): xinv_translate() makes the entries, and each queue
 * step names the object that they are for. The way is
 *
 *   xinv_iommufd_vtd_init() or xinv_iommufd_smmuv3_init()   once, from IOMMU_GET_HW_INFO
 *   xinv_translate(), xinv_filter() or a session            entries in xinv_out
 *   xinv_iommufd_calls()                                    arguments, one a step
 *   ioctl(fd, XINV_IOMMUFD_HWPT_INVALIDATE, &call)          the caller's, in order
 *   xinv_iommufd_resume()                                   after an error, what to issue instead
 *
 * The kernel waits for the hardware before it returns, so a call that succeeded is complete: a
 * XINV_STEP_WAIT asks for nothing more than the order of the calls.
 *
 * What attachments hold on these platforms: the DID is the nested HWPT's ID (VT-d), the VMID is the
 * vIOMMU's ID and the RID the virtual StreamID (SMMUv3). XINV_ATT_ATS says that the endpoint's ATC
 * is on; on SMMUv3 that is where the guest's STE.EATS translates. An endpoint of a guest domain
 * that is behind another physical SMMU has another vIOMMU: its attachment stands in a list of its
 * own.
 *
 * Nothing here includes a header of Linux: the structures are defined again, from its user API
 * (linux/iommufd.h of 6.12; the vIOMMU parts of 6.13).
 */
#ifndef XINV_IOMMUFD_H
#define XINV_IOMMUFD_H

#include <xinv/xinv.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The user API, as the kernel has it ---- */

/* ioctl numbers: _IO(';', 0x8a) and _IO(';', 0x8d) */
#define XINV_IOMMUFD_GET_HW_INFO     0x3b8au
#define XINV_IOMMUFD_HWPT_INVALIDATE 0x3b8du

/* enum iommu_hw_info_type */
#define XINV_IOMMUFD_HW_INFO_NONE       0u
#define XINV_IOMMUFD_HW_INFO_VTD        1u
#define XINV_IOMMUFD_HW_INFO_ARM_SMMUV3 2u
#define XINV_IOMMUFD_HW_INFO_AMD        4u /* 3 is Tegra241 CMDQV */

/* enum iommu_hwpt_invalidate_data_type */
#define XINV_IOMMUFD_DATA_VTD_S1     0u
#define XINV_IOMMUFD_DATA_ARM_SMMUV3 1u

/* struct iommu_hw_info: the argument of IOMMU_GET_HW_INFO */
struct xinv_iommufd_hw_info {
    uint32_t size; /* of this structure: 40 */
    uint32_t flags;
    uint32_t dev_id;
    uint32_t data_len; /* in: of the buffer; out: of what the kernel knows */
    uint64_t
        data_uptr; /* one of the structures below; what the kernel does not fill in is zeroed */
    uint32_t out_data_type; /* XINV_IOMMUFD_HW_INFO_* */
    uint8_t out_max_pasid_log2;
    uint8_t reserved[3];
    uint64_t out_capabilities;
};

/* struct iommu_hw_info_vtd */
struct xinv_iommufd_hw_info_vtd {
    uint32_t flags; /* bit 0: erratum 772415, no read-only stage-2 mappings under nesting */
    uint32_t reserved;
    uint64_t cap_reg;
    uint64_t ecap_reg;
};

/* struct iommu_hw_info_arm_smmuv3 */
struct xinv_iommufd_hw_info_arm_smmuv3 {
    uint32_t flags;
    uint32_t reserved;
    uint32_t idr[6];
    uint32_t iidr;
    uint32_t aidr;
};

/* struct iommu_hw_info_amd */
struct xinv_iommufd_hw_info_amd {
    uint64_t efr;
    uint64_t efr2;
};

/* struct iommu_hwpt_invalidate: the argument of IOMMU_HWPT_INVALIDATE */
struct xinv_iommufd_hwpt_invalidate {
    uint32_t size;      /* of this structure: 32 */
    uint32_t hwpt_id;   /* VT-d: the nested HWPT; SMMUv3: the vIOMMU */
    uint64_t data_uptr; /* the entries */
    uint32_t data_type; /* XINV_IOMMUFD_DATA_* */
    uint32_t entry_len; /* bytes of one: 24 (VT-d) or 16 (SMMUv3) */
    uint32_t entry_num; /* in: how many; out, also after an error: how many the kernel counts as
                           done, see xinv_iommufd_resume() */
    uint32_t reserved;
};

/* struct iommu_hwpt_vtd_s1_invalidate: an entry for a nested HWPT of VT-d */
#define XINV_IOMMUFD_VTD_LEAF 0x1u
struct xinv_iommufd_vtd_s1_invalidate {
    uint64_t addr;   /* of a 4 KiB page; 0 where npages is all ones */
    uint64_t npages; /* of 4 KiB; all ones: every address */
    uint32_t flags;  /* XINV_IOMMUFD_VTD_LEAF */
    uint32_t reserved;
};

/* struct iommu_viommu_arm_smmuv3_invalidate: a command for a vIOMMU of SMMUv3 */
struct xinv_iommufd_arm_smmuv3_invalidate {
    uint64_t cmd[2]; /* little-endian */
};

/* More entries than this in one call are refused by the kernel. */
#define XINV_IOMMUFD_MAX_ENTRIES (UINT32_C(1) << 19)

/* errno values of Linux on x86 and Arm */
enum xinv_linux_errno {
    XINV_LINUX_ENOENT = 2,
    XINV_LINUX_EINTR = 4,
    XINV_LINUX_EIO = 5,
    XINV_LINUX_EAGAIN = 11,
    XINV_LINUX_ENOMEM = 12,
    XINV_LINUX_EFAULT = 14,
    XINV_LINUX_EBUSY = 16,
    XINV_LINUX_EINVAL = 22,
    XINV_LINUX_ENOTTY = 25,
    XINV_LINUX_ERANGE = 34,
    XINV_LINUX_ENOSYS = 38,
    XINV_LINUX_EOPNOTSUPP = 95,
    XINV_LINUX_ETIMEDOUT = 110
};

/* ---- Set-up ---- */

/*
 * xinv_iommufd_vtd_init, xinv_iommufd_smmuv3_init, xinv_iommufd_amd_init - an IOMMU for the form
 * that the kernel takes for a physical one
 * @iommu: filled in; unchanged on error
 * @info: the data of IOMMU_GET_HW_INFO
 * @len: the data_len that came back: what the kernel knows of it
 *
 * Of SMMUv3's ID registers only the fields that the user API names are read: ST_LEVEL, TERM_MODEL,
 * STALL_MODEL, TTENDIAN, CD2L, ASID16 and TTF of IDR0, SIDSIZE and SSIDSIZE of IDR1, BBML and RIL
 * of IDR3, VAX and GRAN64K, GRAN16K and GRAN4K of IDR5; the others have the platform's own values.
 *
 * returns: 0; -XINV_E_INVAL: an argument is NULL, or the data is shorter than its structure;
 * -XINV_E_UNSUPP: no nested translation (VT-d ECAP.NEST); -XINV_E_TABLE: registers contradict
 * themselves; -XINV_E_NOFORM: the kernel has no form (AMD, always; the platform's `absent` says
 * what to do instead)
 */
int xinv_iommufd_vtd_init(struct xinv_iommu *iommu, const struct xinv_iommufd_hw_info_vtd *info,
                          uint32_t len);
int xinv_iommufd_smmuv3_init(struct xinv_iommu *iommu,
                             const struct xinv_iommufd_hw_info_arm_smmuv3 *info, uint32_t len);
int xinv_iommufd_amd_init(struct xinv_iommu *iommu, const struct xinv_iommufd_hw_info_amd *info,
                          uint32_t len);

/* ---- Calls ---- */

/*
 * xinv_iommufd_calls - a list as arguments of the ioctl, to be issued in this order
 * @iommu: that the list was made for
 * @out: the list; a plain buffer, with words and steps. The arguments point into its words, which
 * stay where they are until the last call has returned
 * @calls: written; NULL: only count
 * @capacity: how many there is room for
 *
 * One call holds the entries of one step, which are for one object, and at most
 * XINV_IOMMUFD_MAX_ENTRIES of them. An empty list makes no calls.
 *
 * returns: the number of calls; -XINV_E_INVAL: an argument is NULL, the IOMMU is none of these
 * forms, or the output is a ring; -XINV_E_NOSPACE: more than `capacity` (NULL says how many)
 */
int xinv_iommufd_calls(const struct xinv_iommu *iommu, const struct xinv_out *out,
                       struct xinv_iommufd_hwpt_invalidate *calls, uint32_t capacity);

/* What is wrong with a call. */
struct xinv_iommufd_fault {
    uint32_t index;            /* of the entry; entry_num: the call itself */
    int linux_errno;           /* what the kernel would answer; 0: it would not notice */
    const char *field;         /* of the structure or the command; NULL: all of it */
    const char *rule;          /* what is wrong, as a text */
    struct xinv_fault command; /* SMMUv3: of the command, as xinv_decode() has it */
};

/*
 * xinv_iommufd_check - whether a call can be issued: one that a guest or another program made
 * @iommu: of the object that the call is for
 * @call: the argument
 * @entries: what call->data_uptr points to
 * @attachments, @n: SMMUv3: the endpoints that have a vDEVICE of this vIOMMU, by their virtual
 * StreamID in `rid`; NULL: any StreamID will do
 * @fault: filled in after an error; may be NULL
 *
 * It finds what the kernel refuses, all entries ahead of the first one's effect, and what the
 * kernel does not look at and then does wrongly: npages of 0, ranges that wrap, reserved bits and
 * values of commands. A call of no entries is fine: it asks whether the kernel knows the type.
 *
 * returns: 0; -XINV_E_INVAL: a malformed call or entry; -XINV_E_RANGE: the range wraps or is empty;
 * -XINV_E_UNSUPP: a command that is not for users, or that this IOMMU does not have;
 * -XINV_E_NOENT: no endpoint has that StreamID, or no command has that opcode; -XINV_E_TAG: an ASID
 * or SubstreamID is too wide
 */
int xinv_iommufd_check(const struct xinv_iommu *iommu,
                       const struct xinv_iommufd_hwpt_invalidate *call, const void *entries,
                       const struct xinv_attachment *attachments, size_t n,
                       struct xinv_iommufd_fault *fault);

/*
 * xinv_iommufd_resume - what must be issued after a call that failed, or that did not do all
 * @iommu: of the object that the call was for
 * @call: the argument as it was before the ioctl: the kernel has written over entry_num in the
 * other copy
 * @entries: what its data_uptr points to
 * @linux_errno: of the ioctl; 0 where it succeeded
 * @done: the entry_num that came back
 * @out: where the new entries go, behind what it holds; make calls of them as of any other list.
 * The calls that would have come after the failed one are still to be issued, after these
 *
 * The number of entries done is exact on VT-d: those from `done` on come again, as they are where
 * the error was of the moment (EINTR, EAGAIN, EBUSY, ENOMEM), else as one entry for every address.
 * On SMMUv3 it says more than was done, so all count as not done: they come again as they are where
 * the error was of the moment, else each as its widest form (CFGI_CD_ALL of the stream, NH_ALL,
 * ATC_INV of every address), in an order with a call of its own for each kind.
 *
 * returns: the number of entries to issue, 0 where everything is done; -XINV_E_INVAL: an argument
 * is NULL, or the call is not of this form; -XINV_E_NOSPACE; -XINV_E_MUST_BLOCK: issuing again does
 * not help (the object is gone, or the call was as wide as it gets): the DMA of the object's
 * endpoints must be blocked before a response is published
 */
int xinv_iommufd_resume(const struct xinv_iommu *iommu,
                        const struct xinv_iommufd_hwpt_invalidate *call, const void *entries,
                        int linux_errno, uint32_t done, struct xinv_out *out);

/*
 * xinv_iommufd_status - the virtio-iommu status (enum xinv_virtio_status) for an errno: the one
 * that a Linux guest turns into the same errno, DEVERR where there is none
 *
 * A guest ignores the status of UNMAP: resume or block first, then answer.
 */
uint8_t xinv_iommufd_status(int linux_errno);

#ifdef __cplusplus
}
#endif

#endif
