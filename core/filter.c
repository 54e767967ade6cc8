// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/filter.h"

#include "core/emit.h"
#include "core/iommu.h"

struct filter {
    const struct xinv_iommu *iommu;
    const struct xinv_guest *guest;
    const uint64_t *words; /* the guest's */
    struct xinv_guest_command command;
    struct xinv_filtered result;
};

static int refuse(struct filter *f, uint8_t reason, int error)
{
    f->result.verdict = XINV_FILTER_REFUSED;
    f->result.reason = reason;
    return error;
}

/* ---- The guest's names ---- */

static uint32_t host_value(const struct xinv_attachment *at, uint8_t tag)
{
    switch (tag) {
    case XINV_TAG_RID:
        return at->rid;
    case XINV_TAG_DID:
        return at->did;
    default: /* XINV_TAG_VMID */
        return at->vmid;
    }
}

/*
 * Does a pass mean this attachment? A guest's DIDs are those of its own tables, over stage 2; the
 * VMID is that of whatever stage 2 it has. A host's own stage 1 is never meant by either.
 */
static bool is_meant(const struct xinv_pass *pass, const struct xinv_guest_attachment *a)
{
    const struct xinv_attachment *at = a->host;

    if (!(at->known & XINV_TAG_BIT(pass->by)))
        return false;
    switch (pass->by) {
    case XINV_TAG_RID:
        return (a->known & XINV_TAG_BIT(XINV_TAG_RID)) && (pass->every || a->rid == pass->value);
    case XINV_TAG_DID:
        return at->stage == XINV_STAGE_NESTED &&
               (pass->every || ((a->known & XINV_TAG_BIT(XINV_TAG_DID)) && a->did == pass->value));
    default: /* XINV_TAG_VMID */
        return at->stage == XINV_STAGE_NESTED || at->stage == XINV_STAGE_STAGE2;
    }
}

/* Does a pass go to this attachment? A device TLB that is off would not answer. */
static bool is_sent(const struct xinv_pass *pass, const struct xinv_guest_attachment *a)
{
    return is_meant(pass, a) && (!pass->ats || (a->host->flags & XINV_ATT_ATS));
}

/* The next attachment from *i on that a pass goes to and whose name on the host is a new one. */
static const struct xinv_attachment *next_sent(const struct filter *f, const struct xinv_pass *pass,
                                               size_t *i)
{
    const struct xinv_guest_attachment *a = f->guest->at;

    for (; *i < f->guest->n; (*i)++) {
        uint32_t value = host_value(a[*i].host, pass->by);
        size_t k = 0;

        if (!is_sent(pass, &a[*i]))
            continue;
        while (k < *i && !(is_sent(pass, &a[k]) && host_value(a[k].host, pass->by) == value))
            k++;
        if (k == *i)
            return a[(*i)++].host;
    }
    return NULL;
}

/* ---- Checks ---- */

/* Is a fault of a command that does not go to the host one that the guest would hear of? */
static bool is_heard(const struct xinv_fault *fault)
{
    return fault->hardware != XINV_HW_NO_ERROR && fault->hardware != XINV_HW_UNSPECIFIED &&
           fault->hardware != XINV_HW_EIO; /* of the host's kernel */
}

static int check_command(struct filter *f)
{
    struct xinv_decoded decoded;
    int ret = xinv_decode(f->iommu, f->command.words, &decoded);

    if (ret && (f->command.n || is_heard(&decoded.fault))) {
        f->result.fault = decoded.fault;
        return refuse(f, XINV_FILTER_INVALID, ret);
    }
    if (f->command.verdict == XINV_FILTER_REFUSED)
        return refuse(f, f->command.reason, -XINV_E_UNSUPP);
    if (f->guest->pasid_bits < 32 && f->command.pasid >> f->guest->pasid_bits)
        return refuse(f, XINV_FILTER_PASID, -XINV_E_TAG);
    return 0;
}

static bool is_reserved(const struct filter *f, uint8_t tag, uint32_t value)
{
    return tag != XINV_TAG_RID && value < f->iommu->vendor->first_free_tag;
}

/* Words of the host: valid, and by the table within what has the tags that they name. */
static int check_host(struct filter *f, const uint64_t *words)
{
    struct xinv_removal_set set;
    struct xinv_decoded decoded;
    int ret = xinv_decode(f->iommu, words, &decoded);

    if (ret) {
        f->result.fault = decoded.fault;
        return refuse(f, XINV_FILTER_HOST, ret);
    }
    ret = xinv_removes(f->iommu, words, &set);
    if (ret < 0)
        return refuse(f, XINV_FILTER_HOST, ret);
    if (set.row != XINV_NO_ROW && !(f->iommu->confined >> set.row & 1))
        return refuse(f, XINV_FILTER_HOST, -XINV_E_UNSUPP);
    return 0;
}

/* The words of a pass for one attachment. Its tag must be whole, and none that the host keeps for
 * itself. */
