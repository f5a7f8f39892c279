# shellcheck shell=bash
# Node.js, the npm packages of this repository, and its build.

NODE_WANTED=20.19

ensure_node() {
  local version offered
  version=$(node --version 2>/dev/null | tr -d v || true)
  [ -n "$version" ] && version_at_least "$version" "$NODE_WANTED" && command -v npm >/dev/null && return
  ensure_apt_lists || return
  offered=$(apt_candidate_version nodejs)
  if [ -n "$offered" ] && version_at_least "$offered" "$NODE_WANTED"; then
    ensure_packages "Node.js $NODE_WANTED or newer runs Plimsoll (found: ${version:-none})" nodejs npm
    return
  fi
  install_fail "Cannot run Plimsoll: Node.js is ${version:-not installed}, npm is $(command -v npm || echo not installed)," \
    "wanted is Node.js $NODE_WANTED or newer with npm, and apt offers ${offered:-none}. Install it from nodejs.org"
}

# Says what of the lock file is missing in node_modules, nothing if all is there. Packages for other
# platforms are optional and may be absent.
npm_packages_missing() {
  # shellcheck disable=SC2016 # JavaScript, not shell
  (cd "$1" && node -e '
    const { existsSync, readFileSync } = require("node:fs");
    const packages = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {});
    const installed = packages("node_modules/.package-lock.json");
    const missing = Object.entries(packages("package-lock.json")).filter(
      ([path, wanted]) => path !== "" && !wanted.optional && installed[path]?.version !== wanted.version,
    );
    if (missing.length > 0) console.log(`${missing.length} packages, first ${missing[0][0]}`);
  ')
}

# ensure_npm_packages ROOT
ensure_npm_packages() {
  local root=$1 missing
  missing=$(npm_packages_missing "$root") || return
  [ -n "$missing" ] || return 0
  install_note "npm install in $root: not as in package-lock.json ($missing)"
  # Not `npm ci`: that refuses the lock file where the registry lacks the optional packages of other platforms.
  (cd "$root" && npm install --no-save --no-audit --no-fund --loglevel=error >&2) ||
    install_fail "Cannot install the npm packages of $root: npm install failed (see above)"
}

first_source_newer_than() {
  find "$1" \( -name node_modules -o -name dist -o -name .git \) -prune -o \
    -type f \( -name '*.ts' -o -name '*.json' \) -newer "$2" -print -quit
}

build_locked() {
  local root=$1 stamp=$1/dist/.built started newer
  newer='no build yet'
  [ ! -e "$stamp" ] || newer=$(first_source_newer_than "$root" "$stamp")
  [ -n "$newer" ] || return 0
  install_note "npm run build in $root ($newer)"
  started=$(mktemp)
  (cd "$root" && npm run --silent build >&2) || {
    rm -f "$started"
    install_fail "Cannot build $root: npm run build failed (see above)"
    return 1
  }
  mkdir -p "$root/dist" && touch -r "$started" "$stamp"
  rm -f "$started"
}

# ensure_build ROOT: dist/ is as new as the sources.
ensure_build() { with_install_lock build build_locked "$1"; }
