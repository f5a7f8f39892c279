# shellcheck shell=bash
# A Docker Swarm of the lab's hosts, to compare with: the first hosts are its managers.

swarm_state() { host_docker "$1" info --format '{{.Swarm.LocalNodeState}}'; }

start_swarm() {
  local host role
  [ "$(swarm_state h1)" = active ] ||
    host_docker h1 swarm init --advertise-addr "$(host_address h1)" --listen-addr "$(host_address h1)" >/dev/null
  for host in $(host_names | tail -n +2); do
    role=worker
    ! is_coordinator_host "$host" || role=manager
    join_swarm "$host" "$role"
  done
}

join_swarm() {
  local host=$1 role=$2
  [ "$(swarm_state "$host")" != active ] || return 0
  host_docker "$host" swarm join --advertise-addr "$(host_address "$host")" --listen-addr "$(host_address "$host")" \
    --token "$(host_docker h1 swarm join-token --quiet "$role")" "$(host_address h1):2377" >/dev/null
}
