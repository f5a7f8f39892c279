# shellcheck shell=bash
# Plimsoll on the lab's hosts: coordinators on the first ones, an agent on every one. What the lab knows of
# the command line of `plim` is in this file only.

cluster_url() { printf 'http://%s:7700\n' "$(host_address h1)"; }
cluster_docker_socket() { printf '%s/run/docker.sock\n' "$(host_dir "${1:-h1}")"; }
host_state_dir() { printf '%s/state\n' "$(host_dir "$1")"; }
host_cluster_copy() { printf '%s/cluster.json\n' "$(host_dir "$1")"; }
host_nats_pid_file() { printf '%s/nats/nats.pid\n' "$(host_state_dir "$1")"; }

# A command in the host's network, for those that end by themselves.
on_host() {
  local host=$1 wrapper
  shift
  mapfile -t wrapper < <(enter_host "$host")
  "${wrapper[@]}" "$@"
}

plim_on_host() { on_host "$1" env -u PLIMSOLL_NATS_SERVER node "${LAB_PLIM:-$LAB_REPO/dist/cli/plim.js}" "${@:2}"; }

ensure_plimsoll_programs() {
  ensure_node
  if [ -z "${LAB_PLIM:-}" ]; then
    ensure_npm_packages "$LAB_REPO"
    ensure_build "$LAB_REPO"
  fi
  LAB_NATS_SERVER=$(ensure_nats_server)
}

# start_plim HOST DAEMON NODE-OPTION... -- OPTION...: with the options and the allocator that units give it (cli/host/units.ts).
start_plim() {
  local host=$1 daemon=$2 node_options=()
  shift 2
  while [ "$1" != -- ]; do node_options+=("$1"); shift; done
  shift
  start_process "$host" "$daemon" enter_host_with_own_sockets \
    env -u PLIMSOLL_NATS_SERVER MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 \
    node "${node_options[@]}" "${LAB_PLIM:-$LAB_REPO/dist/cli/plim.js}" "$daemon" "$@"
}

start_coordinator() {
  local host=$1 options role
  options=$(coordinator_role "$host")
  mapfile -t role <<<"$options"
  start_plim "$host" coordinator --max-semi-space-size=4 -- \
    --state-dir "$(host_state_dir "$host")" --socket "$(cluster_docker_socket "$host")" \
    --advertise "$(host_address "$host")" "${role[@]}"
  wait_for_service "$host" coordinator coordinator_is_ready "$host"
}

# Options, one a line: h1 founds the cluster and keeps its NATS server, the others get a copy of its keys.
coordinator_role() {
  if [ "$1" = h1 ]; then
    printf '%s\n' --nats-server "${LAB_NATS_SERVER:-$(ensure_nats_server)}"
  else
    [ -e "$(host_cluster_copy "$1")" ] ||
      install -m 600 "$(host_state_dir h1)/cluster/cluster.json" "$(host_cluster_copy "$1")"
    printf '%s\n' --cluster-file "$(host_cluster_copy "$1")"
  fi
}

coordinator_is_ready() { curl -fsS -m 2 "http://$(host_address "$1"):7700/readyz"; }

join_token() { plim_on_host h1 token --socket "$(cluster_docker_socket)" --quiet; }

# Makes the host a node, once: its identity stays in its state directory.
join_host() {
  local host=$1 state
  state=$(host_state_dir "$host")
  [ ! -e "$state/.lab-joined" ] || return 0
  if is_coordinator_host "$host"; then
    plim_on_host "$host" join --state-dir "$state" --local --no-start
  else
    plim_on_host "$host" join --state-dir "$state" --docker "unix://$(host_docker_socket "$host")" --no-start \
      "$(join_token)" "$(host_address h1)"
  fi >>"$(process_log "$host" agent)" 2>&1 || lab_fail "Cannot join $host to the cluster: see $(process_log "$host" agent)"
  touch "$state/.lab-joined"
}

start_agent() {
  start_plim "$1" agent --max-semi-space-size=2 --no-short-builtin-calls -- \
    --state-dir "$(host_state_dir "$1")" --docker "unix://$(host_docker_socket "$1")" \
    --files-dir "$(host_dir "$1")/run/files"
}

# Names for the host's containers, in the host's own network.
start_dns() {
  start_plim "$1" dns --max-semi-space-size=2 -- --state-dir "$(host_state_dir "$1")"
}

join_and_start_agent() {
  join_host "$1"
  start_dns "$1"
  start_agent "$1"
}

# NATS is the coordinator's to start: it adopts or restarts it.
start_nats() { wait_until 20 "the coordinator on $1 to start NATS again" process_id "$1" nats; }

start_plimsoll() {
  local host
  for host in $(coordinator_names); do start_coordinator "$host"; done
  host_names | for_each_host join_and_start_agent
  wait_until 60 "$LAB_HOST_COUNT nodes to be ready (see $LAB_DIR/h*/log/agent.log)" all_nodes_ready
}

all_nodes_ready() {
  [ "$(timeout 5 docker --host "unix://$(cluster_docker_socket)" node ls --format '{{.Status}}' | grep -c '^Ready$')" -eq \
    "$LAB_HOST_COUNT" ]
}

# After the host's power came back: what ran on it before runs again.
start_plimsoll_on_host() {
  ! is_coordinator_host "$1" || start_coordinator "$1"
  join_and_start_agent "$1"
}
