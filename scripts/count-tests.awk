# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Reads the output of `ctest -V` and prints "N passed, N failed" over single test cases: every
# Criterion case counts, and every test that is not a Criterion program counts as one. Exits
# non-zero if anything failed or nothing passed.

# 3: [====] Synthesis: Tested: 9 | Passing: 8 | Failing: 1 | Crashing: 0
# Criterion counts a crash as a failure too.
/^[0-9]+: .*Synthesis: Tested: / {
    id = $1 + 0
    line = $0
    gsub(/\033\[[0-9;]*m/, "", line)
    reported[id] = 1
    ok[id] += number(line, "Pass(ing|ed): +")
    bad[id] += number(line, "Fail(ing|ed): +")
    next
}

#  3/12 Test  #3: unit.range .......   Passed    0.02 sec
/^ *[0-9]+\/[0-9]+ +Test +#[0-9]+: / {
    id = number($0, "Test +#")
    name = $0
    sub(/^.*Test +#[0-9]+: +/, "", name)
    sub(/ .*/, "", name)
    # "Passed" alone: a failed one reads ***Failed, ***Timeout, ***Exception and so on.
    success = $0 ~ / Passed +[0-9.]+ sec/ && $0 !~ /\*\*\*/
    if ($0 ~ /\*\*\*Skipped/) {
        print "skipped: " name
        next
    }
    passed += ok[id]
    failed += bad[id]
    if (success && name ~ /^unit\./ && !reported[id]) {
        print "no closing line from Criterion: " name
        failed++
    } else if (!success && bad[id] == 0) {
        print "failed as a whole: " name
        failed++
    } else if (success && !reported[id]) {
        passed++
    }
}

END {
    printf "%d passed, %d failed\n", passed, failed
    exit (failed > 0 || passed == 0)
}

function number(text, label)
{
    if (!match(text, label "[0-9]+"))
        return 0
    text = substr(text, RSTART, RLENGTH)
    gsub(/[^0-9]/, "", text)
    return text + 0
}
