// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xinv/session.h>

/* What follows a verb: d domain, e endpoint, r range, a address, n number, c context, t table. */
static const struct {
    const char *verb;
    const char *takes;
} verbs[SCRIPT_N_OPS] = {
    [SCRIPT_ATTACH] = {"attach", "de"}, [SCRIPT_DETACH] = {"detach", "de"},
    [SCRIPT_MAP] = {"map", "dr"},       [SCRIPT_UNMAP] = {"unmap", "dr"},
    [SCRIPT_BYPASS] = {"bypass", "n"},  [SCRIPT_RESET] = {"reset", ""},
    [SCRIPT_KICK] = {"kick", ""},       [SCRIPT_DONE] = {"done", ""},
    [SCRIPT_DMA] = {"dma", "ea"},       [SCRIPT_ENTER] = {"enter", "c"},
    [SCRIPT_LEAVE] = {"leave", "c"},    [SCRIPT_RELEASE] = {"release", "c"},
    [SCRIPT_S1MAP] = {"s1map", "tr"},   [SCRIPT_S1UNMAP] = {"s1unmap", "tr"},
    [SCRIPT_S2MAP] = {"s2map", "tr"},   [SCRIPT_S2UNMAP] = {"s2unmap", "tr"},
    [SCRIPT_C_DMA] = {"access", "ca"},
};

static const struct {
    const char *word;
    uint8_t flag;
} words[] = {
    {"bypass", SCRIPT_BYPASSED}, {"leaf-only", SCRIPT_LEAF_ONLY}, {"global", SCRIPT_GLOBAL},
    {"shared", SCRIPT_SHARED},   {"hint", SCRIPT_HINT},
};

static const char *const statuses[] = {"OK",    "IOERR", "UNSUPP", "DEVERR", "INVAL",
                                       "RANGE", "NOENT", "FAULT",  "NOMEM"};

#define N_STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* ---- Reading -----------------------------------------------------------------------------------
 */

static bool number(const char *text, uint64_t *value)
{
    char *end;

    *value = text ? strtoull(text, &end, 0) : 0;
    return text && *text && !*end;
}

static bool range(char *text, uint64_t *first, uint64_t *last)
{
    char *dots = text ? strstr(text, "..") : NULL;

    if (!dots)
        return false;
    *dots = 0;
    return number(text, first) && number(dots + 2, last) && *first <= *last;
}

static bool letter(const char *text, char first, uint32_t *value)
{
    if (!text || text[0] < first || text[0] > first + 7 || text[1])
        return false;
    *value = (uint32_t)(text[0] - first);
    return true;
}

static bool operand(char kind, char *text, struct script_step *step)
{
    uint64_t value = 0;

    switch (kind) {
    case 'r':
        return range(text, &step->first, &step->last);
    case 'c':
        return letter(text, 'a', &step->number);
    case 't':
        return letter(text, 'A', &step->number);
    default:
        break;
    }
    if (!number(text, &value))
        return false;
    if (kind == 'd')
        step->number = (uint32_t)value;
    else if (kind == 'e')
        step->endpoint = (uint32_t)value;
    else
        step->first = value;
    return true;
}

static bool status_of(const char *text, int *status)
{
    for (unsigned i = 0; text && i < N_STATUSES; i++)
        if (!strcmp(text, statuses[i])) {
            *status = (int)i;
            return true;
        }
    return false;
}

static bool option(char *text, char **save, struct script_step *step)
{
    uint64_t value;

    if (!strcmp(text, "->"))
        return status_of(strtok_r(NULL, " \t", save), &step->status);
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(text, words[i].word)) {
            step->flags |= words[i].flag;
            return true;
        }
    if (!strncmp(text, "leaf=", 5) && number(text + 5, &value)) {
        step->log2_leaf = (uint8_t)value;
        return true;
    }
    return !strncmp(text, "to=", 3) && number(text + 3, &step->to);
}

static bool take_step(struct script *s, char *verb, char **save, unsigned line)
{
    struct script_step step = {.status = XINV_VIRTIO_OK, .line = line};
    char *token;

    while (step.op < SCRIPT_N_OPS && strcmp(verbs[step.op].verb, verb))
        step.op++;
    if (step.op == SCRIPT_N_OPS || s->n_steps == SCRIPT_STEPS)
        return false;
    for (const char *t = verbs[step.op].takes; *t; t++)
        if (!operand(*t, strtok_r(NULL, " \t", save), &step))
            return false;
    while ((token = strtok_r(NULL, " \t", save)))
        if (!option(token, save, &step))
            return false;
    s->steps[s->n_steps++] = step;
    return true;
}

static bool take_endpoint(struct script *s, char **save)
{
    struct script_endpoint e = {.id = 0};
    uint64_t value;
    char *token;

    if (s->n_endpoints == SCRIPT_ENDPOINTS || !number(strtok_r(NULL, " \t", save), &value))
        return false;
    e.id = (uint32_t)value;
    while ((token = strtok_r(NULL, " \t", save))) {
        if (!strcmp(token, "no-ats"))
            e.no_ats = true;
        else if (!strcmp(token, "other-stage"))
            e.other_stage = true;
        else if (!strcmp(token, "iommu=1"))
            e.iommu = 1;
        else
            return false;
    }
    s->two_iommus = s->two_iommus || e.iommu;
    s->endpoints[s->n_endpoints++] = e;
    return true;
}

