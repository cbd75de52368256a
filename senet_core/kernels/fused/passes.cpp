// Passes over a feature map between two convolutions: statistics of a batch norm, its application together with
// gates, addition and ReLU, and their gradients. Maps lie in memory as (N, positions, C), PyTorch's channels_last,
// in float32 or bfloat16; arithmetic is float32, sums over positions end in double. Every sum is taken within one
// sample, in one order, and samples are summed afterwards: results do not depend on the number of threads.
//
// A plain C interface: no header of PyTorch or Python is needed, and a second or two compiles it.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>
#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
typedef float Vec __attribute__((vector_size(kLanes * sizeof(float))));
typedef float Unaligned __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));
typedef int32_t Bits __attribute__((vector_size(kLanes * sizeof(float))));
typedef uint32_t Words __attribute__((vector_size(kLanes * sizeof(float))));
typedef uint16_t Halves __attribute__((vector_size(kLanes * sizeof(uint16_t))));

struct bfloat16 { uint16_t bits; };

// K vectors side by side: what is read at a time is then whole lines of the cache, in the order of memory.
template <int K> struct Pack {
  Vec v[K];
  template <class F> static inline Pack each(F f) { Pack r; for (int k = 0; k < K; ++k) r.v[k] = f(k); return r; }
  friend inline Pack operator+(Pack a, Pack b) { return each([&](int k) { return a.v[k] + b.v[k]; }); }
  friend inline Pack operator-(Pack a, Pack b) { return each([&](int k) { return a.v[k] - b.v[k]; }); }
  friend inline Pack operator*(Pack a, Pack b) { return each([&](int k) { return a.v[k] * b.v[k]; }); }
  friend inline Pack operator/(Pack a, float b) { return each([&](int k) { return a.v[k] / b; }); }
  inline Pack& operator+=(Pack b) { return *this = *this + b; }
};

// A lane type L is a Pack for whole groups of channels, or float for the channels that are left over.
template <class L> constexpr int lanes() { return sizeof(L) / sizeof(float); }
template <class L> constexpr int unroll() { return lanes<L>() >= 2 * kLanes ? 2 : 4; }
template <class L> constexpr bool is_scalar() { return std::is_same<L, float>::value; }

inline Vec wide(Halves h) {
  Words w = __builtin_convertvector(h, Words) << 16;
  Vec v; std::memcpy(&v, &w, sizeof v); return v;
}
inline Halves narrow(Vec v) {  // to nearest, ties to even; not-a-number stays
  Words w; std::memcpy(&w, &v, sizeof w);
  Words rounded = (w + 0x7fff + ((w >> 16) & 1)) >> 16;
  Bits number = v == v;
  rounded = number ? rounded : (Words{} + 0x7fc0u);
  return __builtin_convertvector(rounded, Halves);
}

// Vector by vector: copied as a whole, a Pack goes through the stack in smaller pieces, at half the speed.
template <class L> inline L load(const float* from) {
  if constexpr (is_scalar<L>()) return *from;
  else return L::each([&](int k) { return Vec(*reinterpret_cast<const Unaligned*>(from + k * kLanes)); });
}
template <class L> inline void store(float* to, L v) {
  if constexpr (is_scalar<L>()) *to = v;
  else for (int k = 0; k < lanes<L>() / kLanes; ++k) *reinterpret_cast<Unaligned*>(to + k * kLanes) = v.v[k];
}

// Around the caches, for maps that they cannot hold: a line is then not read before it is overwritten.
template <class L> inline void store_past_cache(float* to, L v) {
#if defined(__AVX512F__)
  if constexpr (!is_scalar<L>()) {
    for (int k = 0; k < lanes<L>() / kLanes; ++k) _mm512_stream_ps(to + k * kLanes, v.v[k]);
    return;
  }
#elif defined(__AVX__)
  if constexpr (!is_scalar<L>()) {
    for (int k = 0; k < lanes<L>() / kLanes; ++k) _mm256_stream_ps(to + k * kLanes, v.v[k]);
    return;
  }
#endif
  store<L>(to, v);
}

inline void finish_streaming() {  // so that other threads see what was stored
#if defined(__AVX__)
  _mm_sfence();
#endif
}

