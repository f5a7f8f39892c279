# shellcheck shell=bash
# Another orchestrator on the same hosts and engines, as benchmarks compare them: all hosts boot again, with what is on
# their disks. Only the one that is measured runs.

lab_switch() {
  local wanted=''
  case ${1:-} in
    --engine) wanted=${2:-} ;;
    --engine=*) wanted=${1#*=} ;;
  esac
  [ -n "$wanted" ] || lab_fail 'Usage: lab switch --engine plimsoll|swarm|none'
  [ "$LAB_ENGINE" != swarm ] || host_names | for_each_host leave_swarm
  host_names | for_each_host power_off_host
  LAB_ENGINE=$wanted
  check_up_options
  ensure_lab_programs
  topology_text >"$LAB_DIR/topology"
  host_names | for_each_host start_host
  start_orchestrator
}

start_orchestrator() {
  case $LAB_ENGINE in
    plimsoll) start_plimsoll ;;
    swarm) start_swarm ;;
  esac
}

# An engine that finds itself in a swarm refuses to keep containers while it is away.
leave_swarm() { host_docker "$1" swarm leave --force >/dev/null; }
