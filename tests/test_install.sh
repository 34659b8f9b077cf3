#!/usr/bin/env bash
# Installation: to a path with blanks, over itself, from sources that cannot be written (as an
# ordinary user), with B elsewhere; the installed job scripts know where the program is.
set -u
cd "$(dirname "$0")/.." || exit 1
PYTHON=${PYTHON:-/usr/bin/python3}
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
  man=$where/share/man/man1/plancherel.1
  for word in '^\.SH KEYS' '^\.B optimizer\.lr' '^\.SS fourier' '^\.B \\-\\-max\\-steps=N'; do
    expect "man page" grep -q -e "$word" "$man"
  done
  for name in $("$where/bin/plancherel" --help | awk '/^  [a-z]/ { print $1 }'); do
    expect "$name in the man page" grep -q "^\.SS $name\$" "$man"
  done
  if command -v groff >/dev/null; then
    expect "the man page is sound" test -z "$(groff -man -Tascii -ww -z "$man" 2>&1)"
  fi
  module=$where/share/modulefiles/plancherel/$(cat "$D/VERSION")
  if command -v tclsh >/dev/null; then
    expect "module file" test "$(tclsh /dev/stdin "$module" <<'TCL'
foreach name {module-whatis conflict append-path} { proc $name args {} }
proc prepend-path {name value} { puts -nonewline "$name=$value;" }
proc setenv {name value} { puts -nonewline "$name=$value" }
source [lindex $argv 0]
TCL
)" = "PATH=$where/bin;MANPATH=$where/share/man;PYTHONPATH=$where/share/plancherel/analysis;XDG_DATA_DIRS=$where/share;PLANCHEREL=$where/bin/plancherel"
  fi
  expect "Python finds module and program" test "$(cd / && as_user env -u PLANCHEREL \
    PYTHONPATH="$where/share/plancherel/analysis" \
    "$PYTHON" -c 'import plancherel; print(*plancherel.elements("C_3"))')" = "0 1 2"
  # From any prefix: by bash-completion's own search, and sourced.
  expect "completion loads" bash -c 'export XDG_DATA_DIRS=$1
    [ ! -r /usr/share/bash-completion/bash_completion ] || {
      . /usr/share/bash-completion/bash_completion; __load_completion plancherel || exit 1
      complete -p plancherel >/dev/null || exit 1; complete -r plancherel; }
    . "$1/bash-completion/completions/plancherel" && complete -p plancherel >/dev/null' - "$where/share"
  expect "scripts that run" test -x "$jobs/paper/figures" -a -x "$jobs/figures"
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
# What was there before stays, all else goes; a second time there is nothing to remove.
echo mine >"$D/out/plain/share/mine"
for where in "$D/out/plain" "$D/out/with blanks/and more"; do
  remove() { (cd "$D" && as_user .ci/install --remove "$@" >"$D/out/log" 2>&1); }
  expect "removal" remove "$where"
  remove "$where" && expect "nothing left to remove" false
done
expect "removal says what is missing" grep -q "nothing of plancherel is installed in $where" "$D/out/log"
expect "other files stay" test "$(cd "$D/out" && find plain -type f)" = plain/share/mine
expect "no folder is left" test -z "$(find "$D/out/with blanks" -mindepth 2)"
expect "staged removal" remove /usr/somewhere "$D/out/stage"
expect "nothing staged is left" test -z "$(find "$D/out/stage" -type f)"
expect "make install calls it" grep -q "[.]ci/install .(BIN) '.(PREFIX)' '.(DESTDIR)'" Makefile
[ $failures = 0 ]
