#!/usr/bin/env bash
# What takes too long for every commit: 200 kills, another compiler, valgrind, large groups.
# Silent but for one line each.  Last line: "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0
log=$(mktemp); trap 'rm -f "$log"' EXIT
suite() { # command..: its last line counts
  "$@" 2>&1 | tee "$log"
  local line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -1) f s
  if [ -n "$line" ]; then
    passed=$((passed + ${line%% *})); f=${line#*, }; failed=$((failed + ${f%% *}))
    case $line in *skipped) s=${line##*, }; skipped=$((skipped + ${s%% *})) ;; esac
  else
    failed=$((failed + 1)); echo "FAILED  $*"
  fi
}
make=${MAKE:-make}
export PY_LIMIT=${PY_LIMIT:-7200}
.ci/deps clang valgrind || exit 3
KILLS=200 PYTEST_ADDOPTS="-k killed" suite tests/run.sh tests/test_resume.py
KILLS=60 PYTEST_ADDOPTS="-k killed" suite tests/run.sh tests/test_extend.py
suite $make unit CC=clang
# valgrind 3.19 knows no AVX-512, and would follow no program that starts itself anew.
PLANCHEREL_NO_REEXEC=1 OPENBLAS_CORETYPE=HASWELL LIMIT=3600 RANKS="1 2" WRAP=tests/valgrind.sh \
  suite $make unit ARCH=x86-64-v3 B=build/valgrind CFLAGS="-O1 -g"
for t in tests/long_*.py; do [ ! -e "$t" ] || suite tests/run.sh "$t"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
