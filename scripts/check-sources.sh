#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# check-sources.sh [ROOT]: what a compiler does not see of core/, backends/ and host/. Comments are not looked at.
# - no platform and no quirk is named in either: what is different about a platform is a row or a setting of its table
# - core/ has no field, feature, command or op of a vendor in an identifier or a string, and includes nothing but core/ and <xinv/...>
# - a backend includes no other vendor's headers
# - host/ includes nothing of the host it is for: it has definitions of its own
# - no floating point, no allocation, no comparison of strings, no object of static storage that could be written to
set -eu
root=${1:-$(dirname "$0")/..}
cd "$root"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# Names of vendors' fields that the core may use all the same, and why.
allowed() {
    cat <<'LIST'
address     a tag of <xinv/table.h>
asid        a tag of <xinv/table.h>
did         a tag of <xinv/table.h>
ipa         a tag of <xinv/table.h>
pasid       a tag of <xinv/table.h>
rid         a tag of <xinv/table.h>
vmid        a tag of <xinv/table.h>
leaf        a class of <xinv/table.h>
leaf_size   of struct xinv_request
global      a class of <xinv/table.h>
data        of struct xinv_completion
interrupt   a cache of <xinv/table.h>, and a kind of completion
iotlb       XINV_INV_IOTLB, what a guest calls it
ats         PCIe's word
msi         virtio-iommu's kind of reserved region
max_batch   a key of the tables
pfsid       struct xinv_attachment: the core passes on what the caller says of an endpoint
queue_id    likewise
range       a range of addresses
scale       XINV_RANGE_SCALED, a kind of range
num         likewise
size        of anything
all         of anything
code        of an error
inval       XINV_E_INVAL
type        of a virtio-iommu request
sync        the command that every vendor has
wait        XINV_ORDER_WAIT, a kind of order
opcode      struct xinv_layout
opcode_mask struct xinv_layout
if          C
LIST
}

# Settings that a backend may read: they say how the software runs an IOMMU, not what is wrong with one.
modes() {
    cat <<'LIST'
ttm            translation table mode (VT-d 11.4.5)
queue_width    bits of a descriptor (VT-d 11.4.9.4)
e2h            CR2.E2H (SMMUv3 6.3)
cmdqv_guest    whose queue it is, VINTF CONFIG.HYP_OWN: a guest's own takes CMD_SYNC with CS = 0 alone
viommu         whose commands they are, IOMMU_VIOMMU_TYPE_ARM_SMMUV3: eight of them are a user's
LIST
}

# FILE:LINE:TEXT without comments.
strip() {
    awk '
    FNR == 1 { comment = 0 }
    {
        out = ""
        text = 0
        for (i = 1; i <= length($0); i++) {
            c = substr($0, i, 1)
            two = substr($0, i, 2)
            if (comment) {
                if (two == "*/") { comment = 0; i++ }
            } else if (text) {
                out = out c
                if (c == "\\") { i++; out = out substr($0, i, 1) } else if (c == quote) text = 0
            } else if (two == "/*") {
                comment = 1; i++; out = out " "
            } else if (two == "//") {
                break
            } else {
                if (c == "\"" || c == "\047") { text = 1; quote = c }
                out = out c
            }
        }
        print FILENAME ":" FNR ":" out
    }' "$@"
}

