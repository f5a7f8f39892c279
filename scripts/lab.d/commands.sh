# shellcheck shell=bash
# The lab's command line: up, down, and the way from a word to its function.

lab_usage() {
  cat <<'USAGE'
lab: several real Docker hosts on this machine, each with its own network, hostname and Docker Engine.

Usage:
  lab up [--hosts 3] [--modern 1] [--coordinators 1] [--engine plimsoll|swarm|none] [--no-images]
  lab env                             shell exports: DOCKER_HOST and PLIMSOLL_SOCKET of the cluster, PLIM_URL, LAB_HOSTS, LAB_ADDR_h1 ...
  lab status [--format table|json]
  lab image DIR TAG [BUILD-OPTION...] build DIR's Dockerfile for every host
  lab exec HOST -- COMMAND...         run in the host's network and hostname; DOCKER_HOST is its engine
  lab cut|heal HOST                   pull the host's cable, plug it in again
  lab cut HOST --for SECONDS          pull it and plug it in again after so long
  lab crash|revive HOST               power loss; boot again with what is on the disk
  lab kill|start|restart|freeze|thaw PART:HOST  PART is engine, agent, dns, coordinator or nats; restart ends it politely
  lab freeze|thaw|restart HOST        everything on the host; restart is a reboot
  lab freeze PART:HOST|HOST --for SECONDS  freeze and thaw after so long
  lab switch --engine ENGINE          boot all hosts again with another orchestrator, or with none
  lab down                            remove all of it: processes, containers, mounts, network, files

The last --modern hosts run a newer Docker Engine than this machine's own.

Examples:
  lab up --hosts 3 --modern 1 && eval "$(lab env)" && docker node ls
  lab up --engine none                hosts and engines only
  lab crash h3; lab revive h3
  lab freeze engine:h2; lab thaw engine:h2
  LAB_NAME=two LAB_SUBNET=10.99.2 lab up     a second lab beside the first

Environment: LAB_NAME (lab), LAB_SUBNET (10.99.0), LAB_DIR (/var/lib/plimsoll-LAB_NAME), LAB_CGROUP (LAB_NAME),
LAB_GENERIC_RESOURCES (none; gpu=2,FPGA=F1,FPGA=F2: what every engine advertises),
PLIMSOLL_CACHE_DIR.
USAGE
}

lab_main() {
  local command=${1:-}
  [ $# -eq 0 ] || shift
  case $command in
    '' | help | -h | --help) lab_usage; return ;;
  esac
  check_settings
  case $command in
    up) lab_up "$@" ;;
    down) lab_down "$@" ;;
    env | status | image | exec | cut | heal | crash | revive | switch) require_lab && "lab_$command" "$@" ;;
    kill | start | restart | freeze | thaw) require_lab && lab_process "$command" "$@" ;;
    *) lab_fail "Unknown command '$command'. See: lab --help" ;;
  esac
}

# for_each_host FUNCTION [ARGUMENT...]: runs it for all hosts on stdin at once; fails if one of them does.
for_each_host() {
  local host pids=() pid failed=''
  while read -r host; do
    "$@" "$host" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=yes; done
  [ -z "$failed" ] || lab_fail "Cannot go on: '${1//_/ }' failed on at least one host (see above)"
}

lab_up() {
  LAB_HOST_COUNT=3 LAB_MODERN_COUNT='' LAB_COORDINATOR_COUNT=1 LAB_ENGINE=plimsoll
  local with_images=yes
  read_up_options "$@"
  refuse_different_lab
  ensure_lab_programs
  ensure_bridge
  mkdir -p "$LAB_DIR"
  topology_text >"$LAB_DIR/topology"
  host_names | for_each_host start_host
  [ "$with_images" = no ] || ensure_example_images
  start_orchestrator
  lab_note "$LAB_HOST_COUNT hosts are up, engine $LAB_ENGINE. Next: eval \"\$($LAB_REPO/scripts/lab env)\""
}

