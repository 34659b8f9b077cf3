#!/usr/bin/env bash
# The job scripts under a real Slurm (tests/slurm_sandbox.sh).  Whatever interrupts a sweep, in the
# end its file equals the one of a sweep that nothing interrupted; failures and cancellations end.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD D=$(mktemp -d /tmp/pl-slurm.XXXXXX) PYTHON=${PYTHON:-/usr/bin/python3} failures=0
undisturbed=
finish() { [ -z "$undisturbed" ] || kill "$undisturbed" 2>/dev/null; "$root/tests/slurm_sandbox.sh" stop "$D"; rm -rf "$D"; }
trap finish EXIT
trap 'exit 130' INT TERM
export OPENBLAS_NUM_THREADS=1 PYTHON
eval "$(tests/slurm_sandbox.sh env "$D")"
# Jobs find the program by where they are installed, not by PATH.
prefix="$D/the prefix" jobs="$D/the prefix/share/plancherel/jobs"
plancherel() { "$prefix/bin/plancherel" "$@"; }

expect() { # description command..
  local what=$1
  shift
  "$@" || { echo "failed: $what: $*" >&2; failures=$((failures + 1)); }
}
restarts() { grep -c 'SIGUSR1: ' "$1"; }
gone() { [ -z "$(squeue -h -j "$1" 2>/dev/null)" ]; }
ended_as() { # job state
  grep -q "^JobId=$1 .*JobState=$2 " "$D/jobcomp.log"
}
rank_of() { # process id of the last rank that writes this output
  local p name=$1 last=
  for p in /proc/[0-9]*; do
    [[ $(readlink "$p/exe") == "$prefix/bin/plancherel" ]] &&
      tr '\0' ' ' <"$p/cmdline" | grep -qF -- "-o $name" && last=${p#/proc/}
  done
  echo "$last"
}
wait_for() { # seconds command..
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; return 1; }
    sleep 0.3
  done
}
submit() { sbatch --parsable -t 9 --signal=B:USR1@1 "$@"; }
# Files equal in all but how long it took and on how many ranks.
same() {
  "$PYTHON" - "$@" <<'PY'
import sys
import netCDF4
a, b = (netCDF4.Dataset(p) for p in sys.argv[1:])
for f in a, b:
    f.set_auto_mask(False)
skip = {"wall_time", "ranks", "memory"}
differ = set(a.variables) ^ set(b.variables) | {
    n for n in set(a.variables) & set(b.variables) - skip
    if a[n][:].tobytes() != b[n][:].tobytes()}
if differ or set(a["status"][:]) != {2}:
    sys.exit(f"{sys.argv[1:]}: differ in {sorted(differ)}, states {set(a['status'][:])}")
PY
}

for _ in once "over it"; do make -s install PREFIX="$prefix" >/dev/null || exit 1; done
cd "$D" || exit 1
sweep() {
  cat <<YAML
group: [S_4, S_5]
model.depth: [2, 3]
data.samples: 6
optimizer.lr: 0.02
steps: $1
record.points: 40
seed: 0..2
mapping.team: 1
YAML
}


# Steps that four ranks do not finish in 30 s, which is how often Slurm looks at its limits, while the
# other sweeps run beside them.  Measured in processor time, since more may run here.
cores=$(nproc)
work=$((45 * (cores < 4 ? cores : 4) - 40))
sweep 500000 >short.yaml
TIMEFORMAT=%U
cpu=$({ time plancherel run short.yaml -q -o short.nc 2>short.log; } 2>&1) || { cat short.log; exit 1; }
sweep "$("$PYTHON" -c "print(int(500000 * $work / $cpu))")" >limited.yaml
cp limited.yaml parts.yaml

"$root/tests/slurm_sandbox.sh" start "$D" || { echo "Slurm does not start here (above: why)"; exit 77; }
OMPI_MCA_btl=self,vader timeout --kill-after=5 240 mpirun --oversubscribe -n 2 \
  "$prefix/bin/plancherel" run limited.yaml -q -o reference.nc &
