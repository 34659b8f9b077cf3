#!/usr/bin/env bash
# Run the test programs given as arguments.  A C program's source starts with /* ranks: 1 2 .. */:
# it runs once for each count (of those in RANKS, if set) under mpirun, after WRAP (a valgrind command);
# python files run under pytest.  Silent but for one line each; output is shown when a test fails.
# A script that cannot run here ends with 77 and says why.  So many at a time as JOBS says; name the
# longest first.  Last line: "N passed, N failed, N skipped": files (each on each number of ranks), and
# of those that passed the tests skipped inside.
set -u
cd "$(dirname "$0")/.." || exit 1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl_vader_single_copy_mechanism=none
export OPENBLAS_NUM_THREADS=1 PLANCHEREL_CACHE=
MPIRUN=${MPIRUN:-mpirun} PYTHON=${PYTHON:-/usr/bin/python3} LIMIT=${LIMIT:-120} WRAP=${WRAP:-}
# The program syncs what it writes, again and again: in memory, where there is room, no disk makes a test
# wait.  Each has a folder for itself, removed when it is over.
scratch=${TMPDIR:-/tmp} room=$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)
[ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "${room:-0}" -gt 2000000 ] &&
  ! findmnt -no OPTIONS -T /dev/shm | grep -qw noexec && scratch=/dev/shm
logs=$(mktemp -d "$scratch/pl.XXXXXX"); chmod 755 "$logs"; : >"$logs/results"; trap 'rm -rf "$logs"' EXIT
# As pytest sums them up ("3 passed, 1 skipped in 2 s") or cmocka ("[  SKIPPED ] 1 test(s)").
skipped_in() { # log
  local n; n=$(grep -oE '[0-9]+ skipped|SKIPPED +\] [0-9]+ test' "$1" | tail -n 1 | grep -oE '[0-9]+')
  echo "${n:-0}"
}
check() { # name command..
  local name=$1 t0=$SECONDS rc log skips i; shift
  log=$logs/${name// /_}
  export TMPDIR; TMPDIR=$(mktemp -d "$logs/XXXX"); chmod 1777 "$TMPDIR" # some become another user
  timeout --kill-after=10 "$LIMIT" "$@" >"$log" 2>&1 </dev/null; rc=$?
  rm -rf "$TMPDIR"
  if [ $rc = 77 ]; then
    echo skipped >>"$logs/results"
    echo "skipped $name: $(tail -n 1 "$log")"
  elif [ $rc = 0 ]; then
    skips=$(skipped_in "$log")
    echo passed >>"$logs/results"
    for ((i = 0; i < skips; i++)); do echo skipped >>"$logs/results"; done
    echo "ok      $name ($((SECONDS - t0)) s)$([ "$skips" = 0 ] || echo ", $skips skipped")"
  else
    echo failed >>"$logs/results"; [ $rc = 124 ] && echo "timeout: $name passed $LIMIT s"
    echo "FAILED  $name (exit $rc)"; tail -60 "$log"
  fi
}
# Tests mostly wait, for MPI to start or a reader to see something: three at a time fill two cores.
aside() { while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-3}" ]; do wait -n; done; check "$@" & }
# A process without mpirun has nobody to talk to (tests/pl_run.py).
alone="env OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_pml=ob1 OMPI_MCA_btl=self"
count() { grep -c "$1" "$logs/results"; }
for t in "$@"; do
  case $t in
  *.py) LIMIT=${PY_LIMIT:-400} aside "$(basename "$t")" "$PYTHON" -m pytest -q -x -p no:cacheprovider "$t" ;;
  *.sh) LIMIT=${SH_LIMIT:-400} aside "$(basename "$t")" bash "$t" ;;
  *)
    name=$(basename "$t")
    ranks=$(sed -n '1s|^/\* ranks: \(.*\) \*/$|\1|p' "tests/$name.c")
    [ -n "$ranks" ] || { echo "FAILED  $name: no ranks line"; echo failed >>"$logs/results"; continue; }
    for n in $ranks; do
      [[ -z ${RANKS:-} || " $RANKS " == *" $n "* ]] || continue
      if [ "$n" = 1 ]; then aside "$name" $alone $WRAP "$t"
      else aside "$name on $n ranks" "$MPIRUN" --oversubscribe -n "$n" $WRAP "$t"; fi
    done ;;
  esac
done
wait
failed=$(count failed)
echo "$(count passed) passed, $failed failed, $(count skipped) skipped"
[ "$failed" = 0 ]
