# Sourced by run.sh: trainings in three lanes, one after the other within a lane.
#
# job NAME LANE ARGS…: a line of jobs.sh. `hemora-train run ARGS…` on the gathered slices, into
# runs/NAME; a run that was cut goes on when the part is started again on the same machine.
lanes=3
cores=$(nproc)
threads=${THREADS:-$(((cores + lanes - 1) / lanes))}
labels=(--labels "$data/complete.csv")
# Programs that know labels which are not known take all slices, and the annotations.
if "$train" run --help | grep -q -- --partial-labels; then
    labels=(--labels "$data/labels.csv" --partial-labels --annotations "$data/annotations"
        --label-weights "$data/sets.csv")
fi
mkdir -p "$work/lanes" "$work/runs"
rm -f "$work"/lanes/*
job() {
    local name=$1 lane=$2
    shift 2
    printf '%q ' job_now "$name" "$@" >>"$work/lanes/$lane"
    echo >>"$work/lanes/$lane"
}
job_now() {
    local name=$1
    shift
    # 20 seconds stay for bringing the results back.
    step "$name" "$((LIMIT - SECONDS - 20))" "$train" run --images "$data/images" "${labels[@]}" \
        --groups "$data/patients.csv:ID:group" --threads "$threads" --progress plain \
        --out "$work/runs/$name" "$@"
}
. "${JOBS:-$kit/jobs.sh}"
running=()
for lane in "$work"/lanes/*; do
    [ -e "$lane" ] || continue
    (. "$lane") &
    running+=($!)
done
if [ ${#running[@]} -eq 0 ]; then
    echo "no jobs in ${JOBS:-$kit/jobs.sh}" >&2
fi
# What there is comes back every minute: a machine may be taken away at any time.
(while sleep "${COLLECT:-60}"; do bring_back; done) &
collector=$!
[ ${#running[@]} -eq 0 ] || wait "${running[@]}"
kill "$collector"
wait "$collector" 2>/dev/null
