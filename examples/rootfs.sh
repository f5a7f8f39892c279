# shellcheck shell=bash
# Root file systems for `FROM scratch` images out of what this machine has, because no image registry is needed then.

# add_busybox ROOTFS: a shell and the usual small tools, statically linked.
add_busybox() {
  local applet
  [ -x /bin/busybox ] || {
    echo "Cannot assemble $1: there is no /bin/busybox. Install the package busybox-static" >&2
    return 1
  }
  mkdir -p "$1"/{bin,etc,tmp}
  chmod 1777 "$1/tmp"
  install -m 755 /bin/busybox "$1/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$1/bin/$applet"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$1/etc/passwd"
}

# add_program FILE TARGET ROOTFS: the program and every library it is linked to.
add_program() {
  local library
  install -D -m 755 "$1" "$3$2"
  for library in $(ldd "$1" | grep -oE '/[^ ]+'); do
    install -D -m 755 "$(readlink -f "$library")" "$3$library"
  done
}
