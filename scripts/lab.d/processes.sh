# shellcheck shell=bash
# Long-running processes of a host: started in its namespaces and its control group, in a session of their own,
# so that they outlive the shell; each with a pid file and a log file under the host's directory.

process_log() { printf '%s/log/%s.log\n' "$(host_dir "$1")" "$2"; }

# nats has its pid file from Plimsoll, which starts it as a process of its own.
process_pid_file() {
  if [ "$2" = nats ]; then host_nats_pid_file "$1"; else printf '%s/pids/%s.pid\n' "$(host_dir "$1")" "$2"; fi
}

# The id of the host's process, only if it lives: an id that now belongs to something else is not it.
process_id() {
  local pid=''
  read -r pid 2>/dev/null <"$(process_pid_file "$1" "$2")" || [ -n "$pid" ] || return 1
  grep -q ":$(host_cgroup "$1")/" "/proc/$pid/cgroup" 2>/dev/null && ! is_zombie "$pid" && printf '%s\n' "$pid"
}

process_letter() { sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null; }
is_zombie() { [ "$(process_letter "$1")" = Z ]; }

# running, frozen, dead, or none if it was never started here
process_state() {
  local pid
  [ -e "$(process_pid_file "$1" "$2")" ] || { echo none; return; }
  pid=$(process_id "$1" "$2") || { echo dead; return; }
  if [ "$(process_letter "$pid")" = T ]; then echo frozen; else echo running; fi
}

# start_process HOST NAME ENTER COMMAND...: ENTER is one of the enter_host... of hosts.sh.
start_process() {
  local host=$1 name=$2 enter=$3
  shift 3
  ! process_id "$host" "$name" >/dev/null || return 0
  rm -f "$(process_pid_file "$host" "$name")"
  start_detached "$host" "$(process_pid_file "$host" "$name")" "$enter" "$@" >>"$(process_log "$host" "$name")" 2>&1 </dev/null
}

start_detached() {
  local host=$1 pid_file=$2 enter=$3 wrapper
  shift 3
  mkdir -p "$(host_daemon_cgroup_dir "$host")" "${pid_file%/*}"
  mapfile -t wrapper < <("$enter" "$host")
  # shellcheck disable=SC2016 # expanded by the inner shell
  setsid bash -c '
    echo $$ >"$1/cgroup.procs" && echo $$ >"$2" || exit 1
    shift 2
    for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || exec {fd}>&-; done
    exec "$@"' start_detached "$(host_daemon_cgroup_dir "$host")" "$pid_file" "${wrapper[@]}" "$@" &
  disown
}

# signal_process HOST NAME SIGNAL
signal_process() {
  local pid
  pid=$(process_id "$1" "$2") || lab_fail "Cannot send SIG$3 to $2 on $1: it is $(process_state "$1" "$2"), wanted is running"
  kill "-$3" "$pid"
}

# Kills the one process, its children live on, and waits until it is gone.
kill_process() {
  local pid
  pid=$(process_id "$1" "$2") || lab_fail "Cannot kill $2 on $1: it is $(process_state "$1" "$2"), wanted is running"
  kill -KILL "$pid"
  wait_until 10 "$2 on $1 to be gone" process_is_gone "$pid"
}

# Tells the one process to end and waits until it is gone.
end_process() {
  local pid
  pid=$(process_id "$1" "$2") || lab_fail "Cannot end $2 on $1: it is $(process_state "$1" "$2"), wanted is running"
  kill -TERM "$pid"
  wait_until 30 "$2 on $1 to end" process_is_gone "$pid"
}

# That very process: a supervisor may have started the next one already.
process_is_gone() { [ ! -e "/proc/$1" ] || is_zombie "$1"; }

# wait_until SECONDS WHAT COMMAND...: polls COMMAND until it succeeds.
wait_until() {
  local seconds=$1 what=$2 deadline
  shift 2
  deadline=$((SECONDS + seconds + 1))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || lab_fail "Gave up waiting for $what after $seconds s"
    sleep 0.05
  done
}

# wait_for_service HOST NAME COMMAND...: polls COMMAND until it succeeds, but not once the process has ended.
wait_for_service() {
  local host=$1 name=$2
  shift 2
  wait_until 60 "$name on $host to answer (see $(process_log "$host" "$name"))" answered_or_ended "$host" "$name" "$@"
  "$@" >/dev/null 2>&1 || {
    tail -n 10 "$(process_log "$host" "$name")" >&2
    lab_fail "Cannot start $name on $host: it ended at once. See $(process_log "$host" "$name")"
  }
}

answered_or_ended() { [ "$(process_state "$1" "$2")" = dead ] || "${@:3}"; }
