// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A VMM's virtio-iommu over Linux's iommufd, from request bytes to ioctls and back.
 *
 *   vmm SCRIPT                         a fake kernel: anywhere, without privileges
 *   vmm --dev-iommu SCRIPT VFIO...     /dev/iommu, and a /dev/vfio/devices/vfioN for each device
 *
 * A script is what the guest and its hardware do, a line each:
 *
 *   host vtd|smmuv3|amd                what the fake kernel's IOMMUs are
 *   dialect merged|C|D                 what the guest speaks (wire.h)
 *   device ENDPOINT iommu N [ats]
 *   fail CALL ERRNO [entry N] [after N] [times N]
 *   HEX...                             a request's readable bytes; four writable ones follow
 *   kick                               the guest notifies the device of the requests so far
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define MAX_REQUESTS 64
#define MAX_BYTES    128
#define ARENA_PAGES  64

struct script {
    const char *path;
    unsigned line;
    char *const *vfio; /* descriptors' paths; NULL: the fake kernel */
    bool open;
    unsigned n_kicks;
    struct request request[MAX_REQUESTS];
    uint8_t readable[MAX_REQUESTS][MAX_BYTES];
    uint8_t writable[MAX_REQUESTS][4];
    unsigned n;
};

static struct script script;
static struct fake_kernel fake;
static struct kernel kernel = {.fake = &fake, .iommufd = FAKE_IOMMUFD};
static struct host host = {.kernel = &kernel};
static struct device device = {.host = &host};
static _Alignas(4096) uint8_t memory[ARENA_PAGES * 4096];
static uint8_t busy[ARENA_PAGES];

static int complain(const char *what, const char *detail)
{
    fprintf(stderr, "vmm: %s:%u: %s%s\n", script.path, script.line, what, detail);
    return 1;
}

/* ---- What the fake kernel says of its hardware ---- */

/* Scalable mode with nested translation, 48-bit addresses (VT-d 11.4.2, 11.4.3). */
static const struct xinv_iommufd_hw_info_vtd vtd = {.cap_reg = UINT64_C(0x19ed008c40780c66),
                                                    .ecap_reg = UINT64_C(0x3ef9e86f050df)};
/* 16-bit ASIDs, StreamIDs and SubstreamIDs; no range invalidation; all granules. */
static const struct xinv_iommufd_hw_info_arm_smmuv3 smmuv3 = {
    .idr = {0x080c141b, 0x00000410, 0, 0, 0, 0x75}};
static const struct xinv_iommufd_hw_info_amd amd = {.efr = 0x29d3};

static int set_host(const char *name)
{
    if (!strcmp(name, "vtd")) {
        fake.hw_type = XINV_IOMMUFD_HW_INFO_VTD;
        fake.hw_info = &vtd;
        fake.hw_info_len = sizeof(vtd);
    } else if (!strcmp(name, "smmuv3")) {
        fake.hw_type = XINV_IOMMUFD_HW_INFO_ARM_SMMUV3;
        fake.hw_info = &smmuv3;
        fake.hw_info_len = sizeof(smmuv3);
    } else if (!strcmp(name, "amd")) {
        fake.hw_type = XINV_IOMMUFD_HW_INFO_AMD;
        fake.hw_info = &amd;
        fake.hw_info_len = sizeof(amd);
    } else {
        return complain("no such host: ", name);
    }
    return 0;
}

/* ---- Lines ---- */

static const char *next_word(void)
{
    return strtok(NULL, " \t\n");
}

static int set_dialect(const char *name)
{
    static const char *const names[] = {"merged", "C", "D"};

    for (unsigned i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            device.dialect = (enum dialect)i;
            return 0;
        }
    return complain("no such dialect: ", name);
}

static int add_device(const char *endpoint)
{
    struct host_device *d = &host.device[host.n_devices];
    const char *word;

    if (host.n_devices == HOST_DEVICES)
        return complain("too many devices", "");
    *d = (struct host_device){.fd = kernel.iommufd + 1 + (int)host.n_devices,
                              .endpoint = (uint32_t)strtoul(endpoint, NULL, 0)};
    while ((word = next_word()) != NULL) {
        if (!strcmp(word, "ats"))
            d->ats = 1;
        else if (!strcmp(word, "iommu") && (word = next_word()) != NULL)
            d->iommu = (uint8_t)strtoul(word, NULL, 0);
    }
    if (d->iommu >= HOST_IOMMUS)
        return complain("no such IOMMU", "");
    fake.device[host.n_devices].iommu = d->iommu;
    fake.n_devices = ++host.n_devices;
    if (!script.vfio)
        return 0;
    if (!script.vfio[host.n_devices - 1])
        return complain("no VFIO device is left for it", "");
    d->fd = open(script.vfio[host.n_devices - 1], O_RDWR);
    return d->fd < 0 ? complain(script.vfio[host.n_devices - 1], ": cannot be opened") : 0;
}

