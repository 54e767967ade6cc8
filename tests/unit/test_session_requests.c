// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The hand-written requests of tests/data/requests/: see README.md there. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sessionrig.h"

#define S2 XINV_STAGE_STAGE2

struct line {
    char session[16];
    char name[64];
    uint8_t bytes[128];
    size_t n;
    unsigned writable_from;
    unsigned writable_to;
    int status;
    bool all_used;
};

static struct rig r;

static int status_of(const char *name)
{
    static const char *const names[] = {"OK",    "IOERR", "UNSUPP", "DEVERR", "INVAL",
                                        "RANGE", "NOENT", "FAULT",  "NOMEM"};

    for (int i = 0; i < 9; i++)
        if (!strcmp(names[i], name))
            return i;
    cr_assert_fail("no status is called %s", name);
    return -1;
}

static size_t parse_hex(const char *text, uint8_t *bytes, size_t max)
{
    size_t digits = 0;

    if (!strcmp(text, "-"))
        return 0;
    for (; *text; text++) {
        const char *at = strchr("0123456789abcdef", *text);

        if (*text == '_')
            continue;
        cr_assert(at && digits / 2 < max, "%s", text);
        bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | (at - "0123456789abcdef"));
        digits++;
    }
    cr_assert_eq(digits % 2, 0, "half a byte");
    return digits / 2;
}

/* Reads the next line; false at the end of the file. line->session stays from line to line. */
static bool next_line(FILE *f, struct line *line)
{
    char text[512];

    while (fgets(text, sizeof(text), f)) {
        char hex[384];
        char writable[16];
        char status[16];
        char used[8];
        int fields;

        if (sscanf(text, "@session %15s", line->session) == 1 || strchr("#\n", *text))
            continue;
        fields = sscanf(text, "%63s %383s %15s %15s %7s", line->name, hex, writable, status, used);
        cr_assert_eq(fields, 5, "%s", text);
        memset(line->bytes, 0, sizeof(line->bytes));
        line->n = parse_hex(hex, line->bytes, sizeof(line->bytes));
        line->writable_from = (unsigned)strtoul(writable, NULL, 10);
        line->writable_to = line->writable_from;
        if (strstr(writable, ".."))
            line->writable_to = (unsigned)strtoul(strstr(writable, "..") + 2, NULL, 10);
        line->status = status_of(status);
        line->all_used = !strcmp(used, "=");
        cr_assert(line->all_used || !strcmp(used, "0"));
        return true;
    }
    return false;
}

static FILE *open_data(const char *name)
{
    char path[512];
    const char *root = getenv("XINV_SOURCE_DIR");
    FILE *f;

    snprintf(path, sizeof(path), "%s/tests/data/requests/%s", root ? root : ".", name);
    f = fopen(path, "r");
    cr_assert_not_null(f, "%s", path);
    return f;
}

/* ---- Sessions ---- */

static struct xinv_session_config config_of(const char *name)
{
    struct xinv_session_config c = rig_config(1);

    c.features |= XINV_VIRTIO_F_INPUT_RANGE | XINV_VIRTIO_F_DOMAIN_RANGE;
    c.input_start = 0x1000;
    c.input_end = UINT64_C(0xffffffffffff);
    c.domain_start = 1;
    c.domain_end = 256;
    c.probe_size = 32;
    if (!strcmp(name, "wide"))
        c.features = rig_config(1).features;
    if (!strcmp(name, "bare"))
        c.features = XINV_VIRTIO_F_MAP_UNMAP;
    if (!strcmp(name, "mapless"))
        c.features &= ~XINV_VIRTIO_F_MAP_UNMAP;
    if (!strcmp(name, "silent"))
        c.unknown_type_unwritten = 1;
    if (!strcmp(name, "full")) {
        c.max_domains = 2;
        c.max_mappings = 2;
    }
    return c;
}

static void add_endpoints(void)
{
    static const struct xinv_reserved_region region[] = {{0xfee00000, 0xfeefffff, 1}};

    for (uint32_t id = 8; id <= 10; id++) {
        struct xinv_endpoint e = rig_endpoint(id, 0, S2);

        if (id == 8) {
            e.reserved = region;
            e.n_reserved = 1;
        }
        if (id == 10)
            e.fixed_tag = 9;
        rig_add(&r, &e);
    }
}

/* Endpoint 9 goes through domains until no tag is clean. */
static void use_up_tags(void)
{
    unsigned n = 0;

    while (n < 99 && rig_attach(&r, 3, 9, 0) == XINV_VIRTIO_OK) {
        cr_assert_eq(rig_detach(&r, 3, 9), XINV_VIRTIO_OK);
        n++;
    }
    cr_assert_eq(n, 12, "4-bit DIDs, without 0, 1, domain 1's and the fixed one");
}

