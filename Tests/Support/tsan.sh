#!/usr/bin/env bash
# Builds everything with ThreadSanitizer and runs the Swift tests, the programs that they start included. Any report is a failure:
# reports are printed at the end, and the status is 1.
#
#     Tests/Support/tsan.sh [ARGUMENT OF SWIFT TEST ...]
#
# What ThreadSanitizer does not see: Synchronization.Mutex (its library is not instrumented, so every value under one looks unprotected;
# the code uses NIOLockedValueBox instead), and memory fences (the lanes' have the model of `make verify-lanes`).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

flags=(--sanitize=thread --scratch-path .build-tsan)
# A plugin takes the sanitizer's functions from the program that loads it, which must export those that it does not use itself.
for symbol in __tsan_external_read __tsan_external_write __tsan_ignore_thread_begin __tsan_ignore_thread_end; do
    flags+=(-Xlinker "--export-dynamic-symbol=$symbol")
done

reports=$(mktemp --directory)
trap 'rm -rf "$reports"' EXIT

swift build --build-tests "${flags[@]}"
run=(swift test --skip-build --disable-xctest --no-parallel "${flags[@]}")
# A seeded race first, with the sanitizer's own options: is anything reported at all?
"${run[@]}" --filter ThreadSanitizerTests
status=0
TSAN_OPTIONS="suppressions=$PWD/Tests/Support/tsan-suppressions.txt log_path=$reports/report halt_on_error=0 exitcode=0 history_size=4" \
    "${run[@]}" --skip ThreadSanitizerTests "$@" || status=$?

count=0
for report in "$reports"/*; do
    [ -s "$report" ] || continue
    cat "$report"
    count=$((count + $(grep -c '^SUMMARY: ThreadSanitizer' "$report" || true)))
done
if [ "$count" -gt 0 ]; then
    echo "ThreadSanitizer: $count reports, above." >&2
    exit 1
fi
[ "$status" -eq 0 ] || exit "$status"
echo "ThreadSanitizer: no reports."