template <class L> inline L load(const bfloat16* from) {
  if constexpr (is_scalar<L>()) {
    uint32_t w = uint32_t(from->bits) << 16; float v; std::memcpy(&v, &w, sizeof v); return v;
  } else {
    return L::each([&](int k) { Halves h; std::memcpy(&h, from + k * kLanes, sizeof h); return wide(h); });
  }
}
template <class L> inline void store(bfloat16* to, L v) {
  if constexpr (is_scalar<L>()) {
    uint32_t w; std::memcpy(&w, &v, sizeof w);
    to->bits = v == v ? uint16_t((w + 0x7fff + ((w >> 16) & 1)) >> 16) : uint16_t(0x7fc0);
  } else {
    for (int k = 0; k < lanes<L>() / kLanes; ++k) {
      Halves h = narrow(v.v[k]);
      std::memcpy(to + k * kLanes, &h, sizeof h);
    }
  }
}

// Not-a-number passes through, as in PyTorch: a diverged training must be seen.
template <class V> inline V relu_of(V v) { V zero = {}; return v < zero ? zero : v; }
template <class V> inline V masked_by(V g, V by) { V zero = {}; return by <= zero ? zero : g; }
template <class L> inline L relu(L v) {
  if constexpr (is_scalar<L>()) return relu_of(v);
  else return L::each([&](int k) { return relu_of(v.v[k]); });
}
template <class L> inline L masked(L g, L by) {
  if constexpr (is_scalar<L>()) return masked_by(g, by);
  else return L::each([&](int k) { return masked_by(g.v[k], by.v[k]); });
}
template <class L, int U> inline L total(const L (&part)[U]) {
  if constexpr (U == 2) return part[0] + part[1];
  else return part[0] + part[1] + (part[2] + part[3]);
}

constexpr int64_t kCached = 1 << 19;  // elements of a map that may still be in a cache when it is read next

// Whether a map is written around the caches. Streaming stores want whole vectors at multiples of their size.
inline bool goes_past_cache(const void* to, int64_t elements, int64_t C) {
  return elements > kCached && C % kLanes == 0 && reinterpret_cast<uintptr_t>(to) % sizeof(Vec) == 0;
}

constexpr int64_t kTile = 2048;  // elements of a tile: what is read twice is then in the first cache

inline int64_t tile_of(int64_t C) { return kTile / C > 4 ? kTile / C : 4; }

// Calls body(lane type, first channel) for all channels.
template <class Body> inline void over_channels(int64_t C, Body body) {
  int64_t c = 0;
  for (; c + 2 * kLanes <= C; c += 2 * kLanes) body(Pack<2>{}, c);
  if (c + kLanes <= C) { body(Pack<1>{}, c); c += kLanes; }
  for (; c < C; ++c) body(float{}, c);
}

template <class Body> void over_samples(int64_t N, int64_t elements, int64_t threads, Body body) {
  if (threads > N) threads = N;
  auto part = [&](int64_t first, int64_t end) {
    for (int64_t n = first; n < end; ++n) body(n);
    finish_streaming();
  };
  if (threads <= 1 || elements < (1 << 18)) return part(0, N);
  std::vector<std::thread> others;
  for (int64_t t = 1; t < threads; ++t) others.emplace_back(part, t * N / threads, (t + 1) * N / threads);
  part(0, N / threads);
  for (auto& thread : others) thread.join();
}

// Mean and sum of squared deviations of each channel of one sample (Chan et al. 1979, over tiles).
template <class T> void sample_moments(const T* x, int64_t P, int64_t C, double* mean, double* m2) {
  for (int64_t c = 0; c < C; ++c) mean[c] = m2[c] = 0;
  const int64_t tile = tile_of(C);
  for (int64_t first = 0; first < P; first += tile) {
    const int64_t count = P - first < tile ? P - first : tile;
    over_channels(C, [=](auto lane, int64_t c) {
      using L = decltype(lane);
      const T* from = x + first * C + c;
      constexpr int kUnroll = unroll<L>();
      L sum[kUnroll] = {}, square[kUnroll] = {};
      int64_t p = 0;
      for (; p + kUnroll <= count; p += kUnroll)
        for (int u = 0; u < kUnroll; ++u) sum[u] += load<L>(from + (p + u) * C);
      for (; p < count; ++p) sum[0] += load<L>(from + p * C);
      const L centre = total(sum) / float(count);
      for (p = 0; p + kUnroll <= count; p += kUnroll)
        for (int u = 0; u < kUnroll; ++u) { L d = load<L>(from + (p + u) * C) - centre; square[u] += d * d; }
      for (; p < count; ++p) { L d = load<L>(from + p * C) - centre; square[0] += d * d; }
      float centres[lanes<L>()], squares[lanes<L>()];
      store<L>(centres, centre);
      store<L>(squares, total(square));
      for (int k = 0; k < lanes<L>(); ++k) {
        const double delta = centres[k] - mean[c + k], share = double(count) / double(first + count);
        m2[c + k] += squares[k] + delta * delta * first * share;
        mean[c + k] += delta * share;
      }
    });
  }
}

