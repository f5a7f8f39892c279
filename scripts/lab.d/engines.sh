# shellcheck shell=bash
# A host's Docker Engine: containerd as a process of its own (a dockerd that owns it fails its first restart
# after kill -9), and dockerd.

containerd_socket() { printf '%s/run/containerd/containerd.sock\n' "$(host_dir "$1")"; }

host_docker() { docker --host "unix://$(host_docker_socket "$1")" "${@:2}"; }

start_containerd() {
  local host=$1 dir
  dir=$(host_dir "$host")
  mkdir -p "$dir/run/containerd"
  printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]\n' \
    >"$dir/containerd.toml"
  start_process "$host" containerd enter_host_root containerd --config "$dir/containerd.toml" \
    --address "$(containerd_socket "$host")" --root "$dir/containerd" --state "$dir/run/containerd/state"
  wait_for_service "$host" containerd test -S "$(containerd_socket "$host")"
}

engine_settings() {
  local listed=${LAB_GENERIC_RESOURCES:+\"${LAB_GENERIC_RESOURCES//,/\",\"}\"}
  printf '{"node-generic-resources": [%s]}\n' "$listed"
}

start_dockerd() {
  local host=$1 dir keep_containers=--live-restore
  dir=$(host_dir "$host")
  # Swarm mode refuses to keep containers while dockerd is away.
  [ "$LAB_ENGINE" != swarm ] || keep_containers=''
  engine_settings >"$dir/daemon.json"
  # A killed dockerd leaves its pid file, and it takes an unreaped process of that id for a running one.
  process_id "$host" engine >/dev/null || rm -f "$dir/run/docker.pid" "$(host_docker_socket "$host")"
  start_process "$host" engine enter_host_root dockerd --config-file "$dir/daemon.json" \
    --host "unix://$(host_docker_socket "$host")" --containerd "$(containerd_socket "$host")" \
    --data-root "$dir/data" --exec-root "$dir/run/exec" --pidfile "$dir/run/docker.pid" \
    --cgroup-parent "$(host_cgroup "$host")" --exec-opt native.cgroupdriver=cgroupfs ${keep_containers:+"$keep_containers"}
}

engine_answers() { timeout 5 docker --host "unix://$(host_docker_socket "$1")" version; }

start_engine() {
  start_containerd "$1"
  start_dockerd "$1"
  wait_for_service "$1" engine engine_answers "$1"
}
