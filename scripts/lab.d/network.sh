# shellcheck shell=bash
# The lab's wire: one bridge, and per host a network namespace with a cable (veth) to it.

ensure_bridge() {
  ip link show "$LAB_BRIDGE" >/dev/null 2>&1 || {
    ! ip -4 route show | grep -q "^$LAB_SUBNET\.0/24 " ||
      lab_fail "Cannot use the subnet $LAB_SUBNET.0/24: this machine has a route to it already. Set LAB_SUBNET to another"
    ip link add "$LAB_BRIDGE" type bridge
    ip address add "$(machine_address)/24" dev "$LAB_BRIDGE"
  }
  ip link set "$LAB_BRIDGE" up
  accept_bridged_packets
}

# br_netfilter shows bridged packets to the machine's FORWARD chain, which Docker's rules may close.
accept_bridged_packets() {
  iptables -w -C FORWARD -i "$LAB_BRIDGE" -o "$LAB_BRIDGE" -j ACCEPT 2>/dev/null ||
    iptables -w -I FORWARD -i "$LAB_BRIDGE" -o "$LAB_BRIDGE" -j ACCEPT
}

remove_bridge() {
  while iptables -w -D FORWARD -i "$LAB_BRIDGE" -o "$LAB_BRIDGE" -j ACCEPT 2>/dev/null; do :; done
  ! ip link show "$LAB_BRIDGE" >/dev/null 2>&1 || ip link delete "$LAB_BRIDGE"
}

create_network_namespace() {
  local host=$1 netns cable
  netns=$(host_netns "$host") cable=$(host_cable "$host")
  ip netns add "$netns"
  ip link add "$cable" type veth peer name eth0 address "$(host_mac_address "$host")" netns "$netns"
  ip link set "$cable" master "$LAB_BRIDGE" up
  ip -n "$netns" link set lo up
  ip -n "$netns" address add "$(host_address "$host")/24" dev eth0
  # No default route: there is nothing outside, and so a pull from a registry fails at once, not after a time-out.
  ip -n "$netns" link set eth0 up
}

# A card keeps its address over a crash; a new one would leave the other hosts with the old in their ARP caches.
host_mac_address() {
  local a b c
  IFS=. read -r a b c <<<"$LAB_SUBNET"
  printf '02:%02x:%02x:%02x:00:%02x\n' "$a" "$b" "$c" "${1#h}"
}

network_namespace_exists() { [ -e "/run/netns/$(host_netns "$1")" ]; }

# The cable is deleted by name: a namespace lives on as long as any socket in it, and its devices with it.
remove_network_namespace() {
  local netns
  netns=$(host_netns "$1")
  ip link delete "$(host_cable "$1")" 2>/dev/null || true
  ! network_namespace_exists "$1" || ip netns delete "$netns"
}

cable_down() { ip link set "$(host_cable "$1")" down; }
cable_up() { ip link set "$(host_cable "$1")" up; }

# up, cut, or none where the host has no network at all
cable_state() {
  local flags
  flags=$(ip -o link show "$(host_cable "$1")" 2>/dev/null) || { echo none; return; }
  if [[ $flags =~ [\<,]UP[,\>] ]]; then echo up; else echo cut; fi
}
