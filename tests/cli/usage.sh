#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# Wrong command lines: one line on stderr, exit status 2, nothing on stdout.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
capture=tests/golden/tour.requests
platforms=$("$xinv" platforms | sed 's/ .*//' | paste -sd, - | sed 's/,/, /g')

expect "no command" 2 "xinv: no command; see xinv --help" --
empty
expect "unknown command" 2 "xinv: unknown command 'frobnicate'; see xinv --help" -- frobnicate
empty
expect "help" 0 "" -- --help
has '^usage: xinv COMMAND'
for command in replay translate explain matrix verify platforms check decode encode caps; do
    has "^  $command  *[A-Z]"
done
expect "version" 0 "" -- --version
has '^xinv [0-9]*\.[0-9]*\.[0-9]*$'
for command in replay translate explain matrix verify platforms check decode encode caps; do
    expect "help of $command" 0 "" -- $command --help
    has "^usage: xinv $command"
    has '^exit status: 0 '
    expect "unknown option of $command" 2 \
        "xinv: unknown option --frobnicate; see xinv $command --help" -- $command --frobnicate=1
    empty
done

expect "no capture" 2 "xinv: no capture is named; see xinv replay --help" -- replay
expect "two captures" 2 "xinv: one capture at a time, not 'b' as well; see xinv replay --help" \
    -- replay a b
expect "a value is missing" 2 "xinv: --platform needs a value: NAME|all; see xinv replay --help" \
    -- replay --platform
expect "a value too many" 2 "xinv: --json takes no value; see xinv replay --help" \
    -- replay --json=1
expect "unknown platform" 2 \
    "xinv: no platform 'pdp11'; known are all, $platforms; see xinv replay --help" \
    -- replay $capture --platform pdp11
expect "unknown policy" 2 \
    "xinv: 'fast' is no policy; exact, latency or at-most:1 to at-most:16; see xinv replay --help" \
    -- replay $capture --policy fast
expect "too many blocks" 2 \
    "xinv: 'at-most:17' is no policy; exact, latency or at-most:1 to at-most:16; see xinv replay --help" \
    -- replay $capture --policy at-most:17
expect "leaf size" 2 "xinv: '11' is no leaf size; expected 12 to 63; see xinv replay --help" \
    -- replay $capture --leaf-size 11
expect "leaf only without a size" 2 \
    "xinv: --leaf-only needs --leaf-size as well; see xinv replay --help" \
    -- replay $capture --leaf-only
expect "binary of many platforms" 2 \
    "xinv: --bin takes one platform and one topology; see xinv replay --help" \
    -- replay $capture --bin "$work/bin"
expect "binary of two policies" 2 "xinv: --bin takes one policy; see xinv replay --help" \
    -- replay $capture --bin "$work/bin" --platform arm-smmuv3-ril --policy exact --policy latency
[ ! -e "$work/bin" ] || complain "a file was left behind"
expect "policies and topologies" 2 \
    "xinv: several policies or several topologies, not both; see xinv replay --help" \
    -- replay $capture --policy exact --policy latency \
    --topology tests/data/topologies/stage1.yaml --topology tests/data/topologies/stage2.yaml

expect "no request" 2 "xinv: no request is given; see xinv translate --help" -- translate
expect "two sources of requests" 2 \
    "xinv: a request comes from options, --input or --jsonl; see xinv translate --help" \
    -- translate --jsonl --platform arm-smmuv3-ril
expect "nothing to explain" 2 "xinv: no request is given; see xinv explain --help" -- explain
expect "two requests to explain" 2 \
    "xinv: a request comes from options or --input; see xinv explain --help" \
    -- explain --input "$capture" --kind s1-page
expect "unknown kind" 2 "xinv: kind: no kind 's3-page'; xinv matrix lists them; see xinv explain --help" \
    -- explain --platform arm-smmuv3-ril --kind s3-page
expect "a kind with an attachment" 2 \
    "xinv: kind: comes with its own attachments; see xinv explain --help" \
    -- explain --platform arm-smmuv3-ril --kind s1-page --attach stage=stage1
expect "unknown kind of the matrix" 2 \
    "xinv: no kind 's3-page'; xinv matrix lists them; see xinv matrix --help" -- matrix --kind s3-page
expect "two forms of the matrix" 2 "xinv: --json or --html, not both; see xinv matrix --help" \
    -- matrix --json --html
expect "an operand of the matrix" 2 \
    "xinv: 'x' is not expected; platforms are given by --platform; see xinv matrix --help" -- matrix x
expect "range" 2 "xinv: '1-2' is not FIRST..LAST; see xinv translate --help" \
    -- translate --range 1-2
expect "setting" 2 "xinv: 'CM' is not NAME=VALUE; see xinv translate --help" -- translate --set CM
expect "unknown tag of an attachment" 2 \
    "xinv: attachments[0].asic: unknown key; see xinv translate --help" \
    -- translate --platform intel-vtd-legacy --attach stage=stage2,asic=1 --change stage2_pte
expect "an operand" 2 \
    "xinv: 'x' is not expected; requests are given by options; see xinv translate --help" \
    -- translate x

expect "no file to check" 2 "xinv: no file is named; see xinv check --help" -- check
expect "standard input twice" 2 \
    "xinv: standard input cannot be read twice; see xinv check --help" -- check - -
for command in replay translate platforms; do
    expect "a table from standard input: $command" 2 \
        "xinv: a table is not read from standard input; name a file; see xinv $command --help" \
        -- $command --platform-file -
    expect "a table of no platform: $command" 2 \
        "xinv: schema/vtd.yaml: no --platform-file names the vendor 'vtd'; see xinv $command --help" \
        -- $command --vendor-file schema/vtd.yaml
done
finish