undisturbed=$!
# A limit of a minute, and a signal as early as it can come: about half a minute after the start.
limited=$(sbatch --parsable -t 1 --signal=B:USR1@60 -n 4 -N 2 --ntasks-per-node=2 \
  "$jobs/sweep.sbatch" limited.yaml -q)
array=$(submit --array=1-3 -n 2 "$jobs/array.sbatch" parts.yaml -q -o shares.nc)
plot=$(sbatch --parsable -d "afterok:$limited:$array" --kill-on-invalid-dep=yes \
  "$jobs/plot.sbatch" shares.nc)

# One element of the array is signalled by its ranks, another by its batch script.
wait_for 60 test -e shares.0.nc
scancel --signal=USR1 "${array}_1"
wait_for 60 test -e shares.1.nc
scancel --batch --signal=USR1 "${array}_2"

# Where requeueing is forbidden a job submits itself anew.
mkdir forbidding
printf '#!/bin/sh\n[ "$1" != requeue ] || exit 1\nexec /usr/bin/scontrol "$@"\n' >forbidding/scontrol
chmod +x forbidding/scontrol
sweep "$("$PYTHON" -c "print(int(500000 * 12 / $cpu))")" >forbidden.yaml
forbidden=$(PATH=$D/forbidding:$PATH submit -n 1 -A lab --mail-user=me --mail-type=FAIL \
  "$jobs/sweep.sbatch" forbidden.yaml -q)
wait_for 90 test -e forbidden.nc && scancel --batch --signal=USR1 "$forbidden"

# Bad input ends a job, and what waits for its success.
echo 'group: nonsense' >bad.yaml
bad=$(submit -n 1 "$jobs/sweep.sbatch" bad.yaml -q)
never=$(sbatch --parsable -d "afterok:$bad" --kill-on-invalid-dep=yes "$jobs/plot.sbatch" bad.nc)
# A cancelled sweep stays cancelled; one that loses a rank fails at once.
sweep 1000000000 >endless.yaml
cancelled=$(submit -n 1 "$jobs/sweep.sbatch" endless.yaml -q -o cancelled.nc)
killed=$(submit -n 2 "$jobs/sweep.sbatch" endless.yaml -q -o killed.nc)
wait_for 60 test -e cancelled.nc -a -e killed.nc
scancel "$cancelled"
kill -9 "$(rank_of killed.nc)"
wait_for 40 gone "$cancelled"
expect "a cancelled sweep is not requeued" ended_as "$cancelled" CANCELLED
wait_for 40 gone "$killed"
expect "a sweep that loses a rank fails" ended_as "$killed" FAILED
wait_for 40 gone "$bad"
expect "bad input fails" ended_as "$bad" FAILED
wait_for 30 gone "$never"
expect "nothing waits for a failed job" test ! -e "plancherel-plot-$never.out"

wait $undisturbed
expect "the undisturbed sweep" test $? = 0
undisturbed=
wait_for 220 gone "$plot"

expect "interrupted by the limit" test "$(restarts "plancherel-$limited.out")" -ge 1
expect "limited = undisturbed" same limited.nc reference.nc
for i in 1 2 3; do
  expect "restarts of element $i" test "$(restarts "plancherel-${array}_$i.out")" = $((i < 3))
done
expect "merged shards = undisturbed" same shares.nc reference.nc
expect "the plot" test -s shares.png
anew=$(sed -n 's/^Submitted batch job //p' "plancherel-$forbidden.out")
expect "submitted anew" test -n "$anew"
scontrol -o show job "$anew" >anew.log
expect "its account and mail" grep -q ' Account=lab .* MailUser=me MailType=.*FAIL' anew.log
wait_for 120 gone "$anew"
expect "the job submitted anew" ended_as "$anew" COMPLETED
plancherel status forbidden.nc >forbidden.status
expect "what it trained" grep -q "^12 done$" forbidden.status
# What tells most comes last, for the end is what a reader is shown: a rank that crashed says where.
if [ $failures != 0 ]; then
  tail -n 8 slurmctld.log n1.log n2.log
  cat jobcomp.log
  tail -n 5 plancherel-*.out
  grep -h -A 25 'Process received signal' plancherel-*.out
fi
[ $failures = 0 ]
