# shellcheck shell=bash
# The root of the modern hosts: a minimal tree of the newer Debian suite with its Docker Engine, made once.

modern_tree() { printf '%s/host-%s\n' "$(install_cache_dir)" "$PLIMSOLL_NEWER_SUITE"; }

ensure_modern_tree() {
  [ -x "$(modern_tree)/usr/sbin/dockerd" ] && return
  ensure_packages 'debootstrap makes the root of modern lab hosts' debootstrap
  with_install_lock modern-tree make_modern_tree
}

make_modern_tree() {
  local tree mirror log
  tree=$(modern_tree)
  mirror=$(debian_mirror) || return
  [ ! -x "$tree/usr/sbin/dockerd" ] || return 0
  log="$(install_cache_dir)/modern-tree.log"
  install_note "Debian $PLIMSOLL_NEWER_SUITE with Docker into $tree: the root of modern lab hosts (once, about a minute)"
  rm -rf "$tree.partial"
  if bootstrap_tree "$tree.partial" "$mirror" && install_docker_in_tree "$tree.partial"; then
    mv "$tree.partial" "$tree"
  else
    tail -n 20 "$log" >&2
    install_fail "Cannot make the root of modern lab hosts: see $log"
  fi >&2
}

bootstrap_tree() {
  debootstrap --variant=minbase "$PLIMSOLL_NEWER_SUITE" "$1" "$2" /usr/share/debootstrap/scripts/sid >"$log" 2>&1 9>&-
}

install_docker_in_tree() {
  # Nothing may start while its package is set up: the tree is no running system.
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/sbin/policy-rc.d"
  chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o APT::Sandbox::User=root \
    install --no-install-recommends docker.io docker-cli iptables >>"$log" 2>&1 9>&- </dev/null || return
  rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*
}
