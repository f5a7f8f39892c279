# shellcheck shell=bash
# What the lab is and how it does: a table, JSON, or shell exports.

LAB_PARTS=(engine agent coordinator nats)

# One export a line, so that programs can read it too.
lab_env() {
  local host
  export_line LAB_NAME "$LAB_NAME"
  export_line LAB_SUBNET "$LAB_SUBNET"
  export_line LAB_DIR "$LAB_DIR"
  export_line LAB_ENGINE "$LAB_ENGINE"
  export_line LAB_HOSTS "$(host_names | paste -s -d ' ')"
  for host in $(host_names); do
    export_line "LAB_ADDR_$host" "$(host_address "$host")"
    export_line "LAB_DOCKER_$host" "unix://$(host_docker_socket "$host")"
  done
  cluster_exports
}

export_line() { printf "export %s='%s'\n" "$1" "$2"; }

cluster_exports() {
  local host
  case $LAB_ENGINE in
    plimsoll)
      export_line DOCKER_HOST "unix://$(cluster_docker_socket)"
      export_line PLIMSOLL_SOCKET "$(cluster_docker_socket)"
      export_line PLIM_URL "$(cluster_url)"
      for host in $(coordinator_names); do
        export_line "LAB_CLUSTER_$host" "unix://$(cluster_docker_socket "$host")"
      done
      ;;
    swarm)
      export_line DOCKER_HOST "unix://$(host_docker_socket h1)"
      echo 'unset PLIM_URL PLIMSOLL_SOCKET'
      ;;
    none) echo 'unset DOCKER_HOST PLIM_URL PLIMSOLL_SOCKET' ;;
  esac
}

engine_version() { timeout 3 docker --host "unix://$(host_docker_socket "$1")" version --format '{{.Server.Version}}' 2>/dev/null || true; }

running_container_count() { timeout 3 docker --host "unix://$(host_docker_socket "$1")" ps --quiet 2>/dev/null | wc -l; }

# One line: name, address, power, cable, state of each part, engine version, running containers
host_status() {
  local host=$1 power=on part version='' containers=0
  host_is_powered "$host" || power=crashed
  printf '%s %s %s %s' "$host" "$(host_address "$host")" "$power" "$(cable_state "$host")"
  for part in "${LAB_PARTS[@]}"; do printf ' %s' "$(process_state "$host" "$part")"; done
  if [ "$(process_state "$host" engine)" = running ]; then
    version=$(engine_version "$host") containers=$(running_container_count "$host")
  fi
  printf ' %s %s\n' "${version:--}" "$containers"
}

lab_status() {
  case "${1:-}${2:+ $2}" in
    '' | '--format table') print_status_table ;;
    '--format json' | '--format=json') print_status_json ;;
    *) lab_fail "Cannot print the status with '$*': wanted is --format table or --format json" ;;
  esac
}

all_host_status() {
  local host
  for host in $(host_names); do host_status "$host"; done
}

print_status_table() {
  {
    echo 'HOST ADDRESS POWER CABLE ENGINE AGENT COORDINATOR NATS DOCKER CONTAINERS'
    all_host_status | sed 's/ none/ -/g'
  } | column -t
}

print_status_json() {
  printf '{"name":"%s","engine":"%s","dir":"%s","hosts":[' "$LAB_NAME" "$LAB_ENGINE" "$LAB_DIR"
  all_host_status | awk '{
    printf "%s{\"name\":\"%s\",\"address\":\"%s\",\"power\":\"%s\",\"cable\":\"%s\",", (NR > 1 ? "," : ""), $1, $2, $3, $4
    printf "\"processes\":{\"engine\":\"%s\",\"agent\":\"%s\",\"coordinator\":\"%s\",\"nats\":\"%s\"},", $5, $6, $7, $8
    printf "\"dockerVersion\":\"%s\",\"runningContainers\":%d}", $9, $10
  }'
  printf ']}\n'
}
