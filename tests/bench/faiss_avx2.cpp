/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian compiles Faiss for any x86-64, without the AVX2 distances that its own
 * packages have: sums one float at a time. Linked with
 *
 *     -Wl,--wrap=_ZN5faiss18fvec_inner_productEPKfS1_m
 *     -Wl,--wrap=_ZN5faiss10fvec_L2sqrEPKfS1_m
 *
 * the whole library calls these instead, so that it is measured at its best.
 */
#include <cstddef>
#include <immintrin.h>

namespace {
struct inner_product {
  static __m256 add(__m256 sum, __m256 a, __m256 b) {
    return _mm256_fmadd_ps(a, b, sum);
  }
};

struct squared_l2 {
  static __m256 add(__m256 sum, __m256 a, __m256 b) {
    __m256 difference = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(difference, difference, sum);
  }
};

__m256i first_lanes(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* Four sums, so that additions need not wait for each other. */
template <class Term> float total(const float *a, const float *b, size_t d) {
  __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(),
                    _mm256_setzero_ps(), _mm256_setzero_ps()};
  size_t i = 0;
  for (; i + 32 <= d; i += 32)
    for (size_t j = 0; j < 4; j++)
      sums[j] = Term::add(sums[j], _mm256_loadu_ps(a + i + 8 * j),
                          _mm256_loadu_ps(b + i + 8 * j));
  for (; i < d; i += 8) {
    __m256i lanes = first_lanes(d - i);
    sums[0] = Term::add(sums[0], _mm256_maskload_ps(a + i, lanes),
                        _mm256_maskload_ps(b + i, lanes));
  }
  __m256 sum = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]),
                             _mm256_add_ps(sums[2], sums[3]));
  __m128 half =
      _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}
} // namespace

extern "C" float __wrap__ZN5faiss18fvec_inner_productEPKfS1_m(const float *a,
                                                              const float *b,
                                                              size_t d) {
  return total<inner_product>(a, b, d);
}

extern "C" float
__wrap__ZN5faiss10fvec_L2sqrEPKfS1_m(const float *a, const float *b, size_t d) {
  return total<squared_l2>(a, b, d);
}
