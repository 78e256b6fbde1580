#!/bin/bash
# run.sh PART: one part of the work on a GPU machine, from the folder that `cargo xtask gpu-kit` makes.
#
#   run.sh probe   does the program see the GPU, how fast are steps and epochs beside PyTorch
#   run.sh train   the trainings that jobs.sh (or the file JOBS names) lists, three at a time
#
# What is brought back lies in $OUT, at most eight files of 16 MiB. WORK is where everything is unpacked
# (/dev/shm/hemora), LIMIT the seconds after which running steps are ended.
set -u
export kit=$(cd "$(dirname "$0")" && pwd)
export work=${WORK:-/dev/shm/hemora} PYTHONUNBUFFERED=1
export LIMIT=${LIMIT:-540}
: "${OUT:?names the folder for what is brought back}"
logs=$work/logs
mkdir -p "$OUT" "$logs"
. "$kit/env.sh" || exit 1
export data=$work/data train=$work/hemora-train

# step NAME SECONDS COMMAND…: runs a command with its own limit and log; the next step comes all the same.
step() {
    local name=$1 seconds=$2 start=$SECONDS left=$((LIMIT - SECONDS)) rc
    shift 2
    [ "$seconds" -lt "$left" ] || seconds=$left
    if [ "$seconds" -lt 3 ]; then
        echo "$name: no time left" | tee -a "$logs/steps.log"
        return 1
    fi
    timeout -k 5 "$seconds" "$@" >"$logs/$name.log" 2>&1
    rc=$?
    echo "== $name: status $rc, $((SECONDS - start)) s" | tee -a "$logs/steps.log"
    tail -n 4 "$logs/$name.log" | cut -c 1-400
    return $rc
}

# The folder, once: a second part finds it there.
unpack() {
    [ -e "$work/unpacked" ] && return
    step unpack 120 "$py" "$kit/unpack.py" "$kit" "$work" --images "${IMAGES:-0}" || return 1
    make_wrapper "$work/bin/hemora-train" "$train"
    touch "$work/unpacked"
}

bring_back() { flock "$work/lock" "$py" "$kit/collect.py" "$work" "$OUT" 2>&1 | tail -n 5; }

case ${1:-} in
probe | train) unpack && . "$kit/$1.sh" ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
bring_back
