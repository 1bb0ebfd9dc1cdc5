/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eigenvectors of a symmetric matrix A in two steps (Golub and Van Loan, Matrix
 * Computations, 4th edition, sections 8.3.1 and 8.3.3 to 8.3.5):
 *
 * 1. Householder reflections H make it tridiagonal: A = Q T Q', Q the product
 *    of all H. Row i of A is turned into (0, .. 0, off_i, *), from the last row
 *    up, and keeps the reflection's vector until Q' is formed in A's place.
 * 2. Implicit QL steps with Wilkinson's shift make T diagonal. The rotations
 *    are applied to the rows of Q', which become the eigenvectors.
 *
 * Everything works on rows, which lie contiguously.
 */
#include "eigen.h"
#include "../root.h"

/* to += factor * from */
static void add_multiple(float *restrict to, const float *restrict from,
                         float factor, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    to[i] += factor * from[i];
}

/* --- Tridiagonal form ----------------------------------------------------- */

/* Turns x of l components into the u of the reflection H = 1 - u u'/h that
 * takes x to off e_(l-1), and gives h; 0 where x counts as 0. */
static float reflection(const mn_kernels *kernels, float *x, uint32_t l,
                        float *off) {
  const float norm2 = kernels->dot_f32(x, x, l);
  *off = 0.0f;
  /* Far below what rounding leaves of a matrix of size 1 or more, far above
   * what a sum of squares needs to stay exact. */
  if (norm2 < 0x1p-80f)
    return 0.0f;
  const float last = x[l - 1], norm = mn_root(norm2);
  *off = last >= 0.0f ? -norm : norm; /* so that no digits cancel below */
  x[l - 1] = last - *off;
  return norm2 - last * *off;
}

/* H A H = A - u q' - q u' of the first l rows, lower triangle, where
 * p = A u / h and q = p - (p'u / 2h) u. */
static void reflect(const mn_kernels *kernels, float *a, uint32_t n,
                    const float *u, uint32_t l, float h, float *q) {
  for (uint32_t j = 0; j < l; j++) {
    const float *row = a + (size_t)j * n;
    q[j] = kernels->dot_f32(row, u, j + 1);
    add_multiple(q, row, u[j], j);
  }
  for (uint32_t j = 0; j < l; j++)
    q[j] /= h;
  add_multiple(q, u, -kernels->dot_f32(q, u, l) / (h + h), l);
  for (uint32_t j = 0; j < l; j++) {
    float *row = a + (size_t)j * n;
    for (uint32_t k = 0; k <= j; k++)
      row[k] -= u[j] * q[k] + q[j] * u[k];
  }
}

/* Leaves T in `diagonal` and `off` (off[i] couples i - 1 and i), Q' in `a`. */
static void make_tridiagonal(const mn_kernels *kernels, float *a, uint32_t n,
                             float *diagonal, float *off) {
  for (uint32_t i = n - 1; i > 0; i--) {
    float *u = a + (size_t)i * n;
    const float h = reflection(kernels, u, i, &off[i]);
    if (h > 0.0f)
      reflect(kernels, a, n, u, i, h, off); /* only off[i] and up are taken */
    diagonal[i] = u[i];
    u[i] = h; /* until Q' is formed */
  }
  diagonal[0] = a[0];
  off[0] = 0.0f;
  a[0] = 1.0f;
  for (uint32_t i = 1; i < n; i++) {
    float *u = a + (size_t)i * n;
    const float h = u[i];
    for (uint32_t j = 0; j < i; j++) {
      float *row = a + (size_t)j * n;
      if (h > 0.0f)
        add_multiple(row, u, -kernels->dot_f32(row, u, i) / h, i);
      row[i] = 0.0f;
    }
    for (uint32_t j = 0; j < i; j++)
      u[j] = 0.0f;
    u[i] = 1.0f;
  }
}

/* --- Diagonal form -------------------------------------------------------- */

/* (a, b) becomes (c a - s b, s a + c b). */
static void rotate(float *restrict a, float *restrict b, float c, float s,
                   uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    const float x = a[i], y = b[i];
    a[i] = c * x - s * y;
    b[i] = s * x + c * y;
  }
}

/* One QL step on the rows from `first` to `last`, which are coupled: off[i]
 * couples i and i + 1 here. */
static void step(float *diagonal, float *off, uint32_t first, uint32_t last,
                 float *rows, uint32_t n) {
  const float ratio =
      (diagonal[first + 1] - diagonal[first]) / (2.0f * off[first]);
  const float root = mn_root(ratio * ratio + 1.0f);
  float g = diagonal[last] - diagonal[first] +
            off[first] / (ratio + (ratio >= 0.0f ? root : -root));
  float c = 1.0f, s = 1.0f, p = 0.0f;
  for (uint32_t i = last; i-- > first;) {
    const float f = s * off[i], b = c * off[i];
    const float r2 = f * f + g * g;
    /* Too small to tell the angle by: the matrix falls apart here. */
    if (r2 < 0x1p-90f) {
      off[i + 1] = 0.0f;
      diagonal[i + 1] -= p;
      off[last] = 0.0f;
      return;
    }
    off[i + 1] = mn_root(r2);
    s = f / off[i + 1];
    c = g / off[i + 1];
    g = diagonal[i + 1] - p;
    const float t = (diagonal[i] - g) * s + 2.0f * c * b;
    p = s * t;
    diagonal[i + 1] = g + p;
    g = c * t - b;
    rotate(rows + (size_t)i * n, rows + (size_t)(i + 1) * n, c, s, n);
  }
  diagonal[first] -= p;
  off[first] = g;
  off[last] = 0.0f;
}

static float magnitude(float x) {
  return x < 0.0f ? -x : x;
}

static void make_diagonal(float *diagonal, float *off, float *rows,
                          uint32_t n) {
  enum { STEPS_MAX = 50 }; /* 2 are usual */
  for (uint32_t i = 1; i < n; i++)
    off[i - 1] = off[i];
  off[n - 1] = 0.0f;
  float size = 0.0f;
  for (uint32_t i = 0; i < n; i++) {
    const float here = magnitude(diagonal[i]) + magnitude(off[i]);
    size = here > size ? here : size;
  }
  /* Smaller couplings are no larger than the rounding so far. */
  const float least = size * 0x1p-24f;
  for (uint32_t first = 0; first < n; first++)
    for (uint32_t steps = 0; steps < STEPS_MAX; steps++) {
      uint32_t last = first;
      while (last + 1 < n && magnitude(off[last]) > least)
        last++;
      if (last == first)
        break;
      step(diagonal, off, first, last, rows, n);
    }
}

void mn_eigen(const mn_kernels *kernels, float *matrix, uint32_t n,
              float *values, float *work) {
  make_tridiagonal(kernels, matrix, n, values, work);
  make_diagonal(values, work, matrix, n);
}
