# shellcheck shell=bash
# Bad days on demand: cut cables, crashed hosts, killed and frozen processes.

lab_cut() {
  require_powered_host "${1:-}"
  read_duration "${@:2}"
  cable_down "$1"
  [ -z "$LAB_FOR_SECONDS" ] || { sleep "$LAB_FOR_SECONDS" && cable_up "$1"; }
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

# read_duration [--for SECONDS]: how long a fault lasts, set in LAB_FOR_SECONDS; empty means until it is undone. Counted
# in here, so that "one second" is one second however slowly programs start.
read_duration() {
  LAB_FOR_SECONDS=''
  [ $# -gt 0 ] || return 0
  [[ $# -eq 2 && $1 == --for && $2 =~ ^[0-9]+(\.[0-9]+)?$ ]] ||
    lab_fail "Cannot read '$*': wanted is nothing more, or --for SECONDS"
  LAB_FOR_SECONDS=$2
}

# lab_process VERB TARGET [--for SECONDS]: TARGET is PART:HOST, or HOST for all that runs on it.
lab_process() {
  local verb=$1 target=${2:-} part host
  part=${target%%:*} host=${target#*:}
  [[ $target =~ ^h[0-9]+$|^(agent|dns|engine|coordinator|nats):h[0-9]+$ ]] ||
    lab_fail "Cannot $verb '$target': wanted is agent:HOST, dns:HOST, engine:HOST, coordinator:HOST or nats:HOST, or a HOST to freeze, thaw, restart"
  require_powered_host "$host"
  [ "$verb" = freeze ] || [ $# -le 2 ] || lab_fail "Cannot read '${*:3}': 'lab $verb $target' takes nothing more"
  if [ "$part" = "$host" ]; then host_verb "$verb" "$host" "${@:3}"; else part_verb "$verb" "$part" "$host" "${@:3}"; fi
}

part_verb() {
  local verb=$1 part=$2 host=$3
  case $verb in
    kill) kill_process "$host" "$part" ;;
    freeze)
      read_duration "${@:4}"
      signal_process "$host" "$part" STOP
      [ -z "$LAB_FOR_SECONDS" ] || { sleep "$LAB_FOR_SECONDS" && signal_process "$host" "$part" CONT; }
      ;;
    thaw) signal_process "$host" "$part" CONT ;;
    start) "start_$part" "$host" ;;
    restart)
      end_process "$host" "$part"
      "start_$part" "$host"
      ;;
  esac
}

host_verb() {
  local verb=$1 host=$2
  case $verb in
    freeze)
      read_duration "${@:3}"
      freeze_host "$host"
      [ -z "$LAB_FOR_SECONDS" ] || { sleep "$LAB_FOR_SECONDS" && thaw_host "$host"; }
      ;;
    thaw) thaw_host "$host" ;;
    restart) reboot_host "$host" ;;
    *) lab_fail "Cannot $verb '$host': a whole host can be frozen, thawed, restarted, crashed and revived" ;;
  esac
}

freeze_host() { signal_host "$1" STOP; }
thaw_host() { signal_host "$1" CONT; }

# As "reboot" does it: daemons are told to end, the rest goes with the power; then what a boot starts.
reboot_host() {
  local host=$1 part
  for part in agent dns coordinator nats engine; do
    ! process_id "$host" "$part" >/dev/null || end_process "$host" "$part"
  done
  lab_crash "$host"
  lab_revive "$host"
}