// out = relu(scale x + shift + other), by channel or by sample and channel.
template <class T, bool kOther, bool kRelu, bool kPast>
void sample_affine(const T* x, const float* scale, const float* shift, const T* other, T* out, int64_t P, int64_t C) {
  const int64_t tile = tile_of(C);
  for (int64_t first = 0; first < P; first += tile) {
    const int64_t end = first + tile < P ? first + tile : P;
    over_channels(C, [=](auto lane, int64_t c) {
      using L = decltype(lane);
      const L a = load<L>(scale + c), b = load<L>(shift + c);
      for (int64_t i = first * C + c; i < end * C; i += C) {
        L v = a * load<L>(x + i) + b;
        if constexpr (kOther) v += load<L>(other + i);
        if constexpr (kRelu) v = relu(v);
        if constexpr (kPast) store_past_cache<L>(out + i, v); else store<L>(out + i, v);
      }
    });
  }
}

enum Mask { kNone = 0, kByOutput = 1, kByInput = 2 };

// What the ReLU lets through of the gradient g: seen from its output, or computed again from the input x.
template <class L, class T, int kMask>
inline L through(L g, const T* out, L x, L a, L b, int64_t i) {
  if constexpr (kMask == kByOutput) return masked<L>(g, load<L>(out + i));
  if constexpr (kMask == kByInput) return masked<L>(g, a * x + b);
  return g;
}

// Sums over positions of the gradient, and of the gradient times (x - mean); writes the masked gradient if asked.
template <class T, int kMask, bool kPast>
void sample_sums(const T* g, const T* out, const T* x, const float* scale, const float* shift, const float* mean,
                 T* passed, double* ones, double* centred, int64_t P, int64_t C) {
  for (int64_t c = 0; c < C; ++c) ones[c] = centred[c] = 0;
  const int64_t tile = tile_of(C);
  for (int64_t first = 0; first < P; first += tile) {
    const int64_t end = first + tile < P ? first + tile : P;
    over_channels(C, [=](auto lane, int64_t c) {
      using L = decltype(lane);
      const L m = load<L>(mean + c);
      L a = {}, b = {};
      if constexpr (kMask == kByInput) { a = load<L>(scale + c); b = load<L>(shift + c); }
      constexpr int kUnroll = unroll<L>();
      L one[kUnroll] = {}, dot[kUnroll] = {};
      auto step = [&](int u, int64_t i) {
        const L v = load<L>(x + i);
        const L d = through<L, T, kMask>(load<L>(g + i), out, v, a, b, i);
        if (passed) {
          if constexpr (kPast) store_past_cache<L>(passed + i, d); else store<L>(passed + i, d);
        }
        one[u] += d;
        dot[u] += d * (v - m);
      };
      int64_t p = first;
      for (; p + kUnroll <= end; p += kUnroll)
        for (int u = 0; u < kUnroll; ++u) step(u, (p + u) * C + c);
      for (; p < end; ++p) step(0, p * C + c);
      float s[lanes<L>()], q[lanes<L>()];
      store<L>(s, total(one));
      store<L>(q, total(dot));
      for (int k = 0; k < lanes<L>(); ++k) { ones[c + k] += s[k]; centred[c + k] += q[k]; }
    });
  }
}