# names FILE WHY: lines of the input in which some identifier, or some word of a string, has a name of the file in it: whole, or between
# underscores. NpCache is np_cache too, and mmu-700 is mmu_700.
names() {
    awk -v why="$2" '
    function plain(word) {
        word = tolower(word)
        gsub(/[^a-z0-9]+/, "_", word)
        return "_" word "_"
    }
    function apart(word) {
        while (match(word, /[a-z0-9][A-Z]/))
            word = substr(word, 1, RSTART) "_" substr(word, RSTART + 1)
        return plain(word)
    }
    NR == FNR { name[plain($1)] = $1; name[apart($1)] = $1; next }
    {
        match($0, /^[^:]*:[^:]*:/)
        where = substr($0, 1, RLENGTH)
        left = substr($0, RLENGTH + 1)
        if (left ~ /^ *# *include/) next
        gsub(/__VA_ARGS__/, "", left)
        while (match(left, /[A-Za-z_][A-Za-z0-9_-]*/)) {
            word = substr(left, RSTART, RLENGTH)
            left = substr(left, RSTART + RLENGTH)
            if (!(word in known)) {
                known[word] = ""
                for (n in name)
                    if (index(plain(word), n) || index(apart(word), n)) known[word] = name[n]
            }
            if (known[word] != "") print where " " word ": " known[word] ", " why
        }
    }' "$1" -
}

# What stands at the beginning of a section of a table.
section() {
    awk -v key="$1:" '$0 ~ "^" key { on = 1; next } /^[a-z_]+:/ { on = 0 } on' "$2"
}

complain() {
    [ ! -s "$1" ] && return
    cat "$1" >&2
    status=1
}

strip core/*.[ch] >"$tmp/core"
strip backends/*/*.[ch] >"$tmp/backends"
cat "$tmp/core" "$tmp/backends" >"$tmp/both"
strip host/*.[ch] >"$tmp/host"
cat "$tmp/both" "$tmp/host" >"$tmp/library"

# ---- Platforms and quirks ----

# nvidia-tegra264 is named by tegra264 and by nvidia, too.
for file in schema/platforms/*.yaml; do
    name=$(basename "$file" .yaml)
    echo "$name"
    echo "${name%%-*}"
    echo "${name#*-}"
done | sort -u >"$tmp/platforms"
names "$tmp/platforms" "the name of a platform" <"$tmp/both" >"$tmp/found"
complain "$tmp/found"

{ modes; echo max_batch; } | awk '{ print $1 }' >"$tmp/modes"
for table in schema/*.yaml; do
    section features "$table" | sed -n 's/^  \([A-Za-z0-9_]*\): {setting:.*/\1/p'
done | awk 'NR == FNR { ok[$1] = 1; next } !(tolower($1) in ok)' "$tmp/modes" - >"$tmp/quirks"
# as the condition of a row of a table it is where it belongs
sed 's/XINV_[A-Z0-9]*_F_[A-Z0-9_]*, *XINV_COND_//g' "$tmp/both" >"$tmp/unconditional"
names "$tmp/quirks" "a quirk: a condition of rows, not of code" <"$tmp/unconditional" >"$tmp/found"
complain "$tmp/found"

# ---- The core and vendors ----

allowed | awk '{ print $1 }' >"$tmp/allowed"
for table in schema/*.yaml; do
    section features "$table" | sed -n 's/^  \([A-Za-z0-9_]*\):.*/\1/p'
    section tags "$table" | sed -n 's/.*name: \([^,}]*\).*/\1/p'
    section commands "$table" | sed -n 's/^- name: //p; s/^  op: //p'
done >"$tmp/words"
# a field is AMDVI_DEVICE_ID in a layout and "DeviceID" in a decoder
sed -n 's/^#define [A-Z0-9]*_\([A-Z0-9_]*\) .*/\1/p; s/^ *[A-Z0-9]*_\([A-Z0-9_]*\) = .*/\1/p' backends/*/*.h >>"$tmp/words"
grep -v ': *# *include' "$tmp/backends" | grep -oh '"[A-Za-z][A-Za-z0-9_]*"' | tr -d '"' >>"$tmp/words"
basename -a backends/*/ >"$tmp/vendors"
# a name of one letter is that of a variable as well
awk 'FNR == 1 { file++ }
     { word = tolower(file < 3 ? $1 : $0); gsub(/[^a-z0-9]+/, "", word) }
     file < 3 { ok[word] = 1; next }
     length(word) > 1 && !(word in ok) && !seen[word]++ { gsub(/[^A-Za-z0-9]+/, "_"); print }' \
    "$tmp/allowed" "$tmp/vendors" "$tmp/words" >"$tmp/fields"
names "$tmp/fields" "a vendor's field or command" <"$tmp/core" >"$tmp/found"
complain "$tmp/found"

# ---- Includes ----

grep -E ':[0-9]+: *# *include' "$tmp/core" |
    grep -Ev '"core/[a-z0-9_]+\.h"|<xinv/[a-z0-9_]+\.h>|<std(bool|def|int)\.h>' |
    sed 's/$/: the core includes core\/, <xinv\/...> and freestanding headers alone/' >"$tmp/found" || true
complain "$tmp/found"
for dir in backends/*/; do
    vendor=$(basename "$dir")
    grep -E "^backends/$vendor/[^:]+:[0-9]+: *# *include" "$tmp/backends" |
        grep -Ev "\"(core/[a-z0-9_]+|backends/$vendor/[a-z0-9_]+|schema/generated/${vendor}_features)\.h\"|<xinv/[a-z0-9_]+\.h>|<std(bool|def|int)\.h>" |
        sed 's/$/: a backend includes core\/, its own headers and freestanding ones alone/' >"$tmp/found" || true
    complain "$tmp/found"
done

grep -E ':[0-9]+: *# *include' "$tmp/host" |
    grep -Ev '"(core|host|backends/[a-z0-9_]+)/[a-z0-9_]+\.h"|<xinv/[a-z0-9_]+\.h>' |
    sed 's/$/: host\/ includes core\/, backends\/, its own headers and <xinv\/...> alone/' >"$tmp/found" || true
complain "$tmp/found"

# ---- The language ----

awk '
{
    match($0, /^[^:]*:[^:]*:/)
    where = substr($0, 1, RLENGTH)
    left = substr($0, RLENGTH + 1)
    gsub(/"([^"\\]|\\.)*"/, "", left)
    left = " " left " "
    if (left ~ /[^A-Za-z0-9_](float|double)[^A-Za-z0-9_]/) print where " floating point"
    if (left ~ /[^A-Za-z0-9_](malloc|calloc|realloc|aligned_alloc|free|alloca|strdup) *\(/) print where " allocation"
    if (left ~ /[^A-Za-z0-9_]str(n|case|ncase)?cmp *\(/) print where " comparison of strings"
}' "$tmp/library" >"$tmp/found"
complain "$tmp/found"

# Objects of static storage are const: at file scope, and static ones in functions. For a pointer it is the pointer that must be.
awk '
function words(text, word) { return " " text " " ~ "[^A-Za-z0-9_]" word "[^A-Za-z0-9_]" }
function judge(text, at) {
    gsub(/^[ \t]+|[ \t]+$/, "", text)
    if (text == "" || text ~ /^(typedef|_Static_assert)[^A-Za-z0-9_]/) return
    if (text !~ /=/ && text ~ /^[^(]*\([^*]/) return # a function
    if (text ~ /^(struct|union|enum)( [A-Za-z0-9_]+)?( *\{\})?$/) return # a type
    sub(/=.*/, "", text)
    if (text ~ /\*/) { if (words(substr(text, match(text, /\*[^*]*$/)), "const")) return }
    else if (words(text, "const")) return
    print at " static storage that is not const: " text
}
{
    split($0, part, ":")
    if (part[1] != file) { file = part[1]; depth = 0; text = ""; body = 0 }
    match($0, /^[^:]*:[^:]*:/)
    where = substr($0, 1, RLENGTH)
    left = substr($0, RLENGTH + 1)
    if (continued || left ~ /^ *#/) { continued = left ~ /\\$/; next }
    gsub(/"([^"\\]|\\.)*"/, "\"\"", left)
    gsub(/\047([^\047\\]|\\.)*\047/, "0", left)
    for (i = 1; i <= length(left); i++) {
        c = substr(left, i, 1)
        if (text ~ /^[ \t]*$/) start = where
        if (c == "{") {
            if (depth == 0 && text !~ /=/ && text ~ /\(/) body = 1
            if (body && text ~ /^[ \t]*static[^A-Za-z0-9_].*=/) inner++ # an initialiser
            else if (body) text = ""
            else if (depth == 0) text = text "{}"
            depth++
        } else if (c == "}") {
            depth--
            if (inner) inner--
            else if (body) text = ""
            if (depth == 0) body = 0
        } else if (c == ";") {
            if (body && !inner && text ~ /^[ \t]*static[^A-Za-z0-9_]/) judge(text, start)
            if (!body && depth == 0) judge(text, start)
            if (body || depth == 0) text = ""
        } else if (depth == 0 || (body && !inner)) {
            text = text c
        }
    }
    text = text " "
}' "$tmp/library" >"$tmp/found"
complain "$tmp/found"

[ "$status" -eq 0 ] || exit 1
echo "$(wc -l <"$tmp/library") lines; $(wc -l <"$tmp/platforms") names of platforms, $(wc -l <"$tmp/quirks") quirks, $(wc -l <"$tmp/fields") fields and commands"
