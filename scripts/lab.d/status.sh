# shellcheck shell=bash
# What the lab is and how it does: a table, JSON, or shell exports.

LAB_PARTS=(engine agent coordinator nats)

lab_env() {
  local host
  printf 'export LAB_NAME=%q LAB_SUBNET=%q LAB_DIR=%q LAB_ENGINE=%q\n' "$LAB_NAME" "$LAB_SUBNET" "$LAB_DIR" "$LAB_ENGINE"
  printf 'export LAB_HOSTS=%q\n' "$(host_names | paste -s -d ' ')"
  for host in $(host_names); do
    printf 'export LAB_ADDR_%s=%s LAB_DOCKER_%s=unix://%s\n' "$host" "$(host_address "$host")" "$host" \
      "$(host_docker_socket "$host")"
  done
  case $LAB_ENGINE in
    plimsoll) printf 'export DOCKER_HOST=unix://%s PLIM_URL=%s\n' "$(cluster_docker_socket)" "$(cluster_url)" ;;
    swarm) printf 'export DOCKER_HOST=unix://%s\nunset PLIM_URL\n' "$(host_docker_socket h1)" ;;
    none) printf 'unset DOCKER_HOST PLIM_URL\n' ;;
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
