#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden.h: what product quantization loses by an implementation that
shares nothing with the library's.

    apt-get install python3-numpy; python3 tests/parity/golden.py
    clang-format -i tests/parity/golden.h

k-means starts from random points and is Lloyd's; OPQ turns by the singular
value decomposition. That is what nanopq 0.2 does (PQ.fit by scipy's kmeans2,
OPQ.fit with 10 rotations and one iteration of k-means for each but the last).
OPQ begins without a rotation, as nanopq's, or with the principal axes, shared
out among the subspaces (Ge et al., TPAMI 2014, section 3.2); what loses less
counts. What is written down is the mean over SEEDS random starts: the mean of
|x - y|^2 over that of |x|^2, y being what the code of x decodes to."""
import pathlib

import numpy as np

ROWS, DIMENSIONS, SEEDS, ITERATIONS, TURNS = 3000, 32, 10, 25, 10
CASES = [("pq", 8, 4), ("pq", 16, 4), ("pq", 4, 8), ("pq", 8, 8),
         ("opq", 8, 4), ("opq", 16, 4), ("opq", 4, 8), ("opq", 8, 8)]


# --- Data, by integers alone: parity_check.c makes the same -------------------

def mix(x):
    x = (x + np.uint32(0x9E3779B9)).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    return x ^ x >> np.uint32(16)


def draw(what, i, j):
    """32 random bits for each what, i and j, which broadcast."""
    i, j = np.asarray(i, np.uint32), np.asarray(j, np.uint32)
    return mix(mix(mix(np.uint32([what])) ^ i) ^ j)


def signed(bits, count):
    """The top bits as a number of that many bits, with sign."""
    return (bits >> np.uint32(32 - count)).astype(np.int64) - (1 << count - 1)


def make_rows():
    """12 hidden numbers, each weaker than the one before, around one of 20
    centres; every component is a mixture of them all, and some noise."""
    row, hidden = np.arange(ROWS)[:, None], np.arange(12)[None, :]
    centre = draw(1, row, 0) % np.uint32(20)
    numbers = 2 * signed(draw(2, centre, hidden), 8)
    for what in (3, 4, 5):
        numbers = numbers + signed(draw(what, row, hidden), 7)
    numbers = numbers * 12 // (hidden + 1)
    component = np.arange(DIMENSIONS)
    weights = signed(draw(6, component[None, :], hidden.T), 4)
    noise = signed(draw(7, row, component[None, :]), 10)
    return (numbers @ weights + noise).astype(np.float64)


# --- Quantizers ---------------------------------------------------------------

def nearest(points, centroids):
    distances = ((centroids ** 2).sum(1)[None, :] - 2 * points @ centroids.T)
    return distances.argmin(1)


def k_means(points, count, iterations, random):
    centroids = points[random.choice(len(points), count, replace=False)]
    for _ in range(iterations):
        clusters = nearest(points, centroids)
        sizes = np.bincount(clusters, minlength=count)
        sums = np.zeros_like(centroids)
        np.add.at(sums, clusters, points)
        filled = sizes > 0
        centroids = centroids.copy()
        centroids[filled] = sums[filled] / sizes[filled, None]
    return centroids


def quantize(rows, m, bits, iterations, random):
    parts = []
    for part in np.split(rows, m, axis=1):
        centroids = k_means(part, 1 << bits, iterations, random)
        parts.append(centroids[nearest(part, centroids)])
    return np.concatenate(parts, axis=1)


def pq(rows, m, bits, random):
    return quantize(rows, m, bits, ITERATIONS, random)


def principal_axes(rows, m):
    """In descending order, each to the subspace that has the smallest product
    of variances and still has room."""
    variances, axes = np.linalg.eigh(np.cov(rows.T))
    logarithms = np.log(variances / variances.min()) + 1
    parts, shares = [[] for _ in range(m)], np.zeros(m)
    for i in np.argsort(-variances):
        room = [s for s in range(m) if len(parts[s]) < len(variances) // m]
        s = min(room, key=lambda s: shares[s])
        parts[s].append(i)
        shares[s] += logarithms[i]
    return axes[:, sum(parts, [])]


def opq(rows, m, bits, random, rotation):
    for turn in range(TURNS):
        turned = rows @ rotation
        last = turn == TURNS - 1
        decoded = quantize(turned, m, bits, ITERATIONS if last else 1, random)
        if last:
            return decoded @ rotation.T
        u, _, v = np.linalg.svd(rows.T @ decoded)
        rotation = u @ v


def main():
    rows = make_rows()
    total = (rows ** 2).sum()
    lines = []
    for kind, m, bits in CASES:
        errors = []
        for seed in range(SEEDS):
            random = np.random.default_rng(seed)
            if kind == "pq":
                decoded = [pq(rows, m, bits, random)]
            else:
                decoded = [opq(rows, m, bits, random, rotation) for rotation in
                           (np.eye(DIMENSIONS), principal_axes(rows, m))]
            errors.append([((rows - y) ** 2).sum() / total for y in decoded])
        means = np.mean(errors, axis=0)
        print(f"{kind} {m} x {bits}:", *(
            f"{mean:.6f} ({low:.6f} to {high:.6f})" for mean, low, high in
            zip(means, np.min(errors, axis=0), np.max(errors, axis=0))))
        spec = f"flat,{'opq,' if kind == 'opq' else ''}pq{m}x{bits}"
        lines.append(f'    {{"{spec}", {means.min():.6f}}},\n')
    checksum = 0
    for value in rows.astype(np.int64).ravel().tolist():
        checksum = (checksum * 31 + value) % 2**32
    header = pathlib.Path(__file__).with_name("golden.h")
    header.write_text(
        "/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/* Made by golden.py, which says how; with numpy "
        f"{np.__version__}. */\n"
        f"#define GOLDEN_ROWS       {ROWS}u\n"
        f"#define GOLDEN_DIMENSIONS {DIMENSIONS}u\n"
        "/* Of all components in order: sum = 31 sum + component. */\n"
        f"#define GOLDEN_CHECKSUM 0x{checksum:08x}u\n\n"
        "static const struct {\n  const char *spec;\n  double error;\n"
        "} golden[] = {\n" + "".join(lines) + "};\n")


main()
