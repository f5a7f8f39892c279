# shellcheck shell=bash
# One run of the tests at a time on a machine: two would share the labs' names, and each would break what the other has made.

# take_turn LOCK SECONDS: waits until no other process holds the file, at most so long; this process holds it until it ends.
# Commands started meanwhile get the file on descriptor 9: close it (9>&-) for what outlives the run.
take_turn() {
  local lock=$1 seconds=$2 holder
  mkdir -p "$(dirname "$lock")"
  exec 9>>"$lock"
  if ! flock --nonblock 9; then
    holder=$(<"$lock")
    printf 'Process %s runs the tests on this machine: waiting for it to end, %s s at most\n' "$holder" "$seconds"
    flock --timeout "$seconds" 9 || {
      printf 'test: error: Cannot run the tests: process %s still runs them after %s s. Is it stuck? End it, or wait\n' \
        "$holder" "$seconds" >&2
      return 1
    }
  fi
  printf '%s\n' "$$" >"$lock"
}
