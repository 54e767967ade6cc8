#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Builds libxinv.a for bare x86-64 and aarch64 and checks what it asks of its surroundings: memcpy,
# memset, memcmp and memmove, and no writable storage. All code is built without position
# independence, since PIC moves const tables of pointers to .data.rel.ro.
set -eu

usage="usage: check-freestanding.sh [--arch x86_64|aarch64] [--build-root DIR] [--skip-missing]"
arches="x86_64 aarch64"
root=
skip_missing=no

while [ $# -gt 0 ]; do
    case $1 in
    --arch) arches=${2:?$usage}; shift ;;
    --build-root) root=${2:?$usage}; shift ;;
    --skip-missing) skip_missing=yes ;;
    *) echo "$usage" >&2; exit 2 ;;
    esac
    shift
done

cd "$(dirname "$0")/.."
unset CC CFLAGS LDFLAGS

check() {
    case $1 in
    x86_64) preset=freestanding prefix= dir=build-free emulation=elf_x86_64 ;;
    aarch64)
        preset=freestanding-aarch64 prefix=aarch64-linux-gnu- dir=build-free-aarch64
        emulation=aarch64linux ;;
    *) echo "$usage" >&2; exit 2 ;;
    esac
    [ -z "$root" ] || dir=$root/$1

    if ! command -v "${prefix}gcc" >/dev/null; then
        echo "$1: ${prefix}gcc is missing"
        [ "$skip_missing" = yes ] && exit 77
        return 1
    fi

    mkdir -p "$dir"
    log=$dir/build.log
    if ! { cmake --preset "$preset" -B "$dir" && cmake --build "$dir" --target xinv; } \
        >"$log" 2>&1; then
        cat "$log"
        echo "$1: the build failed"
        return 1
    fi

    # One relocatable object: what the members take from each other is resolved in it.
    whole=$dir/xinv-whole.o
    "${prefix}ld" -m "$emulation" -r --whole-archive "$dir/libxinv.a" -o "$whole"

    status=0
    undefined=$("${prefix}nm" -u "$whole" |
        awk '$NF !~ /^(memcpy|memset|memcmp|memmove)$/ { print $NF }')
    for symbol in $undefined; do
        echo "$1: undefined symbol $symbol, needed by:"
        "${prefix}nm" -A -u "$dir/libxinv.a" | grep " $symbol\$" | sed 's/^[^:]*:/    /'
        status=1
    done

    writable=$("${prefix}size" -A "$whole" |
        awk '$1 ~ /^\.(data|bss|tdata|tbss|sdata|sbss|init_array|fini_array|ctors|dtors)(\.|$)/ &&
             $2 > 0 { print $1 "(" $2 ")" }
             $1 ~ /^\.[lr](data|bss)/ && $2 > 0 { print $1 "(" $2 ")" }')
    for section in $writable; do
        echo "$1: writable section $section"
        status=1
    done
    common=$("${prefix}nm" "$whole" | awk '$2 == "C" { print $3 }')
    for symbol in $common; do
        echo "$1: common symbol $symbol"
        status=1
    done

    if [ $status -eq 0 ]; then
        "${prefix}size" "$whole" | awk -v arch="$1" 'NR == 2 {
            print arch ": freestanding: " $1 " bytes of code and const, no data, no bss" }'
    fi
    return $status
}

failed=0
for arch in $arches; do
    check "$arch" || failed=1
done
exit $failed
