# shellcheck shell=bash
# What a lab is called and where it lives, so that several can stand side by side on one machine.

LAB_NAME=${LAB_NAME:-lab}
LAB_SUBNET=${LAB_SUBNET:-10.99.0}
LAB_DIR=${LAB_DIR:-/var/lib/plimsoll-$LAB_NAME}
# docker/NAME makes containers' cgroups look like those of an engine with its default settings.
LAB_CGROUP=${LAB_CGROUP:-$LAB_NAME}
# What every engine advertises as node-generic-resources: gpu=2,FPGA=F1,FPGA=F2.
LAB_GENERIC_RESOURCES=${LAB_GENERIC_RESOURCES:-}
# shellcheck disable=SC2034 # used by network.sh
LAB_BRIDGE="br-$LAB_NAME"

lab_note() { printf 'lab: %s\n' "$*" >&2; }

lab_fail() {
  printf 'lab: error: %s\n' "$*" >&2
  exit 1
}

check_settings() {
  [ "$(id -u)" -eq 0 ] || lab_fail "Cannot run as user '$(id -un)': network namespaces and engines need root. Use sudo"
  [[ $LAB_NAME =~ ^[a-z][a-z0-9]{0,8}$ ]] ||
    lab_fail "Cannot name a lab '$LAB_NAME': LAB_NAME is a letter, then at most 8 letters or digits (it becomes part of interface names)"
  [[ $LAB_SUBNET =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] ||
    lab_fail "Cannot use LAB_SUBNET='$LAB_SUBNET': wanted are the first three numbers of a /24, such as 10.99.0"
  [[ $LAB_GENERIC_RESOURCES =~ ^([A-Za-z0-9._-]+=[A-Za-z0-9._-]+(,|$))*$ ]] ||
    lab_fail "Cannot use LAB_GENERIC_RESOURCES='$LAB_GENERIC_RESOURCES': wanted is KIND=COUNT or KIND=NAME, separated by commas"
  [[ $LAB_DIR == /* && ${#LAB_DIR} -le 60 ]] ||
    lab_fail "Cannot use LAB_DIR='$LAB_DIR': wanted is an absolute path of at most 60 characters (sockets live below it)"
}

# Topology: what `up` was asked for, remembered for every later command, which need not name the subnet again.

lab_is_up() { [ -e "$LAB_DIR/topology" ]; }

require_lab() {
  lab_is_up || lab_fail "No lab '$LAB_NAME' is up (nothing at $LAB_DIR). Start one with: lab up"
  load_topology
}

# Sets LAB_SUBNET, LAB_HOST_COUNT, LAB_MODERN_COUNT, LAB_COORDINATOR_COUNT, LAB_ENGINE, LAB_GENERIC_RESOURCES.
load_topology() {
  local asked_name=$LAB_NAME
  # shellcheck source=/dev/null
  source "$LAB_DIR/topology"
  [ "$LAB_NAME" = "$asked_name" ] ||
    lab_fail "LAB_DIR=$LAB_DIR holds the lab '$LAB_NAME', not '$asked_name'. Unset LAB_DIR, or set LAB_NAME to that"
}

topology_text() {
  local setting
  for setting in LAB_NAME LAB_SUBNET LAB_HOST_COUNT LAB_MODERN_COUNT LAB_COORDINATOR_COUNT LAB_ENGINE; do
    printf '%s=%s\n' "$setting" "${!setting}"
  done
  [ -z "$LAB_GENERIC_RESOURCES" ] || printf 'LAB_GENERIC_RESOURCES=%s\n' "$LAB_GENERIC_RESOURCES"
}

host_names() { seq -f 'h%g' 1 "$LAB_HOST_COUNT"; }
coordinator_names() { host_names | head -n "$LAB_COORDINATOR_COUNT"; }
host_number() { printf '%s\n' "${1#h}"; }
host_dir() { printf '%s/%s\n' "$LAB_DIR" "$1"; }
host_address() { printf '%s.%s\n' "$LAB_SUBNET" "${1#h}"; }
host_netns() { printf '%s-%s\n' "$LAB_NAME" "$1"; }
# The machine's own address on the bridge.
machine_address() { printf '%s.254\n' "$LAB_SUBNET"; }
# The machine's end of the host's cable.
host_cable() { printf 'v%s-%s\n' "$LAB_NAME" "$1"; }
host_docker_socket() { printf '%s/%s/docker.sock\n' "$LAB_DIR" "$1"; }
is_modern_host() { [ "${1#h}" -gt $((LAB_HOST_COUNT - LAB_MODERN_COUNT)) ]; }
is_coordinator_host() { [ "$LAB_ENGINE" != none ] && [ "${1#h}" -le "$LAB_COORDINATOR_COUNT" ]; }

require_host() {
  [[ ${1:-} =~ ^h[1-9][0-9]*$ && ${1#h} -le $LAB_HOST_COUNT ]] ||
    lab_fail "No host '${1:-}' in this lab: its hosts are $(host_names | tr '\n' ' ')"
}
