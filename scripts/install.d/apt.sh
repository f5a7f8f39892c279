# shellcheck shell=bash
# Debian packages: install them, or take single programs out of them without installing anything.
# Notes and errors go to stderr, so that functions may answer a path on stdout. Sourcing does nothing.

# The first Debian suite whose nats-server, Docker and Prometheus are all new enough.
PLIMSOLL_NEWER_SUITE="${PLIMSOLL_NEWER_SUITE:-forky}"

install_note() { printf 'install: %s\n' "$*" >&2; }

install_fail() {
  printf 'install: error: %s\n' "$*" >&2
  return 1
}

# Where downloaded programs, the tree of the modern lab hosts and image tarballs are kept between runs.
install_cache_dir() { printf '%s\n' "${PLIMSOLL_CACHE_DIR:-/var/cache/plimsoll}"; }

require_root() {
  [ "$(id -u)" -eq 0 ] || install_fail "Cannot $1 as user '$(id -un)': it needs root. Run it with sudo"
}

# version_at_least 2.10.7 2.10 -> true
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# with_install_lock NAME COMMAND...: runs COMMAND while no other run holds the lock of that name.
with_install_lock() {
  local name=$1 cache
  shift
  cache=$(install_cache_dir)
  mkdir -p "$cache"
  (
    flock 9
    "$@"
  ) 9>"$cache/$name.lock"
}

apt_quietly() {
  local log status=0
  log=$(mktemp)
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root "$@" \
    >"$log" 2>&1 9>&- </dev/null || status=$?
  [ "$status" -eq 0 ] || tail -n 20 "$log" >&2
  rm -f "$log"
  return "$status"
}

apt_lists_present() { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }

ensure_apt_lists() {
  apt_lists_present && return
  install_note 'apt-get update: this machine has no package lists yet'
  apt_quietly update || install_fail 'Cannot read package lists: apt-get update failed (see above). Check the apt sources'
}

# Without systemd nothing would supervise a service that a package starts by itself.
install_without_starting_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ] || [ -d /run/systemd/system ]; then
    apt_quietly install --no-install-recommends "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  apt_quietly install --no-install-recommends "$@" || status=$?
  rm -f "$policy"
  return "$status"
}

install_packages_locked() {
  ensure_apt_lists
  install_without_starting_services "$@" && return
  if apt_quietly update && install_without_starting_services "$@"; then return; fi
  install_fail "Cannot install $*: apt-get failed (see above). Install it by hand, then run this again"
}

# ensure_packages WHY PACKAGE...: installs those that are missing.
ensure_packages() {
  local why=$1 package missing=()
  shift
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  require_root "install ${missing[*]}" || return
  install_note "${missing[*]}: $why"
  with_install_lock apt install_packages_locked "${missing[@]}"
}

# The version apt would install, without epoch and Debian revision; empty if it knows none.
apt_candidate_version() {
  apt-cache "${@:2}" policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \(none\)\?//p' |
    sed -e 's/^[0-9]*://' -e 's/[-+~].*//' -e '/^(none)$/d'
}
