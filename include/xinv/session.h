// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A virtio-iommu device's state: endpoints, domains, mappings and the host's tags; request bytes
 * in, response bytes and one command list per IOMMU out. Written from the merged virtio-iommu
 * specification (virtio 1.3, section 5.13).
 *
 * A session lives in memory that the caller gives: xinv_session_size() says how much,
 * xinv_session_init() takes it. A request that fails, for whatever reason, leaves the session, the
 * outputs and their counters as they were.
 */
#ifndef XINV_SESSION_H
#define XINV_SESSION_H

#include <xinv/xinv.h>

#ifdef __cplusplus
extern "C" {
#endif

/* virtio 1.3, 5.13.6 status values */
enum xinv_virtio_status {
    XINV_VIRTIO_OK = 0,
    XINV_VIRTIO_IOERR = 1,
    XINV_VIRTIO_UNSUPP = 2,
    XINV_VIRTIO_DEVERR = 3,
    XINV_VIRTIO_INVAL = 4,
    XINV_VIRTIO_RANGE = 5,
    XINV_VIRTIO_NOENT = 6,
    XINV_VIRTIO_FAULT = 7,
    XINV_VIRTIO_NOMEM = 8
};

/* virtio 1.3, 5.13.3 feature bits */
#define XINV_VIRTIO_F_INPUT_RANGE   0x01u
#define XINV_VIRTIO_F_DOMAIN_RANGE  0x02u
#define XINV_VIRTIO_F_MAP_UNMAP     0x04u
#define XINV_VIRTIO_F_BYPASS        0x08u
#define XINV_VIRTIO_F_PROBE         0x10u
#define XINV_VIRTIO_F_MMIO          0x20u
#define XINV_VIRTIO_F_BYPASS_CONFIG 0x40u

enum xinv_request_type {
    XINV_VIRTIO_ATTACH = 1,
    XINV_VIRTIO_DETACH = 2,
    XINV_VIRTIO_MAP = 3,
    XINV_VIRTIO_UNMAP = 4,
    XINV_VIRTIO_PROBE = 5
};

/* The device's configuration (virtio 1.3, 5.13.4) and the sizes of the session's storage. */
struct xinv_session_config {
    uint64_t page_size_mask;        /* lowest set bit: the granule of the guest's requests */
    uint64_t input_start;           /* inclusive; both matter only with F_INPUT_RANGE */
    uint64_t input_end;             /* inclusive */
    uint32_t domain_start;          /* inclusive; both matter only with F_DOMAIN_RANGE */
    uint32_t domain_end;            /* inclusive */
    uint32_t probe_size;            /* bytes of PROBE properties */
    uint32_t features;              /* XINV_VIRTIO_F_* offered and negotiated */
    uint8_t unknown_type_unwritten; /* 1: an unknown request gets used length 0; 0: UNSUPP, which
                                       Linux can see */
    /*
     * Granule of the host's tables: 12, 14 or 16, not above that of page_size_mask. SMMUv3's range
     * commands reach entries of the granule that they name and no others. 0: not known; commands go
     * out for every granule that is able to map the guest's pages (for 4 KiB pages that is one).
     */
    uint8_t log2_granule;
    uint8_t bypass; /* the bypass byte, with F_BYPASS_CONFIG: 1: endpoints without a domain pass
                       untranslated, as they do with F_BYPASS alone */
    uint32_t n_iommus;
    uint32_t max_endpoints;
    uint32_t max_domains;
    uint32_t max_mappings;
    /*
     * Prepared lists (<xinv/prepared.h>) that the session keeps, some 1.7 KiB each; 0: none, and
     * every request is planned. Answers are the same. A list is of a kind of request (a MAP; an
     * UNMAP, with what its hint says), of one domain on one IOMMU, under one policy: two for each
     * domain that is in use are mostly enough. It takes up to 16 commands, that is about 14
     * endpoints with device TLBs, of one stage and granule; what it cannot say is planned.
     */
    uint32_t prepared_lists;
};

struct xinv_reserved_region {
    uint64_t start; /* inclusive */
    uint64_t end;   /* inclusive */
    uint8_t msi;    /* 1: subtype MSI; 0: subtype RESERVED */
};

/* An endpoint as the VMM knows it. */
struct xinv_endpoint {
    uint32_t id;    /* the guest's number */
    uint32_t iommu; /* which of the session's IOMMUs */
    uint32_t rid;   /* its stream ID, source ID or device ID there */
    uint8_t stage;  /* XINV_STAGE_STAGE1 or XINV_STAGE_STAGE2: which table its domains are */
    uint8_t flags;  /* XINV_ATT_* */
    uint8_t quirks; /* xinv_endpoint_quirks() */
    uint8_t queue_depth;
    uint16_t queue_id;
    uint16_t pfsid;
    uint8_t n_aliases;
    uint8_t n_reserved;
    const uint32_t *aliases; /* stays the caller's, must outlive the session and not change */
    const struct xinv_reserved_region *reserved; /* likewise */
    /*
     * Host tag (ASID, VMID or DID) of this endpoint's domains on its IOMMU; 0: the session hands
     * out one. It is set apart from those, and names one domain at a time: an ATTACH that would
     * give it to a second one is answered UNSUPP, one before its last use is clean NOMEM.
     */
    uint32_t fixed_tag;
};

struct xinv_session;

/* xinv_session_size - bytes of storage that a configuration takes; 0 if it is not valid */
size_t xinv_session_size(const struct xinv_session_config *config);

/*
 * xinv_session_init - makes a session in the caller's storage
 * @memory, @size: aligned to 16 bytes; xinv_session_size() bytes or more, which the session keeps
 * @config: copied
 * @iommus: config->n_iommus of them, initialised, const, and outliving the session; the array is
 * copied
 * @session: set on success; it lies within `memory` and needs no end
 *
 * returns: 0; -XINV_E_INVAL: an argument is NULL, `memory` is not aligned, or the configuration is
 * not valid; -XINV_E_NOSPACE: `size` is too small
 */
int xinv_session_init(void *memory, size_t size, const struct xinv_session_config *config,
                      const struct xinv_iommu *const *iommus, struct xinv_session **session);

/*
 * xinv_session_add_endpoint - tells the session of an endpoint
 * @endpoint: copied, but for what it points to
 *
 * returns: 0; -XINV_E_EXIST: the number is taken, or the session has handed out its fixed tag;
 * -XINV_E_NOMEM; -XINV_E_INVAL: no such IOMMU, stage or flag, a queue depth above 32, more than one
 * MSI region, regions that probe_size cannot hold; -XINV_E_UNSUPP: its IOMMU lacks the stage, or
 * commands for something that a change of its entry or its table can leave stale, such as ATS
 * entries; -XINV_E_TAG: its rid or an alias is too wide, or its fixed tag is too wide or kept for
 * other uses
 */
int xinv_session_add_endpoint(struct xinv_session *session, const struct xinv_endpoint *endpoint);

/* What only the VMM knows of the leaves that an UNMAP removes. */
struct xinv_unmap_hint {
    uint8_t known; /* 0: table pages were freed, and leaves are as large as aligned blocks of the
                      mappings; beyond the largest block that an IOMMU's commands can say, that
                      costs the address */
    uint8_t leaf_only;      /* no table page was freed */
    uint8_t log2_leaf_size; /* largest leaf removed, 12..63, or 0: 4 KiB. One that a
                               mapping cannot hold was shared with others, and is removed whole */
};

/* What came of one request. */
struct xinv_outcome {
    uint8_t type;      /* of the request, 0 if it has none */
    uint8_t status;    /* enum xinv_virtio_status, even where it was not written */
    uint8_t fenced;    /* a tag was freed: it is reusable after xinv_session_complete() */
    int error;         /* 0, or the -XINV_E_* behind a status that the guest cannot see */
    uint32_t written;  /* used length: bytes of the response that were written */
    uint32_t iommus;   /* bit per IOMMU (below 32) that has commands to complete before the response
                          is published */
    uint64_t token;    /* pass it to xinv_session_complete() once those commands have completed */
    uint32_t domain;   /* of the request */
    uint32_t endpoint; /* of the request */
    uint64_t first;    /* range of the request */
    uint64_t last;
};

/*
 * xinv_session_request - one request: state, response and commands
 * @readable, @n_readable: the device-readable bytes
 * @writable, @n_writable: where the response goes: the device-writable bytes, status in the last
 * four
 * @hint: for an UNMAP; NULL: the safe assumption
 * @policy: NULL for exact
 * @completions: one per IOMMU for the final sync of its list; NULL for none
 * @outs: one per IOMMU; commands are appended to n_words and n_steps; NULL only updates the state
 * @reports: one per IOMMU, or NULL
 * @outcome: what came of it; filled in on errors too
 *
 * A malformed request is not an error of this call: its status is in the response, and the call
 * returns 0.
 *
 * returns: the number of commands over all IOMMUs; -XINV_E_INVAL: an argument is missing, or a
 * hint, a policy or a completion is malformed; -XINV_E_NOSPACE: an output or a report's need
 * exceeds its capacity: nothing has changed, call again with more room; -XINV_E_MUST_BLOCK: block
 * the DMA of the endpoints in the report first
 */
int xinv_session_request(struct xinv_session *session, const void *readable, size_t n_readable,
                         void *writable, size_t n_writable, const struct xinv_unmap_hint *hint,
                         const struct xinv_policy *policy,
                         const struct xinv_completion *completions, struct xinv_out *outs,
                         struct xinv_report *reports, struct xinv_outcome *outcome);

/*
 * ---- Batches: the requests of one kick as one stream per IOMMU ----
 *
 * xinv_session_batch_add() takes one request after the other, as xinv_session_request() does, but
 * holds back what it would send; xinv_session_batch_flush() sends all that is held. Ranges of one
 * domain that touch or overlap have become one, nothing goes out twice, and the list has the syncs
 * that its phases need, which is one before the device TLBs and one at the end, or as many more as
 * the IOMMU's longest batch demands. A batch needs no memory but the session's: a range that waits
 * takes the place of the mappings that it stood for.
 *
 * The caller's part, for each request that is answered OK:
 * - An UNMAP's entries are cleared in the tables before the flush; a table page that falls empty is
 *   not freed, and no other is put in its place, before the flush's commands have completed.
 * - A MAP's entries may be written at once. One that would overlap what is still to be invalidated
 *   (break before make), and an ATTACH or a DETACH of which the same is true, is not taken:
 *   -XINV_E_AGAIN.
 * - A response may be published at once where outcome.iommus is 0: nothing was found to do, or the
 *   request is bad, or nothing that is held concerns it. Otherwise it is published when the
 *   commands of the next flush have completed on those IOMMUs, and then
 *   xinv_session_complete(outcome.token) is called.
 *
 * While something is held, xinv_session_request(), _reset() and _set_bypass() are refused with
 * -XINV_E_AGAIN.
 */

/*
 * xinv_session_batch_add - one request: state and response now, commands with the next flush
 * Arguments as those of xinv_session_request(). Bad requests are answered by themselves and leave
 * the batch as it is.
 *
 * returns: 0; -XINV_E_AGAIN: nothing has changed; flush, wait until those commands have completed,
 * tell xinv_session_complete(), and add the request again; otherwise as xinv_session_request(),
 * without -XINV_E_NOSPACE
 */
int xinv_session_batch_add(struct xinv_session *session, const void *readable, size_t n_readable,
                           void *writable, size_t n_writable, const struct xinv_unmap_hint *hint,
                           struct xinv_outcome *outcome);

/*
 * xinv_session_batch_flush - the commands of all that is held
 * @policy: NULL for exact, which closes no gap between ranges and takes no wider scope than each of
 * them needs. XINV_POLICY_LATENCY takes one range, or one wider scope, for all ranges of a domain;
 * XINV_POLICY_AT_MOST counts the blocks of all of them, and closes the smallest gaps; where all of
 * them together pass max_commands, a wider scope is taken. Pages in gaps are reported as extra.
 * @reports: of whole lists
 * @outcome: type 0; iommus and token: what there is to wait for
 *
 * Nothing held: 0, and no command. Otherwise arguments and returns as xinv_session_request(); after
 * an error everything is held still. -XINV_E_MUST_BLOCK does not come: what could not be said was
 * refused when it was added.
 */
int xinv_session_batch_flush(struct xinv_session *session, const struct xinv_policy *policy,
                             const struct xinv_completion *completions, struct xinv_out *outs,
                             struct xinv_report *reports, struct xinv_outcome *outcome);

/* xinv_session_complete - every command up to this token has completed: tags freed by then may be
 * handed out again */
void xinv_session_complete(struct xinv_session *session, uint64_t token);

/*
 * xinv_session_reset - a virtio device reset: detaches every endpoint and drops every domain
 * Commands and returns as xinv_session_request().
 */
int xinv_session_reset(struct xinv_session *session, const struct xinv_policy *policy,
                       const struct xinv_completion *completions, struct xinv_out *outs,
                       struct xinv_report *reports, struct xinv_outcome *outcome);

/*
 * xinv_session_set_bypass - the driver has written the configuration's bypass byte: endpoints
 * without a domain begin to pass untranslated, or cease to
 * Commands and returns as xinv_session_request(); -XINV_E_INVAL also where the byte is not 0 or 1,
 * or cannot be written (no F_BYPASS_CONFIG); -XINV_E_UNSUPP: an IOMMU has no pass-through.
 */
int xinv_session_set_bypass(struct xinv_session *session, uint8_t bypass,
                            const struct xinv_policy *policy,
                            const struct xinv_completion *completions, struct xinv_out *outs,
                            struct xinv_report *reports, struct xinv_outcome *outcome);

/* xinv_session_mappings - how many mappings a domain has; -XINV_E_NOENT: no such domain */
int xinv_session_mappings(const struct xinv_session *session, uint32_t domain);

/*
 * xinv_session_attached - whether an endpoint is attached, and to which domain
 * @domain: set where the result is 1
 * returns: 1 or 0; -XINV_E_NOENT: no such endpoint
 */
int xinv_session_attached(const struct xinv_session *session, uint32_t endpoint, uint32_t *domain);

/*
 * xinv_session_attachments - the attachments of a domain on one IOMMU, as xinv_translate() takes
 * them
 * @attachments, @max: filled in, `max` at most
 * returns: how many there are, which may be more than `max`; -XINV_E_NOENT: no such domain or IOMMU
 */
int xinv_session_attachments(const struct xinv_session *session, uint32_t domain, uint32_t iommu,
                             struct xinv_attachment *attachments, unsigned max);

#ifdef __cplusplus
}
#endif

#endif
