# Sourced by run.sh: the first minutes on a GPU machine. SIZE, BATCH, STEPS, EPOCHS, NETWORKS and
# PRECISIONS make it smaller.
size=${SIZE:-256} batch=${BATCH:-128} steps=${STEPS:-20} epochs=${EPOCHS:-2}
cores=$(nproc)
step machine 20 sh -c 'uname -a; nproc; free -g; df -h /dev/shm; nvidia-smi'
step torch 60 "$py" -c 'import torch; print(torch.__version__, torch.cuda.is_available(), torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU")'
for network in ${NETWORKS:-efficientnet-lite0 resnet50}; do
    for precision in ${PRECISIONS:-f32 bf16}; do
        step "time-$network-$precision" 60 "$train" time --network "$network" --size "$size" \
            --working-size "$size" --batch "$batch" --precision "$precision"
        step "peer-$network-$precision" 60 "$py" "$kit/peer.py" step "$network" "$size" "$batch" \
            "$steps" "$precision"
    done
done
# Our program is linked without NCCL, and one process needs no group: this says what the machine has.
step nccl 40 "$py" "$kit/peer.py" nccl
dmon=
if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=timestamp,utilization.gpu,memory.used,power.draw --format=csv -lms 500 \
        >"$logs/gpu.csv" 2>&1 &
    dmon=$!
fi
network=${EPOCH_NETWORK:-efficientnet-lite0}
weights=$work/weights/${WEIGHTS:-efficientnet_lite0_imagenet.safetensors}
[ -e "$weights" ] && start=(--weights "$weights") || start=()
step epochs 120 "$train" run --images "$data/images" --labels "$data/complete.csv" \
    --groups "$data/patients.csv:ID:group" --network "$network" "${start[@]}" --size "$size" \
    --working-size "$((size + 32))" --batch "$batch" --epochs "$epochs" \
    --precision "${EPOCH_PRECISION:-bf16}" --progress plain --out "$work/runs/probe"
step peer-epochs 120 "$py" "$kit/peer.py" epoch "$data" "$network" "$size" "$batch" "$epochs" "$cores"
[ -z "$dmon" ] || kill "$dmon"
