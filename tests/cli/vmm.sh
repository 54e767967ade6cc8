#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# The example VMM: scripts that are wrong, and the hardware that is used only when it is asked for.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
xinv=${XINV_VMM:?the example VMM}
bad=$work/bad

expect "no script" 2 "usage: vmm SCRIPT
       vmm --dev-iommu SCRIPT VFIO-DEVICE..." --
empty
expect "no such script" 1 "vmm: $work/none:0: cannot be opened: No such file or directory" -- "$work/none"
empty
if [ ! -e /dev/iommu ]; then
    expect "no /dev/iommu" 1 \
        "vmm: $bad:0: /dev/iommu cannot be opened: No such file or directory" -- --dev-iommu "$bad" /dev/null
    empty
fi

script() {
    printf "$1" >"$bad"
    expect "$2" 1 "vmm: $bad:$3" -- "$bad"
    empty
}
script "host pdp11\n" "unknown host" "1: no such host: pdp11"
script "\n# x\ndialect Z\n" "unknown dialect" "3: no such dialect: Z"
script "device 8 iommu 2\n" "unknown IOMMU" "1: no such IOMMU"
script "$(printf 'device %s\\n' 1 2 3 4 5 6 7 8 9)" "too many devices" "9: too many devices"
script "fail IOMMU_FROB EIO\n" "unknown call" "1: not a failure: IOMMU_FROB"
script "fail IOMMU_DESTROY EFROB\n" "unknown error" "1: not a failure: IOMMU_DESTROY"
script "frobnicate x\n" "unknown line" "1: not a line of a script: frobnicate"
script "host\n" "a word is missing" "1: a word is missing behind host"
script "0400\n010\n" "half a byte" "2: not a request: 010"
script "0400 zz\n" "no digits" "1: not a request: zz"
finish
