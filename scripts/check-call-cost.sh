#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Counts the instructions of single calls (bench/calls.c) and checks them against limits: a page
# unmapped by a prepared list, the same in a ring and with a report, its words alone, each further command of a long
# range, the same planned anew, a command's words to fields. --table prints the counts and no more:
# case, commands, instructions, with tabs between.
set -eu

unmap_limit=145
ring_limit=155
page_limit=40
further_limit=60
plan_limit=6500
decode_limit=150

table=
[ "${1:-}" != --table ] || { table=yes; shift; }
program=${1:?usage: check-call-cost.sh [--table] PROGRAM}
if ! command -v valgrind >/dev/null; then
    echo "check-call-cost: valgrind is not installed"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$program" --names >"$dir/names"
valgrind -q --tool=callgrind --callgrind-out-file="$dir/out" --toggle-collect=xinv_prepared_emit --toggle-collect=xinv_prepared_page --toggle-collect=xinv_translate --toggle-collect=xinv_decode \
    --dump-before=counted "$program" --count
# out.1 ends before the first call, out.2 has the first call's, and so on; out has the last one's
calls=$(wc -l <"$dir/names")
for part in $(seq 2 "$calls") ''; do
    awk '/^(totals|summary):/ { n = $2 } END { print n + 0 }' "$dir/out${part:+.$part}"
done >"$dir/counts"
paste "$dir/names" "$dir/counts" >"$dir/table"
if [ -n "$table" ]; then
    cat "$dir/table"
    exit
fi
awk -F '\t' -v unmap="$unmap_limit" -v ring="$ring_limit" -v page="$page_limit" -v further="$further_limit" -v plan="$plan_limit" -v decode="$decode_limit" '
    function most(kind, n) { if (n > max[kind]) max[kind] = n; seen[kind]++ }
    $3 + 0 <= 0 { print "check-call-cost: no count for " $1; bad = 1 }
    { split($1, word, " ") }
    word[1] == "unmap" && !/ ats\t/ { most("unmap", $3); one[word[2]] = $3; commands[word[2]] = $2 }
    word[1] == "unmap" && / ats\t/ { most("further", ($3 - one[word[2]]) / ($2 - commands[word[2]])) }
    word[1] == "ring" && !/ ats\t/ { most("ring", $3) }
    word[1] == "page" && !/ ats\t/ { most("page", $3) }
    word[1] == "plan" { most("plan", $3) }
    word[1] == "longer" && $2 > 8 { most("further", ($3 - one[word[2]]) / ($2 - commands[word[2]])) }
    word[1] == "decode" { most("decode", $3) }
    END {
        printf "at most %d instructions for a page unmapped (limit %d), %d in a ring with a report (%d), %d for its words alone (%d), %d for each further command (%d), %d to plan it anew (%d), %d to decode one (%d)\n",
            max["unmap"], unmap, max["ring"], ring, max["page"], page, max["further"], further, max["plan"], plan, max["decode"], decode
        exit bad || seen["unmap"] < 5 || seen["ring"] < 5 || max["ring"] > ring || seen["page"] < 5 || max["page"] > page || seen["plan"] < 9 || seen["further"] < 8 || seen["decode"] < 8 ||
            max["unmap"] > unmap || max["further"] > further || max["plan"] > plan || max["decode"] > decode
    }' "$dir/table"
