# source env.sh: which Python has torch, and where libtorch and the GPU's libraries are.
#
# A hemora-train that was linked on a machine without CUDA sees the GPU once libtorch_cuda.so is loaded
# before it. Only hemora-train gets that (see `make_wrapper`): it would slow every other program's start.
# PYTHON names another interpreter, LIBTORCH a libtorch to take where that has no torch.
py=${PYTHON:-$(command -v /opt/torch/.venv/bin/python3 || command -v python3)}
torch=$("$py" -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")')
torch=${torch:-${LIBTORCH:-}}
if [ -z "$torch" ]; then
    echo "no torch in $py; name an interpreter that has it in PYTHON, or a libtorch in LIBTORCH" >&2
    return 1
fi
site=$(dirname "$torch")
libs="$torch/lib:$(ls -d "$site"/nvidia/*/lib "$site"/nvidia/*/lib64 2>/dev/null | tr '\n' ':')"
preload=
[ -e "$torch/lib/libtorch_cuda.so" ] && preload="$torch/lib/libtorch_cuda.so"

# make_wrapper PROGRAM FILE: writes FILE, which starts PROGRAM with the libraries.
make_wrapper() {
    cat >"$2" <<W
#!/bin/sh
export LD_LIBRARY_PATH="$libs\${LD_LIBRARY_PATH:-}"
[ -z "$preload" ] || export LD_PRELOAD="$preload\${LD_PRELOAD:+:\$LD_PRELOAD}"
exec "$1" "\$@"
W
    chmod +x "$2"
}
