#!/usr/bin/env bash
# Builds each target in Tests/Fuzz with libFuzzer and runs it for a number of seconds, from the inputs in its Corpus (what is
# usual) and FailCases (what once broke it), with its words in Tests/Fuzz/Dictionaries if it has some. A finding is left in
# .build-fuzz/findings, and the status is 1.
#
#     Tests/Support/fuzz.sh SECONDS [TARGET ...]
#
# FUZZ_SEED makes the choice of inputs repeatable; without it each run tries others.
set -euo pipefail

if ! [[ ${1:-} =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: ${0##*/} SECONDS [TARGET ...]" >&2
    exit 2
fi
readonly seconds=$1
shift

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly scratch=.build-fuzz input_bytes_max=65536 memory_mb_max=2048 input_seconds_max=10

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for sources in Tests/Fuzz/*/*.swift; do
        [ -e "$sources" ] || { echo "There is no fuzz target in Tests/Fuzz." >&2; exit 1; }
        target=$(basename "$(dirname "$sources")")
        [[ " ${targets[*]} " == *" $target "* ]] || targets+=("$target")
    done
fi

# The package leaves these targets out unless it is told otherwise: they have no main of their own, libFuzzer brings it.
export PLUGBOARD_FUZZ=1
build() {
    swift build --scratch-path "$scratch" --sanitize=fuzzer -Xswiftc -parse-as-library "$@"
}

fuzz() {
    local target=$1 binary=$2 log="$scratch/$1.log" inputs=() words=() status=0
    # libFuzzer adds what it discovers to the first folder, so that one must not be in the source tree.
    mkdir -p "$scratch/corpus/$target" "$scratch/findings"
    for folder in Corpus FailCases; do
        if [ -d "Tests/Fuzz/$target/$folder" ]; then inputs+=("Tests/Fuzz/$target/$folder"); fi
    done
    if [ -f "Tests/Fuzz/Dictionaries/$target.dict" ]; then words=("-dict=Tests/Fuzz/Dictionaries/$target.dict"); fi
    # Swift's own crash reporter would keep the crash from libFuzzer, which then could not save the input.
    SWIFT_BACKTRACE=enable=no "$binary" -max_total_time="$seconds" -max_len="$input_bytes_max" -rss_limit_mb="$memory_mb_max" \
        -timeout="$input_seconds_max" "${words[@]}" -seed="${FUZZ_SEED:-0}" -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$scratch/findings/$target-" "$scratch/corpus/$target" "${inputs[@]}" \
        >"$log" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then cat "$log" >&2; else grep number_of_executed_units "$log" || true; fi
    return "$status"
}

failed=()
for target in "${targets[@]}"; do
    build --product "$target"
done
binaries=$(build --show-bin-path)
for target in "${targets[@]}"; do
    echo "Fuzzing $target for $seconds s"
    fuzz "$target" "$binaries/$target" || failed+=("$target")
done

if [ ${#failed[@]} -gt 0 ]; then
    echo "Fuzzing broke ${failed[*]}. The inputs are in $scratch/findings:" \
        "mend the code, and keep each input in the target's FailCases." >&2
    exit 1
fi
echo "Fuzzing found nothing in ${#targets[@]} targets, $seconds s each."
