#!/usr/bin/env bash
# Run the fuzzers given as arguments (build/fuzz/fuzz_X) side by side for FUZZ_SECONDS each, from the
# seeds in tests/corpus/X; what they find stays in build/fuzz/X.  fuzz_sweep draws its cases by itself
# and names them by number, from FUZZ_FIRST on (1; 0: from the clock).  Silent but for one line each; a failure prints the fuzzer's report and
# leaves the input beside it.  Last line: "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
export OPENBLAS_NUM_THREADS=1 PLANCHEREL_CACHE=$PWD/build/fuzz/cache
seconds=${FUZZ_SECONDS:-60} pids=() passed=0 failed=0
stop() { [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null; }
trap stop EXIT
mkdir -p "$PLANCHEREL_CACHE"
for f in "$@"; do
  name=${f##*/fuzz_}
  mkdir -p "build/fuzz/$name"
  longest=400
  [ "$name" != netcdf ] || longest=800 # a header alone takes 400
  args=(-timeout=100 -rss_limit_mb=2048 -max_len=$longest "-artifact_prefix=build/fuzz/$name."
    "build/fuzz/$name" "tests/corpus/$name")
  [ "$name" != sweep ] || args=("-first=${FUZZ_FIRST:-1}")
  timeout $((seconds + 180)) "$f" -max_total_time="$seconds" "${args[@]}" \
    >"build/fuzz/$name.log" 2>&1 </dev/null &
  pids+=($!)
done
i=0
for f in "$@"; do
  name=${f##*/fuzz_}
  if wait "${pids[i]}"; then
    passed=$((passed + 1))
    echo "ok      fuzz_$name: $(grep -oE '^Done [0-9]+ runs' "build/fuzz/$name.log"), $seconds s"
  else
    failed=$((failed + 1))
    echo "FAILED  fuzz_$name"
    tail -n 60 "build/fuzz/$name.log"
  fi
  i=$((i + 1))
done
pids=()
echo "$passed passed, $failed failed"
[ $failed = 0 ]
