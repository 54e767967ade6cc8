// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAX_LINE (1u << 18) /* a PROBE's response is twice its bytes */

struct reader {
    const char *path;
    struct capture *capture;
    size_t cap_requests;
    size_t used;
    size_t cap_bytes;
    uint32_t line;
};

static int complain(const struct reader *r, size_t column, const char *what, const char *expected)
{
    return cli_fail(CLI_INPUT, "%s:%u:%zu: %s; expected %s", r->path, r->line, column + 1, what,
                    expected);
}

/* One field of hexadecimal bytes from *at on; moves *at behind it. */
static int read_bytes(struct reader *r, const char *text, size_t *at, uint32_t *n, const char *what)
{
    struct capture *c = r->capture;

    *n = 0;
    while (text[*at] && text[*at] != ' ') {
        int byte = cli_hex_byte(text + *at);

        if (byte < 0)
            return complain(r, *at, what, "pairs of hexadecimal digits");
        if (r->used == r->cap_bytes) {
            r->cap_bytes = r->cap_bytes ? r->cap_bytes * 2 : 1u << 16;
            c->bytes = cli_grow(c->bytes, r->cap_bytes, 1);
        }
        c->bytes[r->used++] = (uint8_t)byte;
        (*n)++;
        *at += 2;
    }
    if (*n)
        return CLI_OK;
    return complain(r, *at, what, "pairs of hexadecimal digits");
}

static int read_request(struct reader *r, const char *text)
{
    static const char *const form = "'SECONDS REQUEST RESPONSE', 'kick' or '# comment'";
    struct capture *c = r->capture;
    struct capture_request request = {.line = r->line, .at = r->used, .kick = c->kicks};
    size_t at = strspn(text, "0123456789.");

    if (!at || text[at] != ' ')
        return complain(r, 0, "not a line of a capture", form);
    at++;
    if (read_bytes(r, text, &at, &request.n_request, "the request is not readable"))
        return CLI_INPUT;
    if (text[at] != ' ')
        return complain(r, at, "the response is missing", form);
    at++;
    if (read_bytes(r, text, &at, &request.n_response, "the response is not readable"))
        return CLI_INPUT;
    if (text[at])
        return complain(r, at, "something follows the response", "the end of the line");
    if (c->n == r->cap_requests) {
        r->cap_requests = r->cap_requests ? r->cap_requests * 2 : 4096;
        c->requests = cli_grow(c->requests, r->cap_requests, sizeof(*c->requests));
    }
    c->requests[c->n++] = request;
    return CLI_OK;
}

static int read_line(struct reader *r, char *text)
{
    size_t n = strcspn(text, "\r\n");

    if (!text[n] && n == MAX_LINE - 2)
        return complain(r, 0, "the line is too long", "at most 262142 characters");
    text[n] = '\0';
    if (!n || text[0] == '#')
        return CLI_OK;
    if (!strcmp(text, "kick")) {
        r->capture->kicks++;
        return CLI_OK;
    }
    return read_request(r, text);
}

static char *base_name(const char *path)
{
    static const char *const endings[] = {".gz", ".requests", ".txt"};
    const char *slash = strrchr(path, '/');
    char *name = cli_copy(slash ? slash + 1 : path);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(name);
        size_t m = strlen(endings[i]);

        if (n > m && !strcmp(name + n - m, endings[i]))
            name[n - m] = '\0';
    }
    return name;
}

/* Complains where the file itself cannot be read on. */
static bool file_error(const struct reader *r, gzFile f)
{
    int error = Z_OK;
    const char *why = gzerror(f, &error);

    if (error == Z_OK || error == Z_STREAM_END)
        return false;
    cli_fail(CLI_INPUT, "%s:%u: cannot be read: %s", r->path, r->line,
             error == Z_ERRNO ? strerror(errno) : why);
    return true;
}

int capture_read(struct capture *capture, const char *path)
{
    struct reader r = {.path = path, .capture = capture};
    gzFile f = gzopen(path, "rb");
    char *text;
    int status = CLI_OK;

    *capture = (struct capture){0};
    if (!f)
        return cli_fail(CLI_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    text = cli_alloc(MAX_LINE, 1);
    capture->name = base_name(path);
    while (!status && gzgets(f, text, MAX_LINE - 1)) {
        r.line++;
        /* a line without an end may be all that could be read of it */
        if (!strchr(text, '\n') && file_error(&r, f))
            status = CLI_INPUT;
        else
            status = read_line(&r, text);
    }
    if (!status && file_error(&r, f))
        status = CLI_INPUT;
    if (!status && !capture->n)
        status = cli_fail(CLI_INPUT, "%s: no request in it; expected a capture", path);
    gzclose(f);
    free(text);
    if (status)
        capture_free(capture);
    return status;
}

void capture_free(struct capture *capture)
{
    free(capture->name);
    free(capture->requests);
    free(capture->bytes);
    *capture = (struct capture){0};
}
