#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Plants each fault of tests/faults/*.fault alone in a copy of the files that it edits, and expects
# one of the unit tests that it names to fail. README.md describes the format.
#
# usage: run.sh [NUMBER...]
#
# CC, JOBS (2) and FAULT_DIR (build/faults) may be set. The last line counts: passed is killed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${FAULT_DIR:-$root/build/faults}
cc=${CC:-cc}
jobs=${JOBS:-2}
export XINV_SOURCE_DIR="$root"

[ "$(head -n 1 "$root/core/range.c" | cut -c 1-2)" = // ] || { echo "no sources in $root" >&2; exit 2; }
mkdir -p "$work"
work=$(cd "$work" && pwd)
base=$work/base

packages="criterion yaml-0.1 libcjson zlib"
# shellcheck disable=SC2086 # a list of words
package_flags=$(pkg-config --cflags $packages)
# shellcheck disable=SC2086
package_libs=$(pkg-config --libs $packages)
flags="-std=c11 -O1 -w -MMD -D_POSIX_C_SOURCE=200809L -DXINV_BUILD_VERSION=\"$(sed -n \
    's/^project(xinv VERSION \([0-9.]*\) .*/\1/p' "$root/CMakeLists.txt")\" $package_flags"

# compile OVERLAY SOURCE OBJECT: files under OVERLAY stand before those of the tree
compile() {
    mkdir -p "$(dirname "$3")"
    # shellcheck disable=SC2086
    $cc $flags "-I$1" "-I$1/include" "-I$root" "-I$root/include" -c "$2" -o "$3"
}

# object SOURCE: where its object lies under base/ or a fault's directory
object() {
    echo "obj/${1%.c}.o"
}

sources() {
    (cd "$root" && ls core/*.c backends/*/*.c schema/generated/*.c schema/*.c model/*.c \
        model/*/*.c tests/support/*.c tests/unit/test_*.c 2>/dev/null)
}

library_sources() {
    sources | grep -v '^tests/unit/' | grep -v '^schema/gen[^/]*\.c$'
}

generator_sources() {
    sources | grep '^schema/gen[^/]*\.c$'
    library_sources
}

# fresh OBJECT: newer than everything of the tree that it was made of
fresh() {
    [ -f "$1" ] && [ -f "${1%.o}.d" ] || return 1
    files=$(tr -s ' \\' '\n' <"${1%.o}.d" | grep "^$root/")
    # shellcheck disable=SC2086 # a list of files
    newer=$(find $files -newer "$1" 2>&1) && [ -z "$newer" ]
}

# in_parallel COMMAND: calls it with the items of every jobs-th line of standard input
in_parallel() {
    list=$work/list.$1
    cat >"$list"
    worker=0
    while [ "$worker" -lt "$jobs" ]; do
        awk -v n="$jobs" -v k="$worker" 'NR % n == k' "$list" | while read -r item; do
            "$1" "$item" </dev/null
        done &
        worker=$((worker + 1))
    done
    wait
}

compile_base() {
    fresh "$base/$(object "$1")" || compile "$base/none" "$root/$1" "$base/$(object "$1")" ||
        rm -f "$base/$(object "$1")"
}

# link OVERLAY TEST: an object of the overlay stands for the tree's
link() {
    objects=
    for source in tests/unit/test_$2.c $(library_sources); do
        object=$(object "$source")
        if [ -f "$1/$object" ]; then
            objects="$objects $1/$object"
        else
            objects="$objects $base/$object"
        fi
    done
    # shellcheck disable=SC2086
    $cc $objects $package_libs -o "$1/test_$2"
}

build_base() {
    sources | in_parallel compile_base
    for source in $(sources); do
        [ -f "$base/$(object "$source")" ] || { echo "$source does not compile" >&2; exit 2; }
    done
    objects=
    for source in $(generator_sources); do
        objects="$objects $base/$(object "$source")"
    done
    # shellcheck disable=SC2086
    $cc $objects $package_libs -o "$base/xinv-gen"
}

# run_test OVERLAY TEST: its output lies in OVERLAY/TEST.log. A fault may loop or wait for ever.
run_test() {
    (cd "$root" && timeout -k 5 90 "$1/test_$2" --jobs 1 --fail-fast) >"$1/$2.log" 2>&1
}

# A test that fails without a fault kills none.
check_base() {
    rm -f "$base/$1.ok"
    link "$base" "$1" && run_test "$base" "$1" && : >"$base/$1.ok" ||
        echo "unit.$1 fails without a fault: it is not used"
}

# expand TEST...: names of unit tests; a name may be a pattern of the shell
expand() {
    for name in "$@"; do
        for file in "$root"/tests/unit/test_$name.c; do
            [ -f "$file" ] || continue
            file=${file##*/test_}
            echo "${file%.c}"
        done
    done
}

# split FILE DIRECTORY: writes edits (FILE LINES per line) and one sed script for each
split() {
    awk -v dir="$2" '
        /^edit / { n++; print $2, $3 >(dir "/edits"); next }
        /^    / { print substr($0, 5) >(dir "/edit." n); next }' "$1"
}

# plant FILE DIRECTORY: makes the overlay; says why and fails if an edit does not fit the sources
plant() {
    split "$1" "$2"
    n=0
    while read -r file lines; do
        n=$((n + 1))
        mkdir -p "$2/$(dirname "$file")"
        [ -f "$2/$file" ] || cp "$root/$file" "$2/$file"
        cp "$2/$file" "$2/before"
        sed -f "$2/edit.$n" "$2/before" >"$2/$file" || { echo "edit $n is no sed script"; return 1; }
        # lines that went or came, whichever are more
        changed=$(diff "$2/before" "$2/$file" | awk '/^</ { a++ } /^>/ { b++ } END { print (a > b ? a : b) + 0 }')
        if [ "$changed" -ne "$lines" ]; then
            echo "edit $n changes $changed lines of $file, not $lines"
            return 1
        fi
        echo "$file" >>"$2/changed"
    done <"$2/edits"
    if grep -q '^schema/.*\.yaml$' "$2/changed"; then
        regenerate "$2" || return 1
    fi
}

# The tables that come out of the edited YAML, as far as they differ.
regenerate() {
    mkdir -p "$1/tree/schema" "$1/out/schema/generated" "$1/out/include/xinv"
    cp -r "$root"/schema/*.yaml "$root/schema/platforms" "$1/tree/schema/"
    cp "$1"/schema/*.yaml "$1/tree/schema/"
    if ! "$base/xinv-gen" "$1/tree" "$1/out" >"$1/gen.log" 2>&1; then
        # a table that the loader refuses never gets into a library
        said=$(head -n 1 "$1/gen.log" | sed "s|$1/tree/||")
        case $said in
        *.yaml:[0-9]*) echo "refused by the loader: $said" ;;
        *) echo "not regenerated: $said" ;;
        esac
        return 1
    fi
    (cd "$1/out" && find . -type f | sed 's|^\./||') >"$1/generated"
    while read -r file; do
        cmp -s "$1/out/$file" "$root/$file" && continue
        mkdir -p "$1/$(dirname "$file")"
        cp "$1/out/$file" "$1/$file"
        echo "$file" >>"$1/changed"
    done <"$1/generated"
}

# rebuild DIRECTORY SOURCE...: compiles the sources that a changed file goes into
rebuild() {
    overlay=$1
    shift
    for source; do
        dirty=
        while read -r file; do
            if [ "$source" = "$file" ] ||
                grep -qF -- "$root/$file" "$base/$(object "$source" | sed 's/o$/d/')"; then
                dirty=yes
            fi
        done <"$overlay/changed"
        [ -n "$dirty" ] || continue
        if [ -f "$overlay/$source" ]; then from=$overlay; else from=$root; fi
        compile "$overlay" "$from/$source" "$overlay/$(object "$source")" || return 1
    done
}

# verdict DIRECTORY TEST...: builds and runs the tests until one fails
verdict() {
    overlay=$1
    shift
    # shellcheck disable=SC2046 # a list of words
    rebuild "$overlay" $(library_sources) 2>"$overlay/cc.log" || { echo "does not compile"; return 1; }
    used=
    for test; do
        [ -f "$base/$test.ok" ] || continue
        used="$used unit.$test"
        rebuild "$overlay" "tests/unit/test_$test.c" 2>"$overlay/cc.log" ||
            { echo "does not compile"; return 1; }
        link "$overlay" "$test"
        if ! run_test "$overlay" "$test"; then
            case_name=$(sed -n 's/^\[FAIL\] \([^ :]*::[^ :]*\).*/\1/p' "$overlay/$test.log" | head -n 1)
            echo "killed by unit.$test (${case_name:-it did not end})"
            return 0
        fi
    done
    if [ -n "$used" ]; then
        echo "SURVIVED$used"
    else
        echo "not run: no unit test named by the fault is there"
    fi
    return 1
}

one_fault() {
    name=${1##*/}
    name=${name%.fault}
    dir=$work/faults/$name
    rm -rf "$dir"
    mkdir -p "$dir"
    title=$(sed -n 's/^title //p' "$1")
    # shellcheck disable=SC2046
    if ! said=$(plant "$1" "$dir"); then
        case $said in
        "refused by the loader"*) result=passed ;;
        *) result=failed ;;
        esac
    elif said=$(verdict "$dir" $(expand $(sed -n 's/^tests //p' "$1"))); then
        result=passed
    else
        result=failed
    fi
    echo "$name: $title: $said"
    echo "$result" >"$dir/result"
    # only what explains a survivor is kept
    [ "$result" = failed ] || rm -rf "$dir/obj" "$dir"/test_*
}

# faults NUMBER...: the files of these numbers, or all
faults() {
    if [ $# -eq 0 ]; then
        ls "$here"/*.fault
        return
    fi
    for number; do
        ls "$here/$(printf '%02d' "$number")"[!0-9]*.fault
    done
}

selected=$(faults "$@") || exit 2
build_base
# shellcheck disable=SC2046,SC2086
expand $(sed -n 's/^tests //p' $selected) | sort -u | in_parallel check_base
echo "$selected" | in_parallel one_fault
passed=0
failed=0
for fault in $selected; do
    name=${fault##*/}
    if [ "$(cat "$work/faults/${name%.fault}/result" 2>/dev/null)" = passed ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