static int add_failure(const char *call)
{
    const char *error = next_word();
    struct fake_failure f = {
        .request = kernel_request(call), .times = 1, .error = error ? kernel_errno(error) : 0};
    const char *key;

    if (!f.request || !f.error)
        return complain("not a failure: ", call);
    while ((key = next_word()) != NULL) {
        const char *value = next_word();
        uint32_t n = value ? (uint32_t)strtoul(value, NULL, 0) : 0;

        if (!strcmp(key, "entry"))
            f.entry = n;
        else if (!strcmp(key, "after"))
            f.after = n;
        else if (!strcmp(key, "times"))
            f.times = n;
    }
    return fake_fail(&fake, &f) ? complain("too many failures", "") : 0;
}

static int add_request(const char *word)
{
    struct request *r = &script.request[script.n];
    uint8_t *bytes = script.readable[script.n];
    size_t n = 0;

    if (script.n == MAX_REQUESTS)
        return complain("too many requests", "");
    for (; word; word = next_word())
        for (const char *p = word; *p; p += 2) {
            unsigned byte;

            if (n == MAX_BYTES || sscanf(p, "%2x", &byte) != 1 || !p[1])
                return complain("not a request: ", word);
            bytes[n++] = (uint8_t)byte;
        }
    *r = (struct request){.readable = bytes,
                          .n_readable = n,
                          .writable = script.writable[script.n],
                          .n_writable = sizeof(script.writable[0])};
    script.n++;
    return 0;
}

static int open_device(void)
{
    int ret;

    printf("set-up\n");
    host.memory = memory;
    host.gpa = UINT64_C(0x100000000);
    host.size = sizeof(memory);
    device.arena =
        (struct arena){.bytes = memory, .gpa = host.gpa, .n_pages = ARENA_PAGES, .busy = busy};
    ret = host_open(&host);
    if (ret == -ENODEV && host.absent)
        return complain("", host.absent);
    if (ret)
        return complain("set-up failed: ", strerror(-ret));
    ret = device_init(&device);
    return ret ? complain("set-up failed: ", xinv_strerror(ret)) : 0;
}

static int kick(void)
{
    if (!script.open && open_device())
        return 1;
    script.open = true;
    printf("kick %u\n", ++script.n_kicks);
    device_kick(&device, script.request, script.n);
    script.n = 0;
    return 0;
}

static int take_line(char *line)
{
    const char *word = strtok(line, " \t\n");
    const char *value;

    if (!word || word[0] == '#')
        return 0;
    if (!strcmp(word, "kick"))
        return kick();
    if (strspn(word, "0123456789abcdefABCDEF") == strlen(word))
        return add_request(word);
    value = next_word();
    if (!value)
        return complain("a word is missing behind ", word);
    if (!strcmp(word, "host"))
        return set_host(value);
    if (!strcmp(word, "dialect"))
        return set_dialect(value);
    if (!strcmp(word, "device"))
        return add_device(value);
    if (!strcmp(word, "fail"))
        return add_failure(value);
    return complain("not a line of a script: ", word);
}

int main(int argc, char **argv)
{
    bool real = argc > 1 && !strcmp(argv[1], "--dev-iommu");
    char line[1024];
    FILE *f;
    int status = 0;

    if (argc < 2 + real || (!real && argc > 2)) {
        fprintf(stderr, "usage: vmm SCRIPT\n       vmm --dev-iommu SCRIPT VFIO-DEVICE...\n");
        return 2;
    }
    script.path = argv[1 + real];
    if (real) {
        kernel.fake = NULL;
        kernel.iommufd = open("/dev/iommu", O_RDWR);
        script.vfio = argv + 3;
        if (kernel.iommufd < 0)
            return complain("/dev/iommu cannot be opened: ", strerror(errno));
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* complaints stand where they belong */
    kernel.log = stdout;
    set_host("vtd");
    f = fopen(script.path, "r");
    if (!f)
        return complain("cannot be opened: ", strerror(errno));
    while (!status && fgets(line, sizeof(line), f)) {
        script.line++;
        status = take_line(line);
    }
    fclose(f);
    return status;
}
