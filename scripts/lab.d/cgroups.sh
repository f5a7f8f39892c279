# shellcheck shell=bash
# Control groups: everything that runs on a lab host is below /LAB_CGROUP/HOST, so that a host can be found and
# killed as a whole. Works with the machine's cgroup v1 or v2 as it is mounted.

# The hierarchies in which containers get groups.
cgroup_hierarchies() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; else
    awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts | grep '^/sys/fs/cgroup/' | sort -u
  fi
}

# The one hierarchy by which we find the processes of a host.
tracking_hierarchy() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; else echo /sys/fs/cgroup/freezer; fi
}

host_cgroup() { printf '/%s/%s\n' "$LAB_CGROUP" "$1"; }

# Daemons have a leaf of their own: cgroup v2 allows no processes beside child groups.
host_daemon_cgroup_dir() { printf '%s%s/daemons\n' "$(tracking_hierarchy)" "$(host_cgroup "$1")"; }

host_process_ids() {
  local dir
  dir="$(tracking_hierarchy)$(host_cgroup "$1")"
  [ ! -d "$dir" ] || find "$dir" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

# SIGKILL to every process of the host until none is left, however many they start meanwhile.
kill_all_of_host() {
  local host=$1 round pids
  for ((round = 0; round < 200; round++)); do
    pids=$(host_process_ids "$host")
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086 # one argument per id
    kill -KILL $pids 2>/dev/null || true
    sleep 0.05
  done
  lab_fail "Cannot kill everything on $host: still there are processes $(host_process_ids "$host" | tr '\n' ' ')"
}

# signal_host HOST SIGNAL: to every process there, until no other has been started meanwhile.
signal_host() {
  local host=$1 signal=$2 round before='' now
  for ((round = 0; round < 3; round++)); do
    now=$(host_process_ids "$host")
    [ "$now" != "$before" ] || return 0
    # shellcheck disable=SC2086 # one argument per id
    kill "-$signal" $now 2>/dev/null || true
    before=$now
  done
}

remove_cgroups() {
  local hierarchy
  for hierarchy in $(cgroup_hierarchies); do
    [ ! -d "$hierarchy/$1" ] || find "$hierarchy/$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rmdir "$hierarchy/${1%%/*}" 2>/dev/null || true
  done
}
