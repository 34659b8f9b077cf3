#!/usr/bin/env bash
# Installation: to a path with blanks, over itself, from sources that cannot be written (as an
# ordinary user), with B elsewhere; the installed job scripts know where the program is.
set -u
cd "$(dirname "$0")/.." || exit 1
D=$(mktemp -d /tmp/pl-install.XXXXXX) failures=0
trap 'chmod -R u+w "$D"; rm -rf "$D"' EXIT
chmod 755 "$D"
expect() { # description command..
  local what=$1
  shift
  "$@" || { echo "failed: $what: $*" >&2; failures=$((failures + 1)); }
}
git rev-parse HEAD >/dev/null 2>&1 || { echo "no repository to copy"; exit 77; }
git ls-files -z | xargs -0 cp --parents -t "$D" || exit 1
mkdir "$D/out" "$D/objects" && cp build/plancherel "$D/objects" && chmod -R a-w "$D"/[!o]* "$D"/.ci
chmod 777 "$D/out"
as_user() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
install_to() { (cd "$D" && as_user .ci/install objects/plancherel "$@" >"$D/out/log" 2>&1); }

for where in "$D/out/plain" "$D/out/with blanks/and more"; do
  expect "first installation" install_to "$where"
  expect "second installation" install_to "$where"
  jobs=$where/share/plancherel/jobs
  expect "the program" "$where/bin/plancherel" --version >/dev/null
  expect "analysis" test -r "$where/share/plancherel/analysis/plot.py"
  expect "the report's page" test -r "$where/share/plancherel/analysis/report_page/page.html"
  expect "completion" test -r "$where/share/bash-completion/completions/plancherel"
  expect "studies" test -r "$jobs/paper/d4.yaml" -a -r "$jobs/rankings/north.soc"
  expect "scripts that run" test -x "$jobs/paper/figures"
  for job in sweep array plot; do
    expect "$job.sbatch parses" bash -n "$jobs/$job.sbatch"
    found=$(bash -c "$(grep '^program=' "$jobs/$job.sbatch" | head -n 1)"'; echo "$program"')
    expect "$job.sbatch knows the program" test "$found" = "$where/bin/plancherel"
  done
done
expect "staged installation" install_to /usr/somewhere "$D/out/stage"
expect "its program" test -x "$D/out/stage/usr/somewhere/bin/plancherel"
expect "its jobs" grep -q '^program=/usr/somewhere/bin/plancherel$' \
  "$D/out/stage/usr/somewhere/share/plancherel/jobs/sweep.sbatch"
expect "make install calls it" grep -q "[.]ci/install .(BIN) '.(PREFIX)' '.(DESTDIR)'" Makefile
[ $failures = 0 ]
