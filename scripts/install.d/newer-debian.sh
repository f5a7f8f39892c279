# shellcheck shell=bash
# Programs out of a newer Debian suite than the machine's own: an apt state of our own beside the machine's,
# whose sources name the mirror that the machine already uses. The machine's apt and dpkg are not changed.

# The Debian mirror among the machine's apt sources.
debian_mirror() {
  local mirror
  # shellcheck disable=SC2016 # apt-get itself replaces these names
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(COMPONENT)' 'Identifier: Packages' 2>/dev/null |
    awk '$1 == "Debian" && $2 !~ /security/ && $3 == "main" { print $2; exit }')
  [ -n "$mirror" ] || {
    install_fail "Cannot find a Debian mirror: none of this machine's apt sources has origin Debian"
    return 1
  }
  printf '%s\n' "$mirror"
}

newer_debian_apt_dir() { printf '%s/apt-%s\n' "$(install_cache_dir)" "$PLIMSOLL_NEWER_SUITE"; }

newer_debian_apt_options() {
  local dir
  dir=$(newer_debian_apt_dir)
  printf '%s\n' -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache" \
    -o APT::Sandbox::User=root
}

ensure_newer_debian_lists() {
  local dir mirror options
  dir=$(newer_debian_apt_dir)
  compgen -G "$dir/lists/*_Packages*" >/dev/null && return
  ensure_apt_lists || return
  mirror=$(debian_mirror) || return
  install_note "package lists of Debian $PLIMSOLL_NEWER_SUITE into $dir (the machine's own apt stays as it is)"
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  printf 'deb [signed-by=%s] %s %s main\n' /usr/share/keyrings/debian-archive-keyring.gpg "$mirror" \
    "$PLIMSOLL_NEWER_SUITE" >"$dir/sources.list"
  mapfile -t options < <(newer_debian_apt_options)
  apt_quietly "${options[@]}" update ||
    install_fail "Cannot read the package lists of Debian $PLIMSOLL_NEWER_SUITE from this machine's mirror"
}

# unpack_package PACKAGE DESTINATION [APT_OPTION...]: the package's files below DESTINATION, nothing installed.
unpack_package() {
  local package=$1 destination=$2 download status=0
  shift 2
  download=$(mktemp -d)
  (cd "$download" && apt_quietly "$@" download "$package") || status=$?
  rm -rf "$destination" "$destination.partial"
  mkdir -p "$(dirname "$destination")"
  if [ "$status" -eq 0 ]; then
    { dpkg -x "$download"/*.deb "$destination.partial" && mv "$destination.partial" "$destination"; } || status=$?
  fi
  rm -rf "$download"
  [ "$status" -eq 0 ] || install_fail "Cannot unpack the package $package (see above)"
}

program_from_package_locked() {
  local package=$1 wanted=$2 destination=$3 own options=()
  ensure_apt_lists || return
  own=$(apt_candidate_version "$package")
  if [ -z "$own" ] || ! version_at_least "$own" "$wanted"; then
    ensure_newer_debian_lists || {
      install_fail "Cannot get $package: version ${own:-none} is what apt offers here, $wanted or newer is wanted"
      return 1
    }
    mapfile -t options < <(newer_debian_apt_options)
  fi
  install_note "$package $(apt_candidate_version "$package" "${options[@]}") into $destination: unpacked only, nothing is installed"
  unpack_package "$package" "$destination" "${options[@]}"
}

# program_from_package PACKAGE PROGRAM WANTED_VERSION: answers the path of PROGRAM out of PACKAGE, from the
# machine's own suite if that is new enough, else from the newer one; kept in the cache.
program_from_package() {
  local package=$1 program=$2 wanted=$3 destination path
  destination="$(install_cache_dir)/programs/$package"
  path=$(unpacked_program "$destination" "$program")
  if [ -z "$path" ]; then
    require_root "unpack $package" || return
    with_install_lock apt program_from_package_locked "$package" "$wanted" "$destination" || return
    path=$(unpacked_program "$destination" "$program")
  fi
  [ -n "$path" ] || {
    install_fail "Cannot find $program in the package $package unpacked at $destination. Remove that directory and try again"
    return 1
  }
  printf '%s\n' "$path"
}

unpacked_program() {
  local directory
  for directory in usr/bin usr/sbin bin sbin; do
    [ -x "$1/$directory/$2" ] && printf '%s\n' "$1/$directory/$2" && return
  done
  return 0
}
