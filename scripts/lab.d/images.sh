# shellcheck shell=bash
# Images on the lab's engines: no registry can be reached, so they are built on the first host, saved, and loaded
# on the others. The examples' images are kept in the cache.

lab_image() {
  [ $# -ge 2 ] || lab_fail 'Usage: lab image DIR TAG [BUILD-OPTION...]'
  local directory=$1 tag=$2 archive
  shift 2
  [ -f "$directory/Dockerfile" ] || lab_fail "Cannot build '$tag': there is no Dockerfile in '$directory'"
  archive="$LAB_DIR/image.$$.tar"
  # shellcheck disable=SC2064 # the path as it is now
  trap "rm -f '$archive'" EXIT
  build_image_on_first_host "$directory" "$tag" "$@"
  host_docker h1 save "$tag" >"$archive"
  host_names | tail -n +2 | for_each_host load_archive "$archive"
}

build_image_on_first_host() {
  local directory=$1 tag=$2
  shift 2
  "$LAB_REPO/examples/build-image" "unix://$(host_docker_socket h1)" "$directory" "$tag" "$@" >&2
}

load_archive() { host_docker "$2" load --quiet --input "$1" >/dev/null; }

example_images() { printf '%s\n' plimsoll/hello:1 plimsoll/hello:2 plimsoll/sleep:1; }

# Changes whenever the images would: the sources, node and busybox.
example_images_hash() {
  {
    find "$LAB_REPO/examples" -type f -print0 | sort -z | xargs -0 sha256sum
    stat -L -c '%n %s %Y' "$(command -v node)" /bin/busybox
  } | sed "s#$LAB_REPO##" | sha256sum | cut -c 1-16
}

example_images_archive() { printf '%s/images/examples-%s.tar\n' "$(install_cache_dir)" "$(example_images_hash)"; }

# For all hosts at once, once their engines answer.
ensure_example_images() {
  local archive
  archive=$(example_images_archive)
  [ -e "$archive" ] || with_install_lock images save_example_images "$archive"
  host_names | for_each_host ensure_images_on_host "$archive"
}

save_example_images() {
  local archive=$1
  [ ! -e "$archive" ] || return 0
  mkdir -p "${archive%/*}"
  rm -f "${archive%/*}"/examples-*.tar
  "$LAB_REPO/examples/build-images" "unix://$(host_docker_socket h1)" >&2
  # shellcheck disable=SC2046 # one argument per image
  host_docker h1 save $(example_images) >"$archive.partial"
  mv "$archive.partial" "$archive"
}

# The hash is remembered beside the images, so that new sources replace what the host has.
ensure_images_on_host() {
  local archive=$1 host=$2 loaded
  loaded="$(host_dir "$host")/images-loaded"
  [ "$(cat "$loaded" 2>/dev/null)" != "$archive" ] || return 0
  load_archive "$archive" "$host"
  printf '%s\n' "$archive" >"$loaded"
}
