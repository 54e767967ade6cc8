// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <xinv/xinv.h>

static const char *const texts[XINV_NERRORS] = {
    [0] = "no error",
    [XINV_E_INVAL] = "malformed argument",
    [XINV_E_RANGE] = "first is above last",
    [XINV_E_TAG] = "a tag is wider than this IOMMU's field",
    [XINV_E_NOENT] = "no such endpoint, domain or IOMMU",
    [XINV_E_EXIST] = "exists already",
    [XINV_E_NOSPACE] = "the output is too small",
    [XINV_E_NOMEM] = "the session's storage is full",
    [XINV_E_UNSUPP] = "this IOMMU cannot do that",
    [XINV_E_MUST_BLOCK] = "no command covers the change: block the endpoints' DMA",
    [XINV_E_TABLE] = "the platform's table or ID registers contradict themselves",
    [XINV_E_NOFORM] = "nothing takes invalidations there",
    [XINV_E_AGAIN] = "the batch must be flushed first",
};

const char *xinv_strerror(int error)
{
    if (error < 0)
        error = -error;
    if (error < 0 || error >= XINV_NERRORS)
        return "unknown error";
    return texts[error];
}

#define STRING_(x) #x
#define STRING(x)  STRING_(x)

const char *xinv_version(void)
{
    return STRING(XINV_VERSION_MAJOR) "." STRING(XINV_VERSION_MINOR) "." STRING(XINV_VERSION_PATCH);
}
