#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The units are valid and as locked in as README.md says, both alike; account and folder come out as meant.
# Usage: units_test.sh SYSTEMD_FOLDER; exit 77 (skipped) where there is no systemd-analyze.
set -euo pipefail
units=$(readlink -f "$1")
if ! command -v systemd-analyze >/dev/null; then
  echo "skipped: no systemd-analyze here"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect WHAT COMMAND...  A command is called where `set -e` does not count, so each below is one chain of &&.
expect() {
  local what=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    echo "ok: $what"
  else
    echo "FAIL: $what"
    cat "$work/output"
    failed=1
  fi
}

# `verify` wants the program to exist, and for some mistakes only says so: its silence is what counts.
verify() {
  sed 's|/usr/bin/tulpar|/bin/true|' "$units/$1" >"$work/$1" &&
    { systemd-analyze verify "$work/$1" 2>&1 | tee "$work/said"; } && [[ ! -s $work/said ]]
}

# An exposure of at most 1.5 of 10; the threshold is ten times that.
locked_in() { systemd-analyze security --offline=true --threshold=15 --no-pager "$1"; }

# The same unit without its system call filter and its Protect lines must be refused by the same check.
refused_when_opened() {
  sed '/^SystemCallFilter=\|^Protect/d' "$units/$1" >"$work/open-$1" && ! locked_in "$work/open-$1"
}

hardening() { sed -n '/^# Files:/,/^\[Install\]/p' "$units/$1"; }
hardened_alike() {
  [[ -n $(hardening tulpar-gateway.service) ]] &&
    diff <(hardening tulpar-gateway.service) <(hardening tulpar-relay.service)
}

# has UNIT LINE...: what the daemons rely on when they run.
has() {
  local unit=$1 line
  shift
  for line in "$@"; do
    grep -xF -- "$line" "$units/$unit" || { echo "lacks $line" && return 1; }
  done
}

# has_mode MODE PATH
has_mode() { [[ $(stat -c '%a %n' "$2") == "$1 $2" ]]; }
account_and_folder() {
  local etc=$work/root/etc
  mkdir -p "$etc/tulpar" && touch "$etc/tulpar/roof.enrolment" &&
    systemd-sysusers --root="$work/root" "$units/sysusers.d/tulpar.conf" &&
    grep '^tulpar:.*:/usr/sbin/nologin$' "$etc/passwd" &&
    systemd-tmpfiles --root="$work/root" --create "$units/tmpfiles.d/tulpar.conf" &&
    has_mode 750 "$etc/tulpar" && has_mode 640 "$etc/tulpar/roof.enrolment"
}

for unit in tulpar-gateway.service tulpar-relay.service; do
  expect "$unit is valid" verify "$unit"
  expect "$unit is locked in" locked_in "$units/$unit"
  expect "$unit would not pass unlocked" refused_when_opened "$unit"
  # shellcheck disable=SC2016 # systemd expands it
  expect "$unit tells systemd how it is" has "$unit" Type=notify WatchdogSec=60s 'ExecReload=/bin/kill -HUP $MAINPID'
done
expect "the gateway's state" has tulpar-gateway.service StateDirectory=tulpar KillMode=process
expect "the relay's state" has tulpar-relay.service StateDirectory=tulpar-relay
expect "both are hardened alike" hardened_alike
if ((EUID == 0)); then # files get an owner
  expect "account and folder" account_and_folder
fi
exit "$failed"
