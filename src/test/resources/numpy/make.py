"""Makes the files that NpyTest reads.

    python make.py             # numpy 2
    python make.py check FILE  # prints what numpy.load reads from a file that Npy wrote
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def make():
    values = np.arange(24).reshape(2, 3, 4) / 4
    np.save(HERE / "c32.npy", values.astype("<f4"))
    np.save(HERE / "fortran32.npy", np.asfortranarray(values.astype("<f4")))
    np.save(HERE / "c64.npy", values)
    np.save(HERE / "fortran64.npy", np.asfortranarray(values))
    np.save(HERE / "big.npy", values.astype(">f4"))
    np.save(HERE / "int32.npy", (4 * values).astype("<i4"))
    np.save(HERE / "int64.npy", (4 * values).astype("<i8"))
    np.save(HERE / "large.npy", np.array([1, 2**24 + 1]))
    np.save(HERE / "vector.npy", values[0, 0].astype("<f4"))
    np.save(HERE / "scalar.npy", np.array(2.5, "<f4"))
    np.save(HERE / "empty.npy", np.zeros((0, 3), "<f4"))
    np.save(HERE / "half.npy", values.astype("<f2"))
    np.save(HERE / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(HERE / "records.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    with open(HERE / "second.npy", "wb") as file:
        np.lib.format.write_array(file, values.astype("<f4"), version=(2, 0))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        read = np.load(sys.argv[2])
        print(read.dtype, read.shape, read.flags.c_contiguous, read.flatten().tolist())
    else:
        make()