static void open_session(const char *name)
{
    struct xinv_session_config config = config_of(name);
    bool tagless = !strcmp(name, "tagless");
    bool opaque = !strcmp(name, "opaque");

    rig_platform(&r, 0, "intel-vtd-legacy", tagless ? "ND" : opaque ? "PT" : NULL, 0);
    rig_open(&r, &config);
    add_endpoints();
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    if (tagless)
        use_up_tags();
    cr_assert_eq(rig_attach(&r, 2, 9, !opaque && strcmp(name, "bare") != 0), XINV_VIRTIO_OK);
    if (!strcmp(name, "mapless"))
        return;
    cr_assert_eq(rig_map(&r, 1, 0x10000, 0x1ffff, 0x80000), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x30000, 0x31fff, 0xa0000), XINV_VIRTIO_OK);
}

/* What the guest can see of endpoint 8. */
static void probe(uint8_t *reply)
{
    uint8_t b[72];

    (void)rig_request(&r, b, rig_probe_bytes(b, 8), 36);
    memcpy(reply, r.reply, 36);
}

/* ---- Lines ---- */

/* An output that holds something already, with poison behind it. */
static struct xinv_out begun(void)
{
    memset(r.words, RIG_POISON, sizeof(r.words));
    memset(r.steps, RIG_POISON, sizeof(r.steps));
    return (struct xinv_out){.words = r.words[0],
                             .steps = r.steps[0],
                             .cap_words = RIG_WORDS,
                             .cap_steps = RIG_STEPS,
                             .n_words = 6,
                             .n_steps = 2};
}

static bool all_poison(const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        if (b[i] != RIG_POISON)
            return false;
    return true;
}

static void run_failing(const struct line *line, unsigned n_writable)
{
    uint8_t before[36];
    uint8_t after[36];
    struct xinv_out out;
    uint8_t *reply = malloc(n_writable + 1);

    open_session(line->session);
    probe(before);
    rig_remember(&r);
    out = begun();
    memset(reply, RIG_POISON, n_writable + 1);
    cr_assert_eq(xinv_session_request(r.session, line->bytes, line->n, reply, n_writable, NULL,
                                      NULL, r.done, &out, r.reports, &r.outcome),
                 0, "%s", line->name);
    cr_assert_eq(r.outcome.status, line->status, "%s (%u): %u", line->name, n_writable,
                 r.outcome.status);
    cr_assert_eq(r.outcome.written, line->all_used ? n_writable : 0, "%s", line->name);
    cr_assert_eq(r.outcome.error, 0);
    cr_assert_eq(r.outcome.fenced, 0);
    cr_assert_eq(r.outcome.iommus, 0);
    for (unsigned i = 0; i < n_writable; i++)
        cr_assert_eq(reply[i],
                     !line->all_used       ? RIG_POISON
                     : i == n_writable - 4 ? line->status
                                           : 0,
                     "%s: byte %u of %u", line->name, i, n_writable);
    cr_assert_eq(reply[n_writable], RIG_POISON, "%s", line->name);
    cr_assert_eq(out.n_words, 6);
    cr_assert_eq(out.n_steps, 2);
    cr_assert(all_poison(r.words, sizeof(r.words)) && all_poison(r.steps, sizeof(r.steps)), "%s",
              line->name);
    cr_assert_eq(r.reports[0].commands, 0, "%s", line->name);
    cr_assert(rig_unchanged(&r), "%s", line->name);
    probe(after);
    cr_assert_arr_eq(after, before, sizeof(after), "%s", line->name);
    free(reply);
    rig_close(&r);
}

Test(session_requests, what_must_fail_fails_and_changes_nothing)
{
    FILE *f = open_data("failing.txt");
    struct line line = {0};
    unsigned seen = 0;
    unsigned n = 0;

    while (next_line(f, &line)) {
        for (unsigned w = line.writable_from; w <= line.writable_to; w++)
            run_failing(&line, w);
        seen |= 1u << line.status;
        n++;
    }
    fclose(f);
    cr_assert_geq(n, 50);
    /* IOERR, UNSUPP, INVAL, RANGE, NOENT, NOMEM: no request causes DEVERR or FAULT */
    cr_assert_eq(seen, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8);
}

Test(session_requests, what_looks_odd_and_is_right_succeeds)
{
    FILE *f = open_data("passing.txt");
    struct line line = {0};
    unsigned n = 0;

    while (next_line(f, &line)) {
        for (unsigned w = line.writable_from; w <= line.writable_to; w++) {
            open_session(line.session);
            cr_assert_eq(rig_request(&r, line.bytes, line.n, w), XINV_VIRTIO_OK, "%s: %u",
                         line.name, r.outcome.status);
            cr_assert_eq(r.outcome.written, w);
            rig_close(&r);
        }
        n++;
    }
    fclose(f);
    cr_assert_geq(n, 20);
}

Test(session_requests, names_are_unique)
{
    static const char *const files[] = {"failing.txt", "passing.txt"};
    static char names[256][64];
    unsigned n = 0;

    for (unsigned i = 0; i < 2; i++) {
        FILE *f = open_data(files[i]);
        struct line line = {0};

        while (next_line(f, &line)) {
            for (unsigned k = 0; k < n; k++)
                cr_assert_str_neq(names[k], line.name);
            cr_assert_lt(n, 256);
            strcpy(names[n++], line.name);
        }
        fclose(f);
    }
}
