#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# The README's lines for embedders are ten and compile as they stand, without a warning.
. "$(dirname "$0")/lib.sh"

name="lines of the README"
sed -n '/^```c$/,/^```$/p' README.md | grep -v '^```' >"$work/lines"
lines=$(wc -l <"$work/lines")
[ "$lines" -eq 10 ] || complain "$lines lines, expected 10"
{
    echo '#include <xinv/platforms.h>'
    echo '#include <xinv/xinv.h>'
    echo 'int main(void) {'
    cat "$work/lines"
    echo 'return n < 0; }'
} >"$work/readme.c"
"${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only "$work/readme.c" ||
    complain "do not compile"
finish
