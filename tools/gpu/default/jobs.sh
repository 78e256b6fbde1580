# The jobs.sh that trained hemora-default 0.4.0, in the order of what is missed least. Copy into the kit: this
# file and draw.toml, `splits` (of splits.py), phantoms.zip and phantoms.csv.gz: 60 phantoms (`hemora synth
# phantoms --patients 60 --seed 1000 --size 256`, then `hemora-train gather --dicom …`) as WebP of 224 pixels and
# their label table. Five folds of the dense network, of 0.3.0's recipe on the same patients, of a larger dense
# network and of a plain one; and networks of (almost) all slices. Nine minutes of an H200 reached d2-2 and p0-1.
w=$work/weights
mkdir -p "$data/phantoms"
"$py" - "$kit/phantoms.zip" "$data/phantoms" <<'P'
import io, sys, zipfile
from PIL import Image
z = zipfile.ZipFile(sys.argv[1])
for n in z.namelist():
    Image.open(io.BytesIO(z.read(n))).convert("L").save(f"{sys.argv[2]}/{n[:-5]}.png", compress_level=1)
P
gunzip -c "$kit/phantoms.csv.gz" >"$data/phantoms.csv"
common=(--weight-decay 0.02 --ema 0.995 --monitor last --precision bf16)
dense=(--size 288 --working-size 288 --batch 64 --learning-rate 0.0015 --augment "$kit/draw.toml" "${common[@]}")
d0=(--network efficientnet-lite0-dense --weights "$w/efficientnet_lite0_imagenet.safetensors" "${dense[@]}")
d2=(--network efficientnet-lite2-dense --weights "$w/efficientnet_lite2_imagenet.safetensors" "${dense[@]}")
p0=(--network efficientnet-lite0 --weights "$w/efficientnet_lite0_imagenet.safetensors" "${dense[@]}")
base=(--network efficientnet-lite0 --weights "$w/efficientnet_lite0_imagenet.safetensors" --ema 0.995
    --monitor last --epochs 8 --extra "$data/phantoms:$data/phantoms.csv")
e=${E0:-14}
job d0-1 0 "${d0[@]}" --split "$kit/splits/all-1.csv" --epochs $e
job d0-2 1 "${d0[@]}" --split "$kit/splits/all-2.csv" --epochs $e
job d0-3 2 "${d0[@]}" --split "$kit/splits/all-3.csv" --epochs $e
job d0-4 0 "${d0[@]}" --split "$kit/splits/all-4.csv" --epochs $e
job d0-5 1 "${d0[@]}" --split "$kit/splits/all-5.csv" --epochs $e
job final-d0 2 "${d0[@]}" --split "$kit/splits/final.csv" --epochs $((e + 4))
for k in 1 2 3 4 5; do job base-$k $((k % 3)) "${base[@]}" --split "$kit/splits/base-$k.csv"; done
job d2-1 0 "${d2[@]}" --split "$kit/splits/all-1.csv" --epochs $e
job d2-2 1 "${d2[@]}" --split "$kit/splits/all-2.csv" --epochs $e
job final-d2 2 "${d2[@]}" --split "$kit/splits/final.csv" --epochs $((e + 4))
job p0-1 0 "${p0[@]}" --split "$kit/splits/all-1.csv" --epochs $e
job p0-2 1 "${p0[@]}" --split "$kit/splits/all-2.csv" --epochs $e
for k in 3 4 5; do job d2-$k $((k % 3)) "${d2[@]}" --split "$kit/splits/all-$k.csv" --epochs $e; done
for k in 3 4 5; do job p0-$k $((k % 3)) "${p0[@]}" --split "$kit/splits/all-$k.csv" --epochs $e; done