static int make(struct filter *f, const struct xinv_pass *pass, const struct xinv_attachment *at,
                uint64_t *words)
{
    unsigned bits = f->iommu->tag_bits[pass->by];
    uint32_t value = host_value(at, pass->by);
    struct xinv_attachment names = *at;

    if ((bits < 32 && value >> bits) || is_reserved(f, pass->by, value))
        return refuse(f, XINV_FILTER_HOST, -XINV_E_TAG);
    for (unsigned i = 0; i < XINV_COMMAND_WORDS; i++)
        words[i] = pass->words[i];
    xinv_target_clear(f->iommu, &names.did, &names.vmid);
    f->iommu->vendor->backend->filter->host(f->iommu, &names, words);
    return check_host(f, words);
}

/* A name that nothing of the guest's has, or an endpoint that would not answer. */
static int check_pass(struct filter *f, const struct xinv_pass *pass)
{
    bool found = false;
    bool ats = false;

    for (size_t i = 0; i < f->guest->n; i++) {
        if (!is_meant(pass, &f->guest->at[i]))
            continue;
        found = true;
        ats |= (f->guest->at[i].host->flags & XINV_ATT_ATS) != 0;
    }
    if (!found && !pass->every)
        return refuse(f, pass->by == XINV_TAG_RID ? XINV_FILTER_ENDPOINT : XINV_FILTER_TAG,
                      -XINV_E_NOENT);
    if (found && pass->ats && !ats)
        return refuse(f, XINV_FILTER_NO_ATS, -XINV_E_UNSUPP);
    return 0;
}

/* ---- The host's commands ---- */

static bool is_same(const struct filter *f, const uint64_t *words)
{
    for (unsigned i = 0; i < f->iommu->words; i++)
        if (words[i] != f->words[i])
            return false;
    return true;
}

/* Emits, or counts, every command; all that can be wrong with one is found while counting. */
static int emit_all(struct filter *f, struct xinv_out *out, bool counting)
{
    struct xinv_report report = {0};
    struct xinv_emit emit;
    bool same = false;
    int ret;

    xinv_emit_begin(&emit, f->iommu, out, counting);
    for (unsigned p = 0; p < f->command.n; p++) {
        const struct xinv_attachment *at;
        size_t i = 0;

        while ((at = next_sent(f, &f->command.pass[p], &i)) != NULL) {
            uint64_t words[XINV_COMMAND_WORDS];

            ret = make(f, &f->command.pass[p], at, words);
            if (ret)
                return ret;
            same = is_same(f, words);
            xinv_emit_words(&emit, at, words);
        }
    }
    xinv_emit_close(&emit);
    ret = xinv_emit_result(&emit, out, &report);
    f->result.commands = report.commands;
    f->result.need_words = report.need_words;
    f->result.need_steps = report.need_steps;
    f->result.verdict = !report.commands               ? XINV_FILTER_ANSWERED
                        : report.commands == 1 && same ? XINV_FILTER_FORWARDED
                                                       : XINV_FILTER_REWRITTEN;
    return ret;
}

static int filter(struct filter *f, struct xinv_out *out)
{
    int ret;

    for (unsigned i = 0; i < f->iommu->words; i++)
        f->command.words[i] = f->words[i];
    xinv_guest_refuse(&f->command, XINV_FILTER_UNLISTED);
    if (!f->iommu->vendor->backend->filter)
        return refuse(f, XINV_FILTER_UNLISTED, -XINV_E_UNSUPP); /* no guest has such a queue */
    f->iommu->vendor->backend->filter->guest(f->iommu, &f->command);
    ret = check_command(f);
    for (unsigned p = 0; !ret && p < f->command.n; p++)
        ret = check_pass(f, &f->command.pass[p]);
    if (!ret)
        ret = emit_all(f, out, true);
    if (!ret && out->words && f->result.commands)
        ret = emit_all(f, out, false);
    return ret ? ret : (int)f->result.commands;
}

int xinv_filter(const struct xinv_iommu *iommu, const struct xinv_guest *guest,
                const uint64_t *words, struct xinv_out *out, struct xinv_filtered *result)
{
    struct filter f = {.iommu = iommu, .guest = guest, .words = words};
    int ret;

    if (!iommu || !guest || (!guest->at && guest->n) || !words || !out)
        return -XINV_E_INVAL;
    ret = filter(&f, out);
    if (result)
        *result = f.result;
    return ret;
}

static const char *const texts[XINV_FILTER_NREASONS] = {
    [XINV_FILTER_ALLOWED] = "nothing is wrong",
    [XINV_FILTER_INVALID] = "the command is not valid",
    [XINV_FILTER_UNLISTED] = "no guest may send this command",
    [XINV_FILTER_EMULATED] = "a table that is read for the guest has changed",
    [XINV_FILTER_HINT] = "a hint, which can be dropped",
    [XINV_FILTER_ENDPOINT] = "no endpoint of the guest's has this requester ID",
    [XINV_FILTER_TAG] = "no table of the guest's has this tag",
    [XINV_FILTER_PASID] = "the PASID is not the guest's",
    [XINV_FILTER_NO_ATS] = "the endpoint's device TLB is off",
    [XINV_FILTER_HOST] = "the host's IOMMU does not take it",
};

const char *xinv_filter_text(unsigned reason)
{
    return texts[reason < XINV_FILTER_NREASONS ? reason : XINV_FILTER_UNLISTED];
}
