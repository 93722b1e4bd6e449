"""Merkle trees straight from the recursive definitions of RFC 9162, section 2.1.

Prints, for every size of a tree, one line per kind of proof with the SHA-256 over all proofs of that size, so
that another implementation can be compared with it. Leaf i holds the decimal digits of i.
"""

import hashlib
import sys
from functools import cache


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


@cache
def mth(start, end):
    if end == start:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return hashlib.sha256(b"\0" + str(start).encode()).digest()
    k = split(end - start)
    return hashlib.sha256(b"\1" + mth(start, start + k) + mth(start + k, end)).digest()


def path(m, start, end):
    """PATH(m, D[start:end])"""
    if end - start == 1:
        return []
    k = split(end - start)
    if m < k:
        return path(m, start, start + k) + [mth(start + k, end)]
    return path(m - k, start + k, end) + [mth(start, start + k)]


def subproof(m, start, end, whole):
    """SUBPROOF(m, D[start:end], whole)"""
    if m == end - start:
        return [] if whole else [mth(start, end)]
    k = split(end - start)
    if m <= k:
        return subproof(m, start, start + k, whole) + [mth(start + k, end)]
    return subproof(m - k, start + k, end, False) + [mth(start, start + k)]


def digest(proofs):
    whole = hashlib.sha256()
    for proof in proofs:
        whole.update(bytes([len(proof)]) + b"".join(proof))
    return whole.hexdigest()


def main(inclusion_sizes, consistency_sizes):
    for n in range(1, inclusion_sizes + 1):
        print("root", n, mth(0, n).hex())
        print("inclusion", n, digest(path(i, 0, n) for i in range(n)))
    for n in range(1, consistency_sizes + 1):
        print("consistency", n, digest(subproof(m, 0, n, True) for m in range(1, n + 1)))


main(int(sys.argv[1]), int(sys.argv[2]))
