# A jobs.sh that trains the recipe of hemora-default 0.5.0 on a GPU, in the order of what is missed least. Copy into
# the kit: this file and draw.toml, `splits` (of annotated.py), phantoms.zip, phantoms.csv.gz and phantoms-12.csv.gz:
# 60 phantoms (`hemora synth phantoms --patients 60 --seed 1000 --size 256`, then `hemora-train gather --dicom …`) as
# WebP, their label table, and that of the first 12. Final networks of (almost) all slices first, of two sizes; then
# five folds of each; then 0.3.0's recipe on the same patients. 0.5.0 itself was trained on a CPU, its final network
# for 12 epochs and its folds for 10.
w=$work/weights
mkdir -p "$data/phantoms"
"$py" - "$kit/phantoms.zip" "$data/phantoms" <<'P'
import io, sys, zipfile
from PIL import Image
z = zipfile.ZipFile(sys.argv[1])
for n in z.namelist():
    Image.open(io.BytesIO(z.read(n))).convert("L").save(f"{sys.argv[2]}/{n[:-5]}.png", compress_level=1)
P
for table in phantoms phantoms-12; do gunzip -c "$kit/$table.csv.gz" >"$data/$table.csv"; done
fine=(--size 288 --working-size 288 --batch 48 --learning-rate 0.0012 --weight-decay 0.02 --ema 0.995
    --augment "$kit/draw.toml" --repeat-masked 4 --monitor last --precision bf16
    --extra "$data/phantoms:$data/phantoms-12.csv")
f0=(--network efficientnet-lite0-fine --weights "$w/efficientnet_lite0_imagenet.safetensors" "${fine[@]}")
f2=(--network efficientnet-lite2-fine --weights "$w/efficientnet_lite2_imagenet.safetensors" "${fine[@]}")
base=(--network efficientnet-lite0 --weights "$w/efficientnet_lite0_imagenet.safetensors" --ema 0.995
    --monitor last --epochs 8 --extra "$data/phantoms:$data/phantoms.csv")
e=${E0:-14}
job final-f2 0 "${f2[@]}" --split "$kit/splits/final.csv" --epochs $((e + 4))
job final-f0 1 "${f0[@]}" --split "$kit/splits/final.csv" --epochs $((e + 4))
job f0-2 2 "${f0[@]}" --split "$kit/splits/2.csv" --epochs $e
for k in 1 2 3 4 5; do job f2-$k $((k % 3)) "${f2[@]}" --split "$kit/splits/$k.csv" --epochs $e; done
for k in 1 3 4 5; do job f0-$k $((k % 3)) "${f0[@]}" --split "$kit/splits/$k.csv" --epochs $e; done
for k in 1 2 3 4 5; do job base-$k $((k % 3)) "${base[@]}" --split "$kit/splits/base-$k.csv"; done
