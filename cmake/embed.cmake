# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Writes a C file that holds files as constants: cmake -DOUT=... -DROOT=... -DFILES=a;b -P embed.cmake
set(text "/* Made by cmake/embed.cmake. */\n#include \"cli/embedded.h\"\n\n")
set(rows "")
set(n 0)
foreach(name IN LISTS FILES)
    file(READ "${ROOT}/${name}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND text "static const unsigned char file_${n}[] = {${bytes}};\n")
    string(APPEND rows "    {\"${name}\", file_${n}, sizeof(file_${n})},\n")
    math(EXPR n "${n} + 1")
endforeach()
string(APPEND text "\nconst struct cli_embedded cli_embedded[] = {\n${rows}    {0, 0, 0},\n};\n")
file(WRITE "${OUT}" "${text}")