// dx = p (masked g) + q (x - mean) + r
template <class T, int kMask, bool kPast>
void sample_gradient(const T* g, const T* x, const float* scale, const float* shift, const float* mean,
                     const float* p, const float* q, const float* r, T* dx, int64_t P, int64_t C) {
  const int64_t tile = tile_of(C);
  for (int64_t first = 0; first < P; first += tile) {
    const int64_t end = first + tile < P ? first + tile : P;
    over_channels(C, [=](auto lane, int64_t c) {
      using L = decltype(lane);
      const L m = load<L>(mean + c), pc = load<L>(p + c), qc = load<L>(q + c), rc = load<L>(r + c);
      L a = {}, b = {};
      if constexpr (kMask == kByInput) { a = load<L>(scale + c); b = load<L>(shift + c); }
      for (int64_t i = first * C + c; i < end * C; i += C) {
        const L v = load<L>(x + i);
        const L d = through<L, T, kMask>(load<L>(g + i), static_cast<const T*>(nullptr), v, a, b, i);
        const L result = pc * d + (qc * (v - m) + rc);
        if constexpr (kPast) store_past_cache<L>(dx + i, result); else store<L>(dx + i, result);
      }
    });
  }
}

template <class T>
void moments(const void* x, int64_t N, int64_t P, int64_t C, double* mean, double* m2, int64_t threads) {
  over_samples(N, N * P * C, threads, [&](int64_t n) {
    sample_moments(static_cast<const T*>(x) + n * P * C, P, C, mean + n * C, m2 + n * C);
  });
}

template <class T, bool kOther, bool kRelu>
void affine(const void* x, const float* scale, const float* shift, int64_t by_sample, const void* other, void* out,
            int64_t N, int64_t P, int64_t C, int64_t threads) {
  over_samples(N, N * P * C, threads, [&](int64_t n) {
    const int64_t at = n * P * C, coefficient = by_sample ? n * C : 0;
    auto f = sample_affine<T, kOther, kRelu, false>;
    if constexpr (std::is_same<T, float>::value)
      if (goes_past_cache(out, N * P * C, C)) f = sample_affine<T, kOther, kRelu, true>;
    f(static_cast<const T*>(x) + at, scale + coefficient, shift + coefficient,
      kOther ? static_cast<const T*>(other) + at : nullptr, static_cast<T*>(out) + at, P, C);
  });
}

template <class T, int kMask>
void sums(const void* g, const void* out, const void* x, const float* scale, const float* shift, const float* mean,
          void* passed, double* ones, double* centred, int64_t N, int64_t P, int64_t C, int64_t threads) {
  over_samples(N, N * P * C, threads, [&](int64_t n) {
    const int64_t at = n * P * C;
    auto f = sample_sums<T, kMask, false>;
    if constexpr (std::is_same<T, float>::value)
      if (passed && goes_past_cache(passed, N * P * C, C)) f = sample_sums<T, kMask, true>;
    f(static_cast<const T*>(g) + at, out ? static_cast<const T*>(out) + at : nullptr, static_cast<const T*>(x) + at, scale,
      shift, mean, passed ? static_cast<T*>(passed) + at : nullptr, ones + n * C, centred + n * C, P, C);
  });
}

template <class T, int kMask>
void gradient(const void* g, const void* x, const float* scale, const float* shift, const float* mean,
              const float* p, const float* q, const float* r, int64_t by_sample, void* dx, int64_t N, int64_t P,
              int64_t C, int64_t threads) {
  over_samples(N, N * P * C, threads, [&](int64_t n) {
    const int64_t at = n * P * C, coefficient = by_sample ? n * C : 0;
    auto f = sample_gradient<T, kMask, false>;
    if constexpr (std::is_same<T, float>::value)
      if (goes_past_cache(dx, N * P * C, C)) f = sample_gradient<T, kMask, true>;
    f(static_cast<const T*>(g) + at, static_cast<const T*>(x) + at, scale, shift, mean,
      p + coefficient, q, r + coefficient, static_cast<T*>(dx) + at, P, C);
  });
}

}  // namespace

