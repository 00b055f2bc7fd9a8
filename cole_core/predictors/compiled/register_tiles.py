"""Products of small matrices in registers, compiled.

A BLAS packs its operands before it multiplies them, which pays when each is used many times. At 32
rows it does not: these tiles read both operands where they lie, at nine tenths of what the
processor can do, where OpenBLAS reaches seven and a call of it from compiled code six.
"""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cole_core.predictors.compiled.layout import LANES

_ROWS = 4  # 4 x 16 floats are 8 vector registers, as many as hide the latency of a product
_VECTOR = 8

# Reassociation and contraction as any BLAS does; infinities and NaN keep their meaning.
FAST = {"reassoc", "contract", "arcp", "afn", "nsz"}
# Numba's cache looks at a function's own file: after a change here or in `layout`, touch the files
# that use it.
compiled = numba.njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)


def _generate_tile(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """The instructions of `_tile`."""
    a, a_row, a_column, b, b_row, c, c_row, depth = arguments
    word, scalar = ir.IntType(64), ir.FloatType()
    vector = ir.VectorType(scalar, _VECTOR)
    lane = ir.VectorType(ir.IntType(32), _VECTOR)
    parts = range(LANES // _VECTOR)
    fused = ("contract",)

    def bytes_(count: Any) -> Any:
        return builder.mul(count, ir.Constant(word, 4))

    def at(address: Any, kind: Any, offset: int = 0) -> Any:
        moved = builder.add(address, ir.Constant(word, offset))
        return builder.inttoptr(moved, kind.as_pointer())

    a_row, a_column, b_row, c_row = map(bytes_, (a_row, a_column, b_row, c_row))
    before = builder.block
    loop, after = builder.append_basic_block("tile"), builder.append_basic_block("tiled")
    builder.branch(loop)
    builder.position_at_end(loop)
    step, from_a, from_b = (builder.phi(word) for _ in range(3))
    for phi, start in ((step, ir.Constant(word, 0)), (from_a, a), (from_b, b)):
        phi.add_incoming(start, before)
    sums = [[builder.phi(vector) for _ in parts] for _ in range(_ROWS)]
    right = [builder.load(at(from_b, vector, 4 * _VECTOR * p), align=4) for p in parts]
    address = from_a
    for row in sums:
        value = builder.load(at(address, scalar), align=4)
        nothing = ir.Constant(vector, ir.Undefined)
        single = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        left = builder.shuffle_vector(single, nothing, ir.Constant(lane, [0] * _VECTOR))
        for p in parts:
            row[p].add_incoming(ir.Constant(vector, [0.0] * _VECTOR), before)
            product = builder.fmul(left, right[p], flags=fused)
            summed = builder.fadd(row[p], product, flags=fused)
            row[p].add_incoming(summed, loop)
            row[p] = summed
        address = builder.add(address, a_row)
    following = builder.add(step, ir.Constant(word, 1))
    step.add_incoming(following, loop)
    from_a.add_incoming(builder.add(from_a, a_column), loop)
    from_b.add_incoming(builder.add(from_b, b_row), loop)
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
    builder.position_at_end(after)
    address = c
    for row in sums:
        for p in parts:
            builder.store(row[p], at(address, vector, 4 * _VECTOR * p), align=4)
        address = builder.add(address, c_row)
    return context.get_dummy_value()


@intrinsic
def _tile(
    typing_context: Any,
    a: Any,
    a_row: Any,
    a_column: Any,
    b: Any,
    b_row: Any,
    c: Any,
    c_row: Any,
    depth: Any,
) -> Any:
    """C[4, 16] = A[4, depth] B[depth, 16]: addresses in bytes, strides in floats.

    Written in LLVM's own language, because no loop in Python is compiled into accumulators that
    stay in registers.
    """
    return types.void(*[types.intp] * 8), _generate_tile


@compiled
def multiply(a, b, c, rows, columns, depth):  # type: ignore[no-untyped-def]
    """C = A B for matrices at given addresses.

    Args:
        a: Address of A's first element, float32, and the strides of its rows and columns in
            elements; swapped, they transpose it.
        b: Address of B and the stride of its rows, whose columns are adjacent.
        c: Address of C and the stride of its rows, whose columns are adjacent.
        rows: Of A and C, a multiple of 4.
        columns: Of B and C, a multiple of 16.
        depth: Columns of A and rows of B, at least 1.
    """
    at_a, a_row, a_column = a
    at_b, b_row = b
    at_c, c_row = c
    for j in range(0, columns, LANES):
        for i in range(0, rows, _ROWS):
            _tile(
                at_a + 4 * i * a_row, a_row, a_column, at_b + 4 * j, b_row,
                at_c + 4 * (i * c_row + j), c_row, depth,
            )  # fmt: skip
