#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Plants each fault of tests/faults/*.fault alone in a copy of the files that it edits, and expects
# the case that it names as its killer to fail. docs/verification.md describes the format and has the
# table of all faults.
#
# usage: run.sh [NUMBER...]            builds and runs; the last line counts: passed is killed
#        run.sh --record [NUMBER...]   finds the killers anew and writes them down
#        run.sh --check                without building: do all faults fit the sources and the table?
#        run.sh --table                writes the table
#        run.sh --list                 prints it
#
# CC, JOBS (2) and FAULT_DIR (build/faults) may be set.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
table=$root/docs/verification.md
work=${FAULT_DIR:-${XINV_BUILD_DIR:-$root/build}/faults}
cc=${CC:-cc}
jobs=${JOBS:-2}
export XINV_SOURCE_DIR="$root"

[ "$(head -n 1 "$root/core/range.c" | cut -c 1-2)" = // ] || { echo "no sources in $root" >&2; exit 2; }
mkdir -p "$work"
work=$(cd "$work" && pwd)
base=$work/base
recording=

packages="criterion yaml-0.1 libcjson zlib"
# shellcheck disable=SC2086 # a list of words
package_flags=$(pkg-config --cflags $packages)
# shellcheck disable=SC2086
package_libs=$(pkg-config --libs $packages)
version=$(sed -n 's/^project(xinv VERSION \([0-9.]*\) .*/\1/p' "$root/CMakeLists.txt")

# compile OVERLAY SOURCE OBJECT: files under OVERLAY stand before those of the tree
compile() {
    mkdir -p "$(dirname "$3")"
    # shellcheck disable=SC2086
    $cc -std=c11 -O1 -w -MMD -MP -D_POSIX_C_SOURCE=200809L "-DXINV_BUILD_VERSION=\"$version\"" $package_flags \
        "-I$1" "-I$1/include" "-I$root" "-I$root/include" -c "$2" -o "$3"
}

# object SOURCE: where its object lies under base/ or a fault's directory
object() {
    echo "obj/${1%.c}.o"
}

sources() {
    (cd "$root" && ls core/*.c backends/*/*.c host/*.c schema/generated/*.c schema/*.c model/*.c \
        model/*/*.c cli/kinds.c cli/removal_text.c tests/support/*.c tests/unit/test_*.c \
        tests/model/test_*.c 2>/dev/null)
}

library_sources() {
    sources | grep -v -e '^tests/unit/' -e '^tests/model/' -e '^schema/gen[^/]*\.c$'
}

# test_source TEST: unit.NAME or model.NAME, as ctest has them
test_source() {
    echo "tests/${1%%.*}/test_${1#*.}.c"
}

generator_sources() {
    sources | grep '^schema/gen[^/]*\.c$'
    library_sources
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
    compile "$base/none" "$root/$1" "$base/$(object "$1")" || rm -f "$base/$(object "$1")"
}

# Sources whose object is missing, or older than something that it was made of.
stale() {
    mkdir -p "$base/obj"
    {
        sources | sed "s|\(.*\)c\$|all: $base/obj/\1o\n$base/obj/\1o: $root/&\n\t@echo &|"
        find "$base/obj" -name '*.d' | sed 's/^/include /'
    } >"$work/base.mk"
    make -s -f "$work/base.mk"
}

build_base() {
    stale | in_parallel compile_base
    again=$(stale)
    [ -z "$again" ] || { echo "these do not compile: $again" >&2; exit 2; }
    objects=
    for source in $(generator_sources); do
        objects="$objects $base/$(object "$source")"
    done
    # shellcheck disable=SC2086
    $cc $objects $package_libs -o "$base/xinv-gen"
    rm -f "$base/library.a"
    # shellcheck disable=SC2046
    (cd "$base" && ar rcs library.a $(library_sources | sed 's|.*|obj/&|; s|c$|o|'))
}

# link OVERLAY TEST: an object of the overlay stands for the tree's
link() {
    object=$1/$(object "$(test_source "$2")")
    [ -f "$object" ] || object=$base/$(object "$(test_source "$2")")
    [ "$1" = "$base" ] || object="$object $(find "$1/obj" -name '*.o' ! -path '*/tests/unit/*' ! -path '*/tests/model/*')"
    # shellcheck disable=SC2086 # lists of words
    $cc $object "$base/library.a" $package_libs -o "$1/$2"
}

# run_test OVERLAY TEST [CASE]: its output lies in OVERLAY/TEST.log. A fault may loop or wait for ever.
run_test() {
    (cd "$root" && timeout -k 5 300 "$1/$2" --jobs 1 --timeout 60 --fail-fast \
        ${3:+--filter "$(echo "$3" | sed 's|::|/|')"}) >"$1/$2.log" 2>&1
}

# A test that fails without a fault kills none.
check_base() {
    # not if nothing that it is made of has changed
    [ -n "$(find "$base/obj" -name '*.o' ! -path '*/tests/unit/*' ! -path '*/tests/model/*' -newer "$base/$1.ok" 2>&1
        find "$base/$(object "$(test_source "$1")")" -newer "$base/$1.ok" 2>&1)" ] || return 0
    rm -f "$base/$1.ok"
    link "$base" "$1" && run_test "$base" "$1" && : >"$base/$1.ok" ||
        echo "$1 fails without a fault: it is not used"
}

# expand TEST...: names of tests; one without "model." is a unit test, and may be a pattern
expand() {
    for name in "$@"; do
        # shellcheck disable=SC2086 # a pattern
        case $name in
        model.*) set -- "$root"/tests/model/test_${name#model.}.c ;;
        *) set -- "$root"/tests/unit/test_$name.c ;;
        esac
        for file in "$@"; do
            [ -f "$file" ] || { echo "no-such-test:$name"; continue; }
            file=${file#"$root"/tests/}
            echo "${file%.c}" | sed 's|/test_|.|'
        done
    done
}

# split FILE DIRECTORY: writes edits (FILE LINES per line) and one sed script for each
split() {
    awk -v dir="$2" '
        /^edit / { n++; print $2, $3 >(dir "/edits"); next }
        /^    / { print substr($0, 5) >(dir "/edit." n); next }' "$1"
}

# changed FILE FILE: lines that went or came, whichever are more
changed() {
    diff "$1" "$2" | awk '/^</ { a++ } /^>/ { b++ } END { print (a > b ? a : b) + 0 }'
}

# edit FILE DIRECTORY: makes the overlay; says why and fails if an edit does not fit the sources
edit() {
    split "$1" "$2"
    n=0
    while read -r file lines; do
        n=$((n + 1))
        mkdir -p "$2/$(dirname "$file")"
        [ -f "$2/$file" ] || cp "$root/$file" "$2/$file" || return 1
        cp "$2/$file" "$2/before"
        sed -f "$2/edit.$n" "$2/before" >"$2/$file" || { echo "edit $n is no sed script"; return 1; }
        found=$(changed "$2/before" "$2/$file")
        [ "$found" -eq "$lines" ] || { echo "edit $n changes $found lines of $file, not $lines"; return 1; }
        echo "$file" >>"$2/changed"
    done <"$2/edits"
}

# plant FILE DIRECTORY: the overlay, with the tables that come out of it
plant() {
    edit "$1" "$2" || return 1
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
    # a whole name in a list of make
    sed 's/[.]/\\./g; s#.*#'"$root"'/&\\( \\|:\\|$\\)#' "$overlay/changed" >"$overlay/patterns"
    # shellcheck disable=SC2046
    for source in $( (cd "$base/obj" && grep -l -f "$overlay/patterns" $(echo "$@" | sed 's/\.c\>/.d/g')) | sed 's/d$/c/'); do
        if [ -f "$overlay/$source" ]; then from=$overlay; else from=$root; fi
        compile "$overlay" "$from/$source" "$overlay/$(object "$source")" || return 1
    done
}

# kills DIRECTORY TEST [CASE]: says which case fails
kills() {
    [ -f "$base/$2.ok" ] || return 1
    rebuild "$1" "$(test_source "$2")" 2>"$1/cc.log" || { echo "does not compile"; return 1; }
    link "$1" "$2"
    run_test "$@" && return 1
    case_name=$(sed -n 's/^\[FAIL\] \([^ :]*::[^ :]*\).*/\1/p' "$1/$2.log" | head -n 1)
    echo "$2 $case_name"
}

# verdict FILE DIRECTORY: builds and runs the tests until one fails, the known killer first
verdict() {
    # shellcheck disable=SC2046 # lists of words
    rebuild "$2" $(library_sources) 2>"$2/cc.log" || { echo "does not compile"; return 1; }
    known=$(sed -n 's/^killer //p' "$1")
    # shellcheck disable=SC2086 # two words
    if [ -z "$recording" ] && [ -n "$known" ] && kills "$2" $known >"$2/killer"; then
        echo "killed by $known"
        return 0
    fi
    # shellcheck disable=SC2046
    for test in $(expand $(sed -n 's/^tests //p' "$1")); do
        if kills "$2" "$test" >"$2/killer"; then
            killer=$(cat "$2/killer")
            if [ -n "$recording" ]; then
                record "$1" "$killer"
                echo "killed by $killer"
                return 0
            fi
            echo "killed by $killer${known:+, not by $known}"
            [ -z "$known" ]
            return
        fi
        [ ! -s "$2/killer" ] || { cat "$2/killer"; return 1; }
    done
    echo "SURVIVED"
    return 1
}

# record FILE KILLER
record() {
    { sed '/^killer /d; /^tests /q' "$1"; echo "killer $2"; sed '1,/^tests /d; /^killer /d' "$1"; } >"$1.new"
    mv "$1.new" "$1"
}

one_fault() {
    name=${1##*/}
    name=${name%.fault}
    dir=$work/faults/$name
    rm -rf "$dir"
    mkdir -p "$dir/obj"
    result=failed
    if ! said=$(plant "$1" "$dir"); then
        case $said in
        "refused by the loader"*)
            result=passed
            [ -z "$recording" ] || record "$1" "the loader"
            ;;
        esac
    elif said=$(verdict "$1" "$dir"); then
        result=passed
    fi
    echo "$name: $(sed -n 's/^title //p' "$1"): $said"
    echo "$result" >"$dir/result"
    # only what explains a survivor is kept
    [ "$result" = failed ] || rm -rf "$dir/obj" "$dir"/unit.* "$dir"/model.*
}

# faults NUMBER...: the files of these numbers, or all
faults() {
    if [ $# -eq 0 ]; then
        ls "$here"/*.fault
        return
    fi
    for number; do
        ls "$here/$(printf '%02d' "${number#0}")"[!0-9]*.fault
    done
}

list() {
    echo "| fault | what is wrong | killed by |"
    echo "| --- | --- | --- |"
    awk '
        FNR == 1 && NR > 1 { print "| " name " | " title " | " killer " |" }
        FNR == 1 { killer = "-"; name = FILENAME; sub(/.*\//, "", name); sub(/\.fault$/, "", name) }
        /^title / { title = substr($0, 7) }
        /^killer / { killer = substr($0, 8) }
        END { print "| " name " | " title " | " killer " |" }' "$here"/*.fault
}

# The lines of the documentation that list() writes.
listed() {
    sed -n '/^| fault |/,/^$/p' "$table" | sed '/^$/d'
}

# Does the test that a fault names as its killer have the case?
has_case() {
    [ $# -eq 2 ] && [ -f "$root/$(test_source "$1")" ] &&
        grep -q "Test(.*${2%%::*}, ${2##*::}[,)]" "$root/$(test_source "$1")"
}

# Numbers of the fixed list that no fault has. 62 cannot be planted.
missing() {
    number=0
    while [ "$number" -lt 80 ]; do
        number=$((number + 1))
        [ "$number" -ne 62 ] || continue
        ls "$here/$(printf '%02d' "$number")"-*.fault >/dev/null 2>&1 || echo "$number: no fault has this number"
    done
}

# Whether all faults fit the sources, the tests and the table, with few processes for each.
check() {
    all=$work/check
    rm -rf "$all"
    mkdir -p "$all"
    awk -v dir="$all" '
        FNR == 1 { n = 0; name = FILENAME; sub(/.*\//, "", name) }
        /^tests / { for (i = 2; i <= NF; i++) print $i >(dir "/tests") }
        /^killer / { print substr($0, 8) >(dir "/killers") }
        /^edit / { if (n) close(script); n++; script = dir "/" name "." n; print script, name, $2, $3 >(dir "/edits") }
        /^    / { print substr($0, 5) >script }' "$here"/*.fault
    last=
    while read -r script name file lines; do
        from=$root/$file
        [ "$last" != "$name $file" ] || { mv "$all/to" "$all/from" && from=$all/from; }
        last="$name $file"
        if ! sed -f "$script" "$from" >"$all/to"; then
            echo "$name: no sed script, or no $file"
        else
            found=$(changed "$from" "$all/to")
            [ "$found" -eq "$lines" ] || echo "$name: an edit changes $found lines of $file, not $lines"
        fi
    done <"$all/edits" >"$all/bad"
    # shellcheck disable=SC2046,SC2129
    expand $(sort -u "$all/tests") | sed -n 's/^no-such-test:/no test is named /p' >>"$all/bad"
    sort -u "$all/killers" 2>/dev/null | grep -v '^the loader$' | while read -r killer; do
        # shellcheck disable=SC2086
        has_case $killer || echo "no test has the killer $killer"
    done >>"$all/bad"
    list | sed -n 's/^| \(.*\) | - |$/it has no killer: \1/p' >>"$all/bad"
    missing >>"$all/bad"
    [ "$(list)" = "$(listed)" ] || echo "docs/verification.md: its table is not that of run.sh --list; run.sh --table writes it" >>"$all/bad"
    cat "$all/bad"
    [ ! -s "$all/bad" ] && rm -rf "$all"
}

# The new table in the documentation, for the old one.
write_list() {
    list >"$work/list"
    awk -v list="$work/list" '
        /^\| fault \|/ { old = 1; while ((getline line <list) > 0) print line }
        /^$/ { old = 0 }
        !old' "$table" >"$work/table"
    cp "$work/table" "$table"
}

case ${1-} in
--list)
    list
    exit
    ;;
--check)
    check
    exit
    ;;
--table)
    write_list
    exit
    ;;
--record)
    recording=yes
    shift
    ;;
esac

selected=$(faults "$@") || exit 2
build_base
# shellcheck disable=SC2046,SC2086
{ expand $(sed -n 's/^tests //p' $selected) && sed -n 's/^killer \([^ ]*\.[^ ]*\) .*/\1/p' $selected; } |
    grep -v '^no-such-test:' | sort -u | in_parallel check_base
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
[ -z "$recording" ] || write_list
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
