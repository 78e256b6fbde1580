# Sourced by train.sh: one line a training, `job NAME LANE ARGS…`. Lanes run beside each other, the jobs
# of a lane in order. $work/weights has the start weights.
#
# job lite0 0 --network efficientnet-lite0 --weights "$work/weights/efficientnet_lite0_imagenet.safetensors" \
#     --size 256 --working-size 288 --batch 64 --epochs 12 --precision bf16
