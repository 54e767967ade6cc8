// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/command_input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define MAX_LINE   1024
#define MAX_TOKENS 32 /* a 256-bit command as bytes */

/* ---- Hexadecimal ---- */

struct token {
    uint64_t value;
    unsigned digits;
};

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == ':' || c == '\r' || c == '\n';
}

/* Digits, plus 1; 0: none */
static const uint8_t digits_of[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

/* The next number; *at moves behind it. false: something else stands there. */
static bool next_token(const char **at, struct token *token)
{
    const char *p = *at;
    const char *first;
    uint64_t value = 0;
    unsigned digit;

    if (p[0] == '0' && (p[1] | 32) == 'x')
        p += 2;
    for (first = p; (digit = digits_of[(uint8_t)*p]) != 0; p++)
        value = value << 4 | (digit - 1);
    token->value = value;
    token->digits = (unsigned)(p - first < 99 ? p - first : 99);
    *at = p;
    return token->digits && token->digits <= 16 && (!*p || is_separator(*p));
}

/* Words of up to 16 digits, or pieces of 2, 4 or 8 digits each in the order of memory. */
static bool join(const struct token *tokens, unsigned n, unsigned n_words, uint64_t *words)
{
    unsigned digits = n ? n_words * 16 / n : 0;

    if (n == n_words) {
        for (unsigned i = 0; i < n; i++)
            words[i] = tokens[i].value;
        return true;
    }
    if ((digits != 2 && digits != 4 && digits != 8) || digits * n != n_words * 16)
        return false;
    memset(words, 0, n_words * sizeof(*words));
    for (unsigned i = 0; i < n; i++) {
        if (tokens[i].digits != digits)
            return false;
        words[i * digits / 16] |= tokens[i].value << (i * digits % 16 * 4);
    }
    return true;
}

static int read_words(const struct command_input *in, const char *line, uint64_t *words,
                      unsigned *column)
{
    struct token tokens[MAX_TOKENS];
    const char *p = line;
    unsigned n = 0;

    for (;; n++) {
        while (is_separator(*p))
            p++;
        if (!*p || (*p == '#' && n))
            break;
        *column = (unsigned)(p - line) + 1;
        if (n == MAX_TOKENS || !next_token(&p, &tokens[n]))
            return -1;
    }
    *column = 1;
    return join(tokens, n, in->n_words, words) ? 1 : -1;
}

/* ---- Traces ---- */

/* "0x..." behind `label`; false: it is not there */
static bool labelled(const char *line, const char *label, uint64_t *value)
{
    const char *p = strstr(line, label);
    struct token token;

    if (!p)
        return false;
    p += strlen(label);
    if (!next_token(&p, &token))
        return false;
    *value = token.value;
    return true;
}

/* Linux qi_submit: "TYPE UNIT: QW0 QW1 QW2 QW3"; the unit has four words whatever its ring has. */
static int read_qi_submit(const struct command_input *in, const char *line, uint64_t *words,
                          unsigned *column)
{
    const char *p = strchr(line + strlen("qi_submit: "), ':');
    uint64_t four[4];

    *column = 1;
    if (!p)
        return -1;
    p++;
    for (unsigned i = 0; i < 4; i++) {
        struct token token;

        while (*p == ' ')
            p++;
        if (!next_token(&p, &token))
            return -1;
        four[i] = token.value;
    }
    if (in->n_words == 2 && (four[2] || four[3]))
        return -1;
    memcpy(words, four, in->n_words * sizeof(*words));
    return 1;
}

/* QEMU vtd_inv_desc: "... type TYPE high QW1 low QW0"; it never prints the upper half. */
static int read_inv_desc(const struct command_input *in, const char *line, uint64_t *words)
{
    memset(words, 0, in->n_words * sizeof(*words));
    return labelled(line, " low ", &words[0]) && labelled(line, " high ", &words[1]) ? 1 : -1;
}

/* Other events of the same traces, as they come between. */
static bool other_event(const char *line)
{
    static const char *const names[] = {"vtd_inv_",   "vtd_",         "iotlb_",
                                        "x86_iommu_", "prq_report: ", "cache_tag_"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(line, names[i]))
            return true;
    return false;
}

/* What a line of a trace says; 0: nothing of commands. A line that is of none keeps *column. */
static int read_trace(const struct command_input *in, const char *line, uint64_t *words,
                      unsigned *column)
{
    const char *event = strstr(line, "qi_submit: ");
    int ret;

    if (event) {
        ret = read_qi_submit(in, event, words, column);
        *column += (unsigned)(event - line);
        return ret;
    }
    event = strstr(line, "vtd_inv_desc ");
    if (event) {
        *column = (unsigned)(event - line) + 1;
        return read_inv_desc(in, event, words);
    }
    return other_event(line) ? 0 : -1;
}

int command_input_line(const struct command_input *in, const char *line, uint64_t *words,
                       unsigned *column)
{
    char first = line[strspn(line, " \t\r\n")];
    int ret;

    *column = 1;
    if (!first || first == '#')
        return 0;
    ret = read_words(in, line, words, column);
    return ret > 0 || !in->traces ? ret : read_trace(in, line, words, column);
}

/* ---- Streams ---- */

int command_input_bytes(struct command_input *in, const char *path)
{
    gzFile z;

    in->name = path;
    errno = 0;
    z = strcmp(path, "-") ? gzopen(path, "rb") : gzdopen(dup(0), "rb");
    in->z = z;
    if (!z)
        return cli_fail(CLI_INPUT, "%s: cannot be opened: %s", path,
                        errno ? strerror(errno) : "out of memory");
    gzbuffer(z, 1u << 16);
    return CLI_OK;
}

static int next_bytes(struct command_input *in, uint64_t *words)
{
    uint8_t bytes[XINV_COMMAND_WORDS * 8];
    unsigned size = in->n_words * 8;
    int n = gzread(in->z, bytes, size);

    if (n <= 0) {
        int error;
        const char *text = gzerror(in->z, &error);

        if (error == Z_ERRNO)
            text = strerror(errno);
        if (n < 0 || error)
            return cli_fail(-1, "%s: cannot be read: %s", in->name, text);
        return 0;
    }
    if ((unsigned)n < size)
        return cli_fail(-1, "%s: the last command has %d of %u bytes", in->name, n, size);
    for (unsigned i = 0; i < in->n_words; i++) {
        words[i] = 0;
        for (unsigned k = 8; k-- > 0;)
            words[i] = words[i] << 8 | bytes[i * 8 + k];
    }
    in->line++;
    return 1;
}

static int next_line(struct command_input *in, uint64_t *words)
{
    char line[MAX_LINE];
    unsigned column;
    int ret = 0;

    while (!ret) {
        size_t n;

        if (!fgets(line, sizeof(line), in->f)) {
            if (ferror(in->f))
                return cli_fail(-1, "%s: cannot be read: %s", in->name, strerror(errno));
            return 0;
        }
        in->line++;
        n = strlen(line);
        if (n == sizeof(line) - 1 && line[n - 1] != '\n')
            return cli_fail(-1, "%s:%" PRIu64 ": the line is longer than %zu bytes", in->name,
                            in->line, sizeof(line) - 2);
        ret = command_input_line(in, line, words, &column);
        if (ret < 0)
            cli_fail(-1, "%s:%" PRIu64 ":%u: not a command; expected %u words in hexadecimal%s",
                     in->name, in->line, column, in->n_words,
                     in->traces ? " or a qi_submit or vtd_inv_desc line" : "");
    }
    return ret;
}

int command_input_next(struct command_input *in, uint64_t *words)
{
    return in->z ? next_bytes(in, words) : next_line(in, words);
}

void command_input_close(struct command_input *in)
{
    if (in->z)
        gzclose(in->z);
    in->z = NULL;
}