extern "C" {

// Statistics of a batch norm, the coefficients of its application, and new running statistics.
// means: (N, C), of each sample; mean, inverse: (C); scale, shift: (C) with norm(x) = scale x + shift.
void fused_norm(int64_t bf16, const void* x, int64_t N, int64_t P, int64_t C, const float* weight, const float* bias,
                double eps, double momentum, float* running_mean, float* running_var, double* means, float* mean,
                double* inverse, float* scale, float* shift, int64_t threads) {
  std::vector<double> m2(N * C);
  bf16 ? moments<bfloat16>(x, N, P, C, means, m2.data(), threads)
       : moments<float>(x, N, P, C, means, m2.data(), threads);
  for (int64_t c = 0; c < C; ++c) {
    double centre = 0, square = 0;
    for (int64_t n = 0; n < N; ++n) centre += means[n * C + c];
    centre /= N;
    for (int64_t n = 0; n < N; ++n) {
      const double d = means[n * C + c] - centre;
      square += m2[n * C + c] + P * d * d;
    }
    const double count = double(N) * P;
    mean[c] = float(centre);
    inverse[c] = 1 / std::sqrt(square / count + eps);
    scale[c] = float(weight[c] * inverse[c]);
    shift[c] = float(bias[c] - centre * weight[c] * inverse[c]);
    running_mean[c] = float((1 - momentum) * running_mean[c] + momentum * centre);
    running_var[c] = float((1 - momentum) * running_var[c] + momentum * square / (count - 1));
  }
}

void fused_affine(int64_t bf16, const void* x, const float* scale, const float* shift, int64_t by_sample,
                  const void* other, int64_t relu, void* out, int64_t N, int64_t P, int64_t C, int64_t threads) {
#define CALL(T, O, R) affine<T, O, R>(x, scale, shift, by_sample, other, out, N, P, C, threads)
#define CHOOSE(T) (other ? (relu ? CALL(T, true, true) : CALL(T, true, false)) \
                         : (relu ? CALL(T, false, true) : CALL(T, false, false)))
  bf16 ? CHOOSE(bfloat16) : CHOOSE(float);
#undef CHOOSE
#undef CALL
}

void fused_sums(int64_t bf16, int64_t mask, const void* g, const void* out, const void* x, const float* scale,
                const float* shift, const float* mean, void* passed, double* ones, double* centred, int64_t N,
                int64_t P, int64_t C, int64_t threads) {
#define CALL(T, M) sums<T, M>(g, out, x, scale, shift, mean, passed, ones, centred, N, P, C, threads)
#define CHOOSE(T) (mask == kByOutput ? CALL(T, kByOutput) : mask == kByInput ? CALL(T, kByInput) : CALL(T, kNone))
  bf16 ? CHOOSE(bfloat16) : CHOOSE(float);
#undef CHOOSE
#undef CALL
}

void fused_gradient(int64_t bf16, int64_t mask, const void* g, const void* x, const float* scale, const float* shift,
                    const float* mean, const float* p, const float* q, const float* r, int64_t by_sample, void* dx,
                    int64_t N, int64_t P, int64_t C, int64_t threads) {
#define CALL(T, M) gradient<T, M>(g, x, scale, shift, mean, p, q, r, by_sample, dx, N, P, C, threads)
#define CHOOSE(T) (mask == kByInput ? CALL(T, kByInput) : CALL(T, kNone))
  bf16 ? CHOOSE(bfloat16) : CHOOSE(float);
#undef CHOOSE
#undef CALL
}

// All of a batch norm's gradient, of its input, weight and bias, in one call: between small tensors, calls of PyTorch
// cost more than what they compute. `passed`, where given, takes the masked gradient.
void fused_norm_gradient(int64_t bf16, int64_t mask, const void* g, const void* out, const void* x, int64_t N,
                         int64_t P, int64_t C, const float* weight, const float* scale, const float* shift,
                         const float* mean, const double* inverse, void* passed, float* dweight, float* dbias,
                         void* dx, int64_t threads) {
  std::vector<double> ones(N * C), centred(N * C);
  fused_sums(bf16, mask, g, out, x, scale, shift, mean, passed, ones.data(), centred.data(), N, P, C, threads);
  std::vector<float> p(C), q(C), r(C);
  const double count = double(N) * P;
  for (int64_t c = 0; c < C; ++c) {
    double one = 0, dot = 0;
    for (int64_t n = 0; n < N; ++n) { one += ones[n * C + c]; dot += centred[n * C + c]; }
    const double slope = dot * inverse[c], a = weight[c] * inverse[c];
    dweight[c] = float(slope);
    dbias[c] = float(one);
    p[c] = float(a);
    q[c] = float(-a * inverse[c] * slope / count);
    r[c] = float(-a * one / count);
  }
  fused_gradient(bf16, passed ? kNone : mask, passed ? passed : g, x, scale, shift, mean, p.data(), q.data(),
                 r.data(), 0, dx, N, P, C, threads);
}

}  // extern "C"