read_up_options() {
  local option value
  while [ $# -gt 0 ]; do
    option=${1%%=*}
    if [ "$option" = --no-images ]; then with_images=no && shift && continue; fi
    if [[ $1 == *=* ]]; then
      value=${1#*=}
    else
      value=${2:-}
      [ $# -eq 1 ] || shift
    fi
    shift
    case $option in
      --hosts) LAB_HOST_COUNT=$value ;;
      --modern) LAB_MODERN_COUNT=$value ;;
      --coordinators) LAB_COORDINATOR_COUNT=$value ;;
      --engine) LAB_ENGINE=$value ;;
      *) lab_fail "Unknown option '$option' of lab up. See: lab --help" ;;
    esac
  done
  LAB_MODERN_COUNT=${LAB_MODERN_COUNT:-1}
  check_up_options
}

check_up_options() {
  [[ $LAB_HOST_COUNT =~ ^[1-9][0-9]?$ && $LAB_HOST_COUNT -le 50 ]] ||
    lab_fail "Cannot make '$LAB_HOST_COUNT' hosts: --hosts is 1 to 50"
  [[ $LAB_MODERN_COUNT =~ ^[0-9]+$ && $LAB_MODERN_COUNT -le $LAB_HOST_COUNT ]] ||
    lab_fail "Cannot make '$LAB_MODERN_COUNT' of $LAB_HOST_COUNT hosts modern: --modern is 0 to $LAB_HOST_COUNT"
  [[ $LAB_COORDINATOR_COUNT =~ ^[1-9][0-9]*$ && $LAB_COORDINATOR_COUNT -le $LAB_HOST_COUNT ]] ||
    lab_fail "Cannot make '$LAB_COORDINATOR_COUNT' of $LAB_HOST_COUNT hosts coordinators: --coordinators is 1 to $LAB_HOST_COUNT"
  [[ $LAB_ENGINE =~ ^(plimsoll|swarm|none)$ ]] ||
    lab_fail "Cannot use the engine '$LAB_ENGINE': --engine is plimsoll, swarm or none"
}

refuse_different_lab() {
  lab_is_up && [ "$(cat "$LAB_DIR/topology")" != "$(topology_text)" ] || return 0
  lab_fail "A different lab is up at $LAB_DIR: it has $(paste -s -d ' ' "$LAB_DIR/topology")," \
    "wanted is $(topology_text | paste -s -d ' '). Run 'lab down' first, or set LAB_NAME and LAB_SUBNET for a second one"
}

ensure_lab_programs() {
  ensure_docker_engine
  ensure_packages 'the lab assembles images from busybox, and waits with curl' busybox-static curl
  [ "$LAB_MODERN_COUNT" -eq 0 ] || ensure_modern_tree
  [ "$LAB_ENGINE" != plimsoll ] || ensure_plimsoll_programs
}

start_host() {
  power_on_host "$1"
  start_engine "$1"
}

lab_exec() {
  require_powered_host "${1:-}"
  local host=$1 wrapper
  shift
  [ "${1:-}" != -- ] || shift
  [ $# -gt 0 ] || lab_fail "Usage: lab exec $host -- COMMAND..."
  mapfile -t wrapper < <(enter_host "$host")
  echo $$ >"$(host_daemon_cgroup_dir "$host")/cgroup.procs"
  DOCKER_HOST="unix://$(host_docker_socket "$host")" exec "${wrapper[@]}" "$@"
}

# Also cleans up after an `up` that failed half-way; does nothing when there is nothing.
lab_down() {
  local host
  ! lab_is_up || load_topology
  for host in $(every_host_there_is); do power_off_host "$host"; done
  remove_bridge
  remove_cgroups "$LAB_CGROUP"
  rm -rf --one-file-system "$LAB_DIR"
}

every_host_there_is() {
  {
    find "$LAB_DIR" -mindepth 1 -maxdepth 1 -name 'h[0-9]*' -printf '%f\n' 2>/dev/null
    ip netns list | sed -n "s/^$LAB_NAME-\(h[0-9]*\)\( .*\)\?$/\1/p"
    find "$(tracking_hierarchy)/$LAB_CGROUP" -mindepth 1 -maxdepth 1 -name 'h[0-9]*' -printf '%f\n' 2>/dev/null
  } | sort -u || true
}
