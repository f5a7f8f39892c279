# shellcheck shell=bash
# A host: its own network, hostname and mounts (three namespaces), and an own root on the modern ones.

uts_namespace() { printf '%s/%s/namespaces/uts\n' "$LAB_DIR" "$1"; }
mount_namespace() { printf '%s/%s/namespaces/mnt\n' "$LAB_DIR" "$1"; }

# The words that put a command into the host's network and hostname; its files are the machine's.
# `ip netns exec` would mount a /sys of its own over the one that shows the control groups.
enter_host() { printf '%s\n' nsenter "--net=/run/netns/$(host_netns "$1")" "--uts=$(uts_namespace "$1")" --; }

# The same for its agent: WireGuard's sockets lie in one folder under the name of the device, which all hosts have.
enter_host_with_own_sockets() {
  enter_host "$1"
  # shellcheck disable=SC2016 # expanded by the inner shell
  printf '%s\n' unshare --mount --propagation slave sh -ec 'mount --bind "$1" /run/wireguard; shift; exec "$@"' \
    sh "$(host_dir "$1")/run/wireguard"
}

# The same, with the host's own mounts and root: where its engine runs.
enter_host_root() {
  printf '%s\n' nsenter "--net=/run/netns/$(host_netns "$1")" "--uts=$(uts_namespace "$1")" \
    "--mount=$(mount_namespace "$1")" --
}

host_is_powered() { network_namespace_exists "$1" && mountpoint -q "$(mount_namespace "$1")"; }

power_on_host() {
  local host=$1 dir
  dir=$(host_dir "$host")
  ! host_is_powered "$host" || return 0
  power_off_host "$host"
  rm -rf "$dir/run" "$dir/pids"
  mkdir -p "$dir"/{run/files,run/wireguard,pids,log,state,namespaces} /run/wireguard
  # Before the host's mounts part from the machine's: agent and engine see the same files in memory.
  mount -t tmpfs -o mode=0700 tmpfs "$dir/run/files"
  create_network_namespace "$host"
  create_host_namespaces "$host"
}

create_host_namespaces() {
  local host=$1 dir prepare=prepare_classic_root
  dir=$(host_dir "$host")
  ! is_modern_host "$host" || prepare=prepare_modern_root
  # A mount namespace can be pinned to a file only where mounts are not propagated.
  mount --bind "$dir/namespaces" "$dir/namespaces"
  mount --make-private "$dir/namespaces"
  touch "$(uts_namespace "$host")" "$(mount_namespace "$host")"
  unshare "--uts=$(uts_namespace "$host")" "--mount=$(mount_namespace "$host")" bash -euc \
    "$(declare -f "$prepare"); hostname '$host'; $prepare '$dir' '$(modern_tree)'"
}

# Runs inside the new namespaces. The engine's volatile files go away with the host.
prepare_classic_root() {
  mkdir -p /run/containerd /run/docker
  mount -t tmpfs tmpfs /run/containerd
  mount -t tmpfs tmpfs /run/docker
}

# Runs inside the new namespaces: an overlay of the cached tree becomes the root. (A plain chroot breaks image
# loading.) The host's directory is at the same path inside as outside.
prepare_modern_root() {
  local dir=$1 tree=$2 root=$1/root shared
  rm -rf "$root"
  mkdir -p "$root"/{upper,work,merged}
  mount -t overlay overlay -o "lowerdir=$tree,upperdir=$root/upper,workdir=$root/work" "$root/merged"
  for shared in /proc /sys /dev; do mount --rbind "$shared" "$root/merged$shared"; done
  mount -t tmpfs tmpfs "$root/merged/run"
  mount -t tmpfs tmpfs "$root/merged/tmp"
  mkdir -p "$root/merged$dir" "$root/merged/mnt/machine"
  mount --bind "$dir" "$root/merged$dir"
  mount --bind "$dir/run/files" "$root/merged$dir/run/files"
  cd "$root/merged" || exit
  pivot_root . mnt/machine
  umount -l /mnt/machine
}

# As if the power was cut: nobody gets a goodbye, because the cable goes first.
power_off_host() {
  local host=$1 namespaces
  namespaces="$(host_dir "$host")/namespaces"
  [ "$(cable_state "$host")" = none ] || cable_down "$host"
  kill_all_of_host "$host"
  for pinned in "$namespaces/mnt" "$namespaces/uts" "$namespaces" "$(host_dir "$host")/run/files"; do
    while mountpoint -q "$pinned"; do umount -l "$pinned"; done
  done
  remove_network_namespace "$host"
  remove_cgroups "$LAB_CGROUP/$host"
}
