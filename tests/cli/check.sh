#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# xinv check: a line for each finding, on standard output; 0 clean, 3 warnings, 1 errors.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
source=$PWD

# check NAME STATUS OUTPUT -- FILE...: the exit status, all of the output, nothing on stderr
check() {
    output=$3 label=$1 code=$2
    shift 4
    expect "$label" "$code" "" -- check "$@"
    [ "$(cat "$work/out")" = "$output" ] ||
        complain "printed '$(cat "$work/out")', expected '$output'"
}

# platform CAP ECAP QUEUE_WIDTH VENDOR: a platform's file
platform() {
    printf 'platform: mine\ntitle: Mine\nvendor: %s\nregisters: {CAP: %s, ECAP: %s}\n' "$4" "$1" "$2"
    printf 'settings: {queue_width: %s}\nsource: "a boot log"\n' "$3"
}
good() {
    platform 0x08d2078c106f0466 0xf020df 128 "${1:-vtd}"
}
cd "$work" || exit 1

# ---- What the project ships

check "shipped tables and platforms are clean" 0 "" -- \
    "$source"/schema/*.yaml "$source"/schema/platforms/*.yaml

# ---- Errors

good nobody >p.yaml
check "a vendor that is nowhere" 1 \
    "p.yaml:3:9: error: vendor: no table of vendor 'nobody'; known: amdvi, smmuv3, vtd, vtd_hwpt, and those of files given beside it" \
    -- p.yaml
good 7 >p.yaml
check "no vendor's name" 1 \
    "p.yaml:3:9: error: vendor: '7' is no name; a letter, then letters, digits, _ or -, at most 40" \
    -- p.yaml
platform 0 0xf020df 256 vtd >p.yaml
check "registers that no unit has" 1 \
    "p.yaml:4:12: error: registers: registers and settings contradict each other" \
    -- p.yaml
sed 's/^vendor: vtd/vendor: mine/' "$source/schema/vtd.yaml" >v.yaml
check "a vendor without a backend" 1 \
    "v.yaml:4:9: error: vendor: 'mine' has no backend; known: smmuv3, vtd, amdvi, vtd_hwpt" -- v.yaml
good mine >p.yaml
check "a platform of a vendor without a backend" 1 \
    "p.yaml:3:9: error: vendor: the table of 'mine' in v.yaml is wrong
v.yaml:4:9: error: vendor: 'mine' has no backend; known: smmuv3, vtd, amdvi, vtd_hwpt" -- p.yaml v.yaml
good >p.yaml
sed 's/^title:/titel:/' "$source/schema/vtd.yaml" >v.yaml
expect "a platform of a wrong table" 1 "" -- check p.yaml v.yaml
has "^p.yaml:3:9: error: vendor: the table of 'vtd' in v.yaml is wrong$"
has '^v.yaml:5:1: error: titel: unknown key; known: vendor, title, registers, '
[ "$(wc -l <out)" -eq 2 ] || complain "an error is not the only finding of its file"
cp "$source/schema/vtd.yaml" v.yaml
cp v.yaml w.yaml
check "one vendor in two files" 1 \
    "w.yaml:4:9: error: vendor: v.yaml has the table of 'vtd' as well" \
    -- v.yaml w.yaml
printf 'a: 1\n' >p.yaml
check "neither a vendor nor a platform" 1 \
    "p.yaml:1:1: error: is no table; one begins with the key vendor or platform" -- p.yaml
printf -- '- platform\n' >p.yaml
check "no map" 1 "p.yaml:1:1: error: must be a map" -- p.yaml
printf 'platform: [\n' >p.yaml
check "no YAML" 1 "p.yaml:2:1: error: not YAML: did not find expected node content" -- p.yaml

# ---- Files that cannot be read

: >empty.yaml
check "an empty file" 1 "empty.yaml:1:1: error: is empty; a table is a map" -- empty.yaml
printf '# nothing\n' >empty.yaml
check "a file of comments" 1 "empty.yaml:1:1: error: is empty; a table is a map" -- empty.yaml
check "a directory" 1 "$source: error: cannot be read: Is a directory" -- "$source"
check "no such file" 1 "none: error: cannot be opened: No such file or directory" -- none
check "a file where a directory should be" 1 \
    "p.yaml/x: error: cannot be opened: Not a directory" -- p.yaml/x
good >large.yaml
head -c $((1048576 - $(wc -c <large.yaml))) /dev/zero | tr '\0' '\n' >>large.yaml
check "exactly 1 MiB" 0 "" -- large.yaml
echo >>large.yaml
check "a byte more" 1 "large.yaml: error: is larger than 1 MiB; a table fits in less" -- large.yaml
good >p.yaml
check "one wrong file beside a good one" 1 "none: error: cannot be opened: No such file or directory" \
    -- p.yaml none

# ---- Warnings

good >p.yaml
printf 'quirks:\n- {text: "It stays.", uncovered: {stage2_pte: [stage2]}, source: "a log"}\n' >>p.yaml
warning="p.yaml:8:47: warning: quirks[0].uncovered.stage2_pte: nothing of stage2 stays uncovered here"
check "a warning about a platform" 3 "$warning" -- p.yaml
check "a warning beside a clean file" 3 "$warning" -- "$source/schema/vtd.yaml" p.yaml
check "an error is worth more than a warning" 1 \
    "none: error: cannot be opened: No such file or directory
$warning" -- none p.yaml

# the platform is checked with the table beside it, in either order
sed 's/- {cache: interrupt, match: \[\]}/- {cache: write_buffer, match: []}/' \
    "$source/schema/vtd.yaml" >v.yaml
good >p.yaml
for order in "p.yaml v.yaml" "v.yaml p.yaml"; do
    # shellcheck disable=SC2086 # two names
    expect "warnings about a vendor's table" 3 "" -- check $order
    has '^v.yaml:[0-9]*:[0-9]*: warning: changes\[[0-9]*\].needs\[[0-9]*\]: everything on stage1, stage2, nested, passthrough: no command removes interrupt entries (presence present|not_present) with any tags$'
    has '^v.yaml:[0-9]*:[0-9]*: warning: changes\[[0-9]*\].needs\[[0-9]*\]: everything on stage2, mine: no command removes interrupt entries '
done
check "the built-in table has no such hole" 0 "" -- p.yaml

# ---- Standard input, JSON

name="standard input"
good nobody | "$xinv" check - >out 2>err
[ $? -eq 1 ] || complain "exit status is not 1"
grep -q "^-:3:9: error: vendor: no table of vendor 'nobody'" out || complain "$(cat out)"
name="standard input beside a file"
good | "$xinv" check v.yaml - >out 2>err
[ $? -eq 3 ] || complain "exit status is not 3"

printf 'quirks:\n- {text: "It stays.", uncovered: {stage2_pte: [stage2]}, source: "a log"}\n' >>p.yaml
check "JSON: a line for each file" 1 \
    '{"file":"'"$source"'/schema/vtd.yaml","kind":"vendor","name":"vtd","result":"clean","findings":[]}
{"file":"p.yaml","kind":"platform","name":"mine","result":"warnings","findings":[{"severity":"warning","file":"p.yaml","line":8,"column":47,"path":"quirks[0].uncovered.stage2_pte","text":"nothing of stage2 stays uncovered here"}]}
{"file":"none","kind":"unknown","result":"errors","findings":[{"severity":"error","file":"none","line":0,"column":0,"path":"","text":"cannot be opened: No such file or directory"}]}' \
    -- --json "$source/schema/vtd.yaml" p.yaml none

name="a full device"
"$xinv" check none >/dev/full 2>err
[ $? -eq 1 ] || complain "exit status is not 1"
[ "$(cat err)" = "xinv: standard output: cannot be written: No space left on device" ] ||
    complain "stderr: $(cat err)"
finish
