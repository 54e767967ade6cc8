// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/command_text.h"

#include <inttypes.h>
#include <string.h>

#include "core/backend.h"
#include "schema/load.h"

/* The longest name of a command that this vendor's rows have, for alignment. */
static int name_width(const struct xinv_vendor *v)
{
    size_t width = strlen("SYNC");

    for (unsigned i = 0; i < v->n_commands; i++)
        if (strlen(v->commands[i].name) > width)
            width = strlen(v->commands[i].name);
    return (int)width;
}

static uint64_t from_le64(uint64_t v)
{
    const uint8_t *p = (const uint8_t *)&v;
    uint64_t out = 0;

    for (unsigned i = 0; i < 8; i++)
        out |= (uint64_t)p[i] << (8 * i);
    return out;
}

void command_text_load(const struct xinv_iommu *iommu, const struct xinv_out *out, uint32_t at,
                       uint64_t *words)
{
    for (unsigned w = 0; w < iommu->words; w++)
        words[w] = from_le64(out->words[at + w]);
}

static void print_command(const struct xinv_iommu *iommu, const uint64_t *words, const char *prefix)
{
    struct xinv_decoded d;
    int ret = xinv_decode(iommu, words, &d);

    printf("%s%-*s ", prefix, name_width(iommu->vendor), ret == -XINV_E_NOENT ? "?" : d.name);
    for (unsigned w = 0; w < iommu->words; w++)
        printf(" 0x%016" PRIx64, words[w]);
    printf(" ");
    for (unsigned i = 0; ret != -XINV_E_NOENT && i < d.n_fields; i++)
        printf(" %s=0x%" PRIx64, d.fields[i].name, d.fields[i].value);
    printf("\n");
}

/* What the platform's queues are told apart by. */
static const char *target_name(const struct xinv_iommu *iommu)
{
    return schema_tag_names[__builtin_ctz(iommu->target)];
}

void command_text_steps(const struct xinv_iommu *iommu, const struct xinv_out *out,
                        const char *prefix)
{
    for (uint32_t i = 0; i < out->n_steps; i++) {
        const struct xinv_step *step = &out->steps[i];
        uint64_t words[XINV_COMMAND_WORDS];

        switch (step->kind) {
        case XINV_STEP_QUEUE:
            if (iommu->target)
                printf("%s(to %s 0x%" PRIx32 ")\n", prefix, target_name(iommu), step->target);
            for (uint32_t at = step->first; at < step->first + step->count; at += iommu->words) {
                command_text_load(iommu, out, at, words);
                print_command(iommu, words, prefix);
            }
            break;
        case XINV_STEP_REGISTER:
            printf("%s%-*s  write 0x%08" PRIx32
                   " at +0x%x with the enables that are on, poll +0x%x until it is clear\n",
                   prefix, name_width(iommu->vendor), iommu->vendor->commands[step->row].name,
                   step->bits, step->reg, step->poll_reg);
            break;
        default:
            printf("%s(wait for completion)\n", prefix);
            break;
        }
    }
}

static cJSON *command_json(const struct xinv_iommu *iommu, const uint64_t *words)
{
    cJSON *item = json_object();
    struct xinv_decoded d;

    if (xinv_decode(iommu, words, &d) == -XINV_E_NOENT)
        d = (struct xinv_decoded){.name = "?"};
    json_add_text(item, "name", d.name);
    json_add_words(item, "words", words, iommu->words);
    json_add_fields(item, "fields", &d);
    return item;
}

static cJSON *register_json(const struct xinv_iommu *iommu, const struct xinv_step *step)
{
    cJSON *item = json_object();

    json_add_text(item, "name", iommu->vendor->commands[step->row].name);
    json_add_hex(item, "register", step->reg);
    json_add_hex(item, "bits", step->bits);
    json_add_hex(item, "poll", step->poll_reg);
    return item;
}

static void append(cJSON *array, cJSON *item, int which)
{
    if (which >= 0)
        json_add_count(item, "iommu", (uint64_t)which);
    json_append(array, item);
}

void command_json_steps(const struct xinv_iommu *iommu, const struct xinv_out *out, cJSON *array,
                        int which)
{
    for (uint32_t i = 0; i < out->n_steps; i++) {
        const struct xinv_step *step = &out->steps[i];
        uint64_t words[XINV_COMMAND_WORDS];
        cJSON *item;
        cJSON *wait;

        switch (step->kind) {
        case XINV_STEP_QUEUE:
            for (uint32_t at = step->first; at < step->first + step->count; at += iommu->words) {
                command_text_load(iommu, out, at, words);
                item = command_json(iommu, words);
                if (iommu->target)
                    json_add_hex(item, "target", step->target);
                append(array, item, which);
            }
            break;
        case XINV_STEP_REGISTER:
            append(array, register_json(iommu, step), which);
            break;
        default:
            wait = json_object();
            json_add_bool(wait, "wait", true);
            append(array, wait, which);
            break;
        }
    }
}