static bool context_option(const char *text, struct script_context *c)
{
    static const char *const stages[] = {
        [XINV_STAGE_STAGE1] = "stage1",
        [XINV_STAGE_STAGE2] = "stage2",
        [XINV_STAGE_NESTED] = "nested",
    };
    uint32_t *const fields[] = {&c->rid, &c->pasid, &c->tag, &c->asid};
    static const char *const names[] = {"rid=", "pasid=", "tag=", "asid="};
    uint64_t value;

    for (unsigned i = 0; i < 4; i++)
        if (!strncmp(text, names[i], strlen(names[i])) && number(text + strlen(names[i]), &value)) {
            *fields[i] = (uint32_t)value;
            return true;
        }
    for (unsigned i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
        if (stages[i] && !strcmp(text, stages[i])) {
            c->stage = (uint8_t)i;
            return true;
        }
    if (!strncmp(text, "s1=", 3) && text[3] >= 'A' && text[3] <= 'H')
        c->stage1 = text[3];
    else if (!strncmp(text, "s2=", 3) && text[3] >= 'A' && text[3] <= 'H')
        c->stage2 = text[3];
    else
        return false;
    return true;
}

static bool take_context(struct script *s, char **save)
{
    struct script_context c = {.rid = 0x310, .tag = 5, .asid = 1, .stage = XINV_STAGE_PASSTHROUGH};
    char *token = strtok_r(NULL, " \t", save);
    uint32_t index;

    if (s->n_contexts == SCRIPT_CONTEXTS || !letter(token, 'a', &index) || index != s->n_contexts)
        return false;
    c.name = *token;
    while ((token = strtok_r(NULL, " \t", save)))
        if (!context_option(token, &c))
            return false;
    if (c.stage == XINV_STAGE_PASSTHROUGH || (c.stage != XINV_STAGE_STAGE2) != (c.stage1 != 0) ||
        (c.stage != XINV_STAGE_STAGE1) != (c.stage2 != 0))
        return false;
    s->contexts[s->n_contexts++] = c;
    return true;
}

static bool take_line(struct script *s, char *line, unsigned n)
{
    char *save = NULL;
    char *verb = strtok_r(line, " \t", &save);
    uint64_t value;

    if (!verb)
        return true;
    if (!strcmp(verb, "endpoint"))
        return take_endpoint(s, &save);
    if (!strcmp(verb, "context"))
        return take_context(s, &save);
    if (!strcmp(verb, "lazy"))
        return s->lazy = true;
    if (!strcmp(verb, "stage1"))
        return s->stage1_only = true;
    if (!strcmp(verb, "stage2"))
        return s->stage2_only = true;
    if (!strcmp(verb, "domains") && number(strtok_r(NULL, " \t", &save), &value)) {
        s->max_domains = (uint32_t)value;
        return true;
    }
    return take_step(s, verb, &save, n);
}

bool script_parse(struct script *s, const char *text, char *error, size_t size)
{
    char line[256];
    unsigned n = 0;

    while (*text) {
        size_t length = strcspn(text, "\n");

        n++;
        snprintf(line, sizeof(line), "%.*s", (int)length, text);
        line[strcspn(line, "#")] = 0;
        if (length >= sizeof(line) || !take_line(s, line, n)) {
            snprintf(error, size, "%s:%u: not understood: %.*s", s->name, n, (int)length, text);
            return false;
        }
        text += length + (text[length] == '\n');
    }
    return true;
}

bool script_read(struct script *s, const char *path, char *error, size_t size)
{
    static char text[65536];
    const char *base = strrchr(path, '/');
    FILE *file = fopen(path, "r");
    size_t n;

    memset(s, 0, sizeof(*s));
    snprintf(s->name, sizeof(s->name), "%s", base ? base + 1 : path);
    if (!file) {
        snprintf(error, size, "%s: cannot be opened", path);
        return false;
    }
    n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = 0;
    fclose(file);
    return script_parse(s, text, error, size);
}

/* ---- Printing ----------------------------------------------------------------------------------
 */

static size_t put_operand(char kind, const struct script_step *step, char *text, size_t size)
{
    int n;

    switch (kind) {
    case 'r':
        n = snprintf(text, size, " 0x%" PRIx64 "..0x%" PRIx64, step->first, step->last);
        break;
    case 'c':
        n = snprintf(text, size, " %c", (char)('a' + step->number));
        break;
    case 't':
        n = snprintf(text, size, " %c", (char)('A' + step->number));
        break;
    case 'a':
        n = snprintf(text, size, " 0x%" PRIx64, step->first);
        break;
    case 'n':
        n = snprintf(text, size, " %" PRIu64, step->first);
        break;
    default:
        n = snprintf(text, size, " %u", kind == 'd' ? step->number : step->endpoint);
        break;
    }
    return (size_t)n;
}

void script_step_text(const struct script_step *step, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s", verbs[step->op].verb);

    for (const char *t = verbs[step->op].takes; *t && used < size; t++)
        used += put_operand(*t, step, text + used, size - used);
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]) && used < size; i++)
        if (step->flags & words[i].flag)
            used += (size_t)snprintf(text + used, size - used, " %s", words[i].word);
    if (step->log2_leaf && used < size)
        used += (size_t)snprintf(text + used, size - used, " leaf=%u", step->log2_leaf);
    if (step->to && used < size)
        used += (size_t)snprintf(text + used, size - used, " to=0x%" PRIx64, step->to);
    if (step->status > 0 && used < size)
        snprintf(text + used, size - used, " -> %s", statuses[step->status]);
}

void script_print(const struct script *s, FILE *to)
{
    char text[160];

    for (unsigned i = 0; i < s->n_steps; i++) {
        script_step_text(&s->steps[i], text, sizeof(text));
        fprintf(to, "    %s\n", text);
    }
}
