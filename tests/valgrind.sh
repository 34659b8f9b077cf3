#!/usr/bin/env bash
# Run a test under valgrind: anything it finds outside Open MPI fails.  For tests/run.sh, as WRAP.
exec valgrind -q --num-callers=50 --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
  --show-leak-kinds=definite --suppressions="$(dirname "$0")/valgrind.supp" "$@"
