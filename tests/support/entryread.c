// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Decoded words as rows of the table with their operands. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/backend.h"
#include "tests/support/entryoracle.h"

static bool has_field(const struct refdec_cmd *cmd, const char *name)
{
    for (unsigned i = 0; i < cmd->nfields; i++)
        if (!strcmp(cmd->fields[i].name, name))
            return true;
    return false;
}

static uint64_t field(const struct refdec_cmd *cmd, const char *name)
{
    return has_field(cmd, name) ? refdec_field(cmd, name) : 0;
}

static bool is(const struct refdec_cmd *cmd, const char *name)
{
    return !strcmp(cmd->name, name);
}

static bool is_whole(const struct refdec_cmd *cmd)
{
    return cmd->has_range && !cmd->first && cmd->last == UINT64_MAX;
}

/* A sync completes; it removes nothing. */
static bool is_sync(const struct refdec_cmd *cmd)
{
    return is(cmd, "SYNC") || is(cmd, "wait") || is(cmd, "COMPLETION_WAIT");
}

/* The table's op of a command, as schema/ spells it. */
static void op_of(const struct refdec_cmd *cmd, char *op, size_t size)
{
    static const struct {
        const char *name;
        const char *op[4]; /* by G */
    } vtd[] = {
        {"cc", {"", "cc_global", "cc_domain", "cc_device"}},
        {"iotlb", {"", "iotlb_global", "iotlb_domain", "iotlb_page"}},
        {"p_iotlb", {"", "", "p_iotlb_pasid", "p_iotlb_page"}},
        {"pc", {"pc_domain", "pc_pasid", "", "pc_global"}},
        {"p_dev_tlb", {"p_dev_tlb_", "p_dev_tlb_", "", ""}},
        {"dev_tlb", {"dev_tlb_", "", "", ""}},
        {"iec", {"iec_global", "", "", ""}},
    };
    bool guest = field(cmd, "SSV") || field(cmd, "GN");
    const char *all = is_whole(cmd) ? "_all" : "";

    for (size_t i = 0; i < sizeof(vtd) / sizeof(vtd[0]); i++) {
        const char *text = vtd[i].op[field(cmd, "G") & 3];

        if (!is(cmd, vtd[i].name))
            continue;
        if (text[strlen(text) - 1] != '_')
            snprintf(op, size, "%s", text);
        else if (is_whole(cmd))
            snprintf(op, size, "%sall%s", text, field(cmd, "G") ? "_pasids" : "");
        else
            snprintf(op, size, "%spage%s", text, field(cmd, "G") ? "_all_pasids" : "");
        return;
    }
    if (is(cmd, "ATC_INV"))
        snprintf(op, size, "atc_inv%s%s", guest ? "_pasid" : "", all);
    else if (is(cmd, "INVALIDATE_IOMMU_PAGES"))
        snprintf(op, size, "pages_%s%s", guest ? "guest" : "host", all);
    else if (is(cmd, "INVALIDATE_IOTLB_PAGES"))
        snprintf(op, size, "iotlb%s%s", guest ? "_pasid" : "", all);
    else if (!strncmp(cmd->name, "INVALIDATE_", 11))
        snprintf(op, size, "%s", cmd->name + 11);
    else
        snprintf(op, size, "%s", cmd->name);
    for (char *c = op; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

static uint8_t find_row(const struct oracle *o, const char *op, bool leaf)
{
    const struct xinv_vendor *v = o->iommu->vendor;
    unsigned found = v->n_commands;

    for (unsigned i = 0; i < v->n_commands; i++) {
        const struct xinv_command_def *row = &v->commands[i];

        if ((o->iommu->commands >> i & 1) && !strcmp(v->backend->op_names[row->op], op) &&
            row->leaf == leaf) {
            cr_assert_eq(found, v->n_commands, "two rows of %s", op);
            found = i;
        }
    }
    cr_assert_lt(found, v->n_commands, "%s has no row %s", o->iommu->platform->name, op);
    return (uint8_t)found;
}

/* The promise that only leaves changed: Leaf, IH, or no PDE. */
static bool is_leaf(const struct refdec_cmd *cmd)
{
    return field(cmd, "Leaf") || field(cmd, "IH") || (has_field(cmd, "PDE") && !field(cmd, "PDE"));
}

/*
 * TTL = L reaches leaves of level L alone (SMMUv3 2.2): their log2 size under the granule of TG. A
 * granule that is not the table's reaches nothing.
 */
static uint8_t level_hint(const struct oracle *o, const struct refdec_cmd *cmd)
{
    unsigned ttl = (unsigned)field(cmd, "TTL");
    unsigned granule = (unsigned)(10 + 2 * field(cmd, "TG"));
    unsigned own = o->request->log2_granule ? o->request->log2_granule : 12;

    if (!field(cmd, "TG"))
        return 0;
    if (granule != own)
        return 1;
    return (uint8_t)(ttl ? granule + (3 - ttl) * (granule - 3) : 0);
}

static struct oracle_command *add(struct oracle *o, uint8_t row)
{
    struct oracle_command *c;

    cr_assert_lt(o->n_sent, ORACLE_COMMANDS);
    c = &o->sent[o->n_sent++];
    *c = (struct oracle_command){.row = row, .last = UINT64_MAX};
    return c;
}

static void read_command(struct oracle *o, const struct refdec_cmd *cmd)
{
    struct oracle_command *c;
    char op[48];

    op_of(cmd, op, sizeof(op));
    c = add(o, find_row(o, op, is_leaf(cmd)));
    c->tag[XINV_TAG_RID] = (uint32_t)(field(cmd, "SID") | field(cmd, "DeviceID"));
    c->tag[XINV_TAG_PASID] = (uint32_t)(field(cmd, "SSID") | field(cmd, "PASID"));
    c->tag[XINV_TAG_ASID] = (uint32_t)field(cmd, "ASID");
    c->tag[XINV_TAG_DID] = (uint32_t)(field(cmd, "DID") | field(cmd, "DomainID"));
    c->tag[XINV_TAG_VMID] = (uint32_t)field(cmd, "VMID");
    c->only_size = level_hint(o, cmd);
    if (cmd->has_range) {
        c->first = cmd->first;
        c->last = cmd->last;
    }
}

void oracle_read(struct oracle *o, const struct trial *t)
{
    uint64_t rows = 0;

    o->n_sent = 0;
    for (uint32_t i = 0; i < t->out.n_steps; i++)
        if (t->steps[i].kind == XINV_STEP_REGISTER)
            add(o, t->steps[i].row);
    for (unsigned i = 0; i < t->n_cmd; i++)
        if (!is_sync(&t->cmd[i]))
            read_command(o, &t->cmd[i]);
    for (unsigned i = 0; i < o->n_sent; i++)
        rows |= UINT64_C(1) << o->sent[i].row;
    cr_assert_eq(rows, t->report.rows, "%s: the report names other rows than the words",
                 o->iommu->platform->name);
}

/* A command of a row with the first attachment's operands and the request's range. */
static void imagine_row(struct oracle *o, const struct trial *t, uint8_t row)
{
    const struct xinv_attachment *at = &t->at[0];
    struct oracle_command *c = add(o, row);

    c->tag[XINV_TAG_RID] = at->rid;
    c->tag[XINV_TAG_PASID] = at->pasid;
    c->tag[XINV_TAG_ASID] = at->asid;
    c->tag[XINV_TAG_DID] = at->did;
    c->tag[XINV_TAG_VMID] = at->vmid;
    if (o->iommu->vendor->commands[row].ranges.count) {
        c->first = t->request.first;
        c->last = t->request.last;
    }
}

void oracle_imagine(struct oracle *o, const struct trial *t, const char *op, bool leaf)
{
    o->n_sent = 0;
    imagine_row(o, t, find_row(o, op, leaf));
}

void oracle_imagine_all(struct oracle *o, const struct trial *t)
{
    bool ranged = t->request.flags & XINV_REQ_RANGE;

    o->n_sent = 0;
    for (uint8_t i = 0; i < o->iommu->vendor->n_commands; i++)
        if ((o->iommu->commands >> i & 1) &&
            (ranged || !o->iommu->vendor->commands[i].ranges.count))
            imagine_row(o, t, i);
}
