"""``python -m hemora``: the program itself."""

import os
import sys

from ._program import find_program

program = str(find_program())
os.execv(program, [program, *sys.argv[1:]])
