# shellcheck shell=bash
# Bad days on demand: cut cables, crashed hosts, killed and frozen processes.

lab_cut() {
  require_powered_host "$@"
  cable_down "$1"
}

lab_heal() {
  require_powered_host "$@"
  cable_up "$1"
}

require_powered_host() {
  require_host "${1:-}"
  host_is_powered "$1" || lab_fail "Host $1 is crashed: bring it back first with: lab revive $1"
}

# Power loss: engine, containers, agent and whatever else ran there die at once, unannounced.
lab_crash() {
  require_host "${1:-}"
  power_off_host "$1"
}

# Power is back: as after a boot, with what was on its disk.
lab_revive() {
  require_host "${1:-}"
  power_on_host "$1"
  start_engine "$1"
  [ "$LAB_ENGINE" != plimsoll ] || start_plimsoll_on_host "$1"
}

# apply_to_process VERB PART:HOST
lab_process() {
  local verb=$1 target=${2:-} part host
  part=${target%%:*} host=${target#*:}
  [[ $target == *:* && $part =~ ^(agent|engine|coordinator|nats)$ ]] ||
    lab_fail "Cannot $verb '$target': wanted is agent:HOST, engine:HOST, coordinator:HOST or nats:HOST"
  require_powered_host "$host"
  case $verb in
    kill) kill_process "$host" "$part" ;;
    freeze) signal_process "$host" "$part" STOP ;;
    thaw) signal_process "$host" "$part" CONT ;;
    start) "start_$part" "$host" ;;
  esac
}
