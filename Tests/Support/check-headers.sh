#!/usr/bin/env bash
# Compiles each header of the plugin ABI on its own as C99, C11 and C++17, with every warning an error: a plugin author may
# include any of them first, from any of these languages.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly include=Sources/CPlugboard/include
readonly warnings=(-Wall -Wextra -Werror -pedantic)

compile() {
    local language=$1 standard=$2 header=$3 compiler=$4
    # The header is included from a file, as a plugin does it, and twice, to try its guard.
    printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
        "$compiler" -x "$language" "-std=$standard" "${warnings[@]}" -I "$include" -fsyntax-only - || {
        echo "$include/$header does not compile as $standard with $compiler ${warnings[*]}" >&2
        return 1
    }
}

headers=()
while IFS= read -r header; do headers+=("${header#"$include"/}"); done < <(find "$include" -name '*.h' | sort)
if [ ${#headers[@]} -eq 0 ]; then
    echo "There is no header below $include." >&2
    exit 1
fi

failures=0
for header in "${headers[@]}"; do
    compile c c99 "$header" "${CC:-cc}" || failures=$((failures + 1))
    compile c c11 "$header" "${CC:-cc}" || failures=$((failures + 1))
    compile c++ c++17 "$header" "${CXX:-c++}" || failures=$((failures + 1))
done
[ "$failures" -eq 0 ]
