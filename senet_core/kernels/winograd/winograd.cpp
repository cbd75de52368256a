// Convolutions of 3 x 3 with padding 1 and stride 1 or 2, and their gradients, by Winograd's minimal filtering (Lavin and
// Gray 2016, arXiv:1509.09308): for 4 x 4 outputs 36 products, or 81 with stride 2, where the usual way takes 144.
//
// In float32. Maps lie in memory as (N, H, W, C), PyTorch's channels_last; vectors run over channels. Tiles of 4 x 4
// outputs go in blocks through three steps that stay in the second cache: V = B^T d B of what every tile sees, at each of
// the points a matrix product M = V U with U = G w G^T, and y = A^T M A. Gradients are the adjoints of these steps, so
// that they belong to the function that was computed: Z = A dy A^T, dU = sum of V^T Z, dx = B (Z U^T) B^T, dw = G^T dU G.
// Everything is summed in one order; with several threads, by thread.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16, kRows = 12;
#else
constexpr int kLanes = 8, kRows = 6;  // 2 x 6 sums, 2 vectors and a broadcast value: 15 of 16 registers
#endif
typedef float Vec __attribute__((vector_size(kLanes * sizeof(float))));
typedef float Unaligned __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

inline Vec load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
inline void store(float* to, Vec v) { *reinterpret_cast<Unaligned*>(to) = v; }
inline Vec all(float v) { return v - Vec{}; }  // 0 + v would be an addition: it is not v where v is -0

constexpr int kKernel = 3, kOut = 4;
constexpr int64_t kBlock = 24;  // tiles of a block, a multiple of kRows: all it holds is then in the second cache

// What an algorithm does along one dimension; `both_ways` applies it to the columns and to the rows of a tile.

// Stride 1: F(4, 3) at 0, +-a, +-b and infinity. At oneDNN's a and b the rounding error is less than half of what it is at
// the usual 1 and 2.
struct Stride1 {
  static constexpr int stride = 1, in = 6;
  static constexpr float a = 0.625f, b = 1.5f, a2 = a * a, b2 = b * b;
  static constexpr float g0 = 1 / (a2 * b2), ga = 1 / (2 * a2 * (a2 - b2)), gb = 1 / (2 * b2 * (b2 - a2));

  struct Input {  // B^T d
    static constexpr int from = in, to = in;
    static inline void run(const Vec* d, Vec* t) {
      const Vec e1 = d[4] - b2 * d[2], o1 = d[3] - b2 * d[1], e2 = d[4] - a2 * d[2], o2 = d[3] - a2 * d[1];
      t[0] = (a2 * b2) * d[0] + (d[4] - (a2 + b2) * d[2]);
      t[1] = e1 + a * o1;
      t[2] = e1 - a * o1;
      t[3] = e2 + b * o2;
      t[4] = e2 - b * o2;
      t[5] = (a2 * b2) * d[1] + (d[5] - (a2 + b2) * d[3]);
    }
  };
  struct InputAdjoint {  // B t
    static constexpr int from = in, to = in;
    static inline void run(const Vec* t, Vec* d) {
      const Vec s1 = t[1] + t[2], f1 = t[1] - t[2], s2 = t[3] + t[4], f2 = t[3] - t[4];
      d[0] = (a2 * b2) * t[0];
      d[1] = (a2 * b2) * t[5] - (a * b2) * f1 - (a2 * b) * f2;
      d[2] = -(a2 + b2) * t[0] - b2 * s1 - a2 * s2;
      d[3] = a * f1 + b * f2 - (a2 + b2) * t[5];
      d[4] = t[0] + s1 + s2;
      d[5] = t[5];
    }
  };
  struct Output {  // A^T t
    static constexpr int from = in, to = kOut;
    static inline void run(const Vec* t, Vec* y) {
      const Vec s1 = t[1] + t[2], f1 = t[1] - t[2], s2 = t[3] + t[4], f2 = t[3] - t[4];
      y[0] = t[0] + s1 + s2;
      y[1] = a * f1 + b * f2;
      y[2] = a2 * s1 + b2 * s2;
      y[3] = (a2 * a) * f1 + ((b2 * b) * f2 + t[5]);
    }
  };
  struct OutputAdjoint {  // A y
    static constexpr int from = kOut, to = in;
    static inline void run(const Vec* y, Vec* t) {
      const Vec e1 = y[0] + a2 * y[2], o1 = y[1] + a2 * y[3], e2 = y[0] + b2 * y[2], o2 = y[1] + b2 * y[3];
      t[0] = y[0];
      t[1] = e1 + a * o1;
      t[2] = e1 - a * o1;
      t[3] = e2 + b * o2;
      t[4] = e2 - b * o2;
      t[5] = y[3];
    }
  };
  struct Weight {  // G w
    static constexpr int from = kKernel, to = in;
    static inline void run(const Vec* w, Vec* u) {
      const Vec ea = ga * (w[0] + a2 * w[2]), oa = (ga * a) * w[1], eb = gb * (w[0] + b2 * w[2]), ob = (gb * b) * w[1];
      u[0] = g0 * w[0];
      u[1] = ea + oa;
      u[2] = ea - oa;
      u[3] = eb + ob;
      u[4] = eb - ob;
      u[5] = w[2];
    }
  };
  struct WeightAdjoint {  // G^T u
    static constexpr int from = in, to = kKernel;
    static inline void run(const Vec* u, Vec* w) {
      const Vec sa = ga * (u[1] + u[2]), fa = (ga * a) * (u[1] - u[2]);
      const Vec sb = gb * (u[3] + u[4]), fb = (gb * b) * (u[3] - u[4]);
      w[0] = g0 * u[0] + sa + sb;
      w[1] = fa + fb;
      w[2] = a2 * sa + (b2 * sb + u[5]);
    }
  };
};

// Stride 2: the middle tap sees every second position, for which nothing can be saved (the first 4 of 9 values); the
// outer taps see the positions between, as F(4, 2) at 0, +-a, b and infinity (the other 5).
struct Stride2 {
  static constexpr int stride = 2, in = 9;
  static constexpr float a = 1.0f, b = 2.0f, a2 = a * a, b2 = b * b;
  static constexpr float g0 = 1 / (a2 * b), gp = 1 / (2 * a2 * (a - b)), gm = -1 / (2 * a2 * (a + b)), gb = 1 / (b * (b2 - a2));

  struct Input {
    static constexpr int from = in, to = in;
    static inline void run(const Vec* d, Vec* t) {
      for (int k = 0; k < kOut; ++k) t[k] = d[2 * k + 1];
      const Vec e = d[6] - b * d[4], f = a * d[4] - (a * b) * d[2];
      t[4] = e + a2 * (b * d[0] - d[2]);
      t[5] = e + f;
      t[6] = e - f;
      t[7] = d[6] - a2 * d[2];
      t[8] = d[8] - b * d[6] - a2 * (d[4] - b * d[2]);
    }
  };
  struct InputAdjoint {
    static constexpr int from = in, to = in;
    static inline void run(const Vec* t, Vec* d) {
      for (int k = 0; k < kOut; ++k) d[2 * k + 1] = t[k];
      const Vec sum = t[4] + t[5] + t[6], f = t[5] - t[6];
      d[0] = (a2 * b) * t[4];
      d[2] = (a2 * b) * t[8] - a2 * (t[4] + t[7]) - (a * b) * f;
      d[4] = a * f - b * sum - a2 * t[8];
      d[6] = sum + t[7] - b * t[8];
      d[8] = t[8];
    }
  };
  struct Output {
    static constexpr int from = in, to = kOut;
    static inline void run(const Vec* t, Vec* y) {
      const Vec s = t[5] + t[6], f = t[5] - t[6];
      y[0] = t[0] + t[4] + s + t[7];
      y[1] = t[1] + a * f + b * t[7];
      y[2] = t[2] + a2 * s + b2 * t[7];
      y[3] = t[3] + (a2 * a) * f + (b2 * b) * t[7] + t[8];
    }
  };
  struct OutputAdjoint {
    static constexpr int from = kOut, to = in;
    static inline void run(const Vec* y, Vec* t) {
      for (int k = 0; k < kOut; ++k) t[k] = y[k];
      const Vec e = y[0] + a2 * y[2], o = a * (y[1] + a2 * y[3]);
      t[4] = y[0];
      t[5] = e + o;
      t[6] = e - o;
      t[7] = y[0] + b * (y[1] + b * (y[2] + b * y[3]));
      t[8] = y[3];
    }
  };
  struct Weight {
    static constexpr int from = kKernel, to = in;
    static inline void run(const Vec* w, Vec* u) {
      for (int k = 0; k < kOut; ++k) u[k] = w[1];
      u[4] = g0 * w[0];
      u[5] = gp * (w[0] + a * w[2]);
      u[6] = gm * (w[0] - a * w[2]);
      u[7] = gb * (w[0] + b * w[2]);
      u[8] = w[2];
    }
  };
  struct WeightAdjoint {
    static constexpr int from = in, to = kKernel;
    static inline void run(const Vec* u, Vec* w) {
      const Vec p = gp * u[5], m = gm * u[6], q = gb * u[7];
      w[0] = g0 * u[4] + p + m + q;
      w[1] = u[0] + u[1] + u[2] + u[3];
      w[2] = a * (p - m) + b * q + u[8];
    }
  };
};

// Computes T X T^T, with X(i, j) from read(i, j) and the result to write(i, j, value).
template <class T, class Read, class Write>
inline __attribute__((always_inline)) void both_ways(Read read, Write write) {
  Vec half[T::to][T::from];
#pragma GCC unroll 9
  for (int j = 0; j < T::from; ++j) {
    Vec in[T::from], out[T::to];
#pragma GCC unroll 9
    for (int i = 0; i < T::from; ++i) in[i] = read(i, j);
    T::run(in, out);
#pragma GCC unroll 9
    for (int i = 0; i < T::to; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 9
  for (int i = 0; i < T::to; ++i) {
    Vec out[T::to];
    T::run(half[i], out);
#pragma GCC unroll 9
    for (int j = 0; j < T::to; ++j) write(i, j, out[j]);
  }
}

// A matrix in memory: element (i, k) is at data[i * row + k * step].
struct Matrix { const float* data; int64_t row, step; };

// R rows and S vectors of out = x y, or of out += x y; y and out have step 1.
template <int R, int S, bool kAdd>
inline void product_block(Matrix x, Matrix y, int64_t K, float* out, int64_t row) {
  Vec sum[R][S];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int s = 0; s < S; ++s) sum[r][s] = kAdd ? load(out + r * row + s * kLanes) : Vec{};
#pragma GCC unroll 4
  for (int64_t k = 0; k < K; ++k) {
    Vec v[S];
#pragma GCC unroll 2
    for (int s = 0; s < S; ++s) v[s] = load(y.data + k * y.row + s * kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const Vec w = all(x.data[r * x.row + k * x.step]);
#pragma GCC unroll 2
      for (int s = 0; s < S; ++s) sum[r][s] += w * v[s];
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int s = 0; s < S; ++s) store(out + r * row + s * kLanes, sum[r][s]);
}
template <int S, bool kAdd, int R = kRows>
inline void product_rows(int64_t rows, Matrix x, Matrix y, int64_t K, float* out, int64_t row) {
  if (rows == R) return product_block<R, S, kAdd>(x, y, K, out, row);
  if constexpr (R > 1) product_rows<S, kAdd, R - 1>(rows, x, y, K, out, row);
}
// out (rows x columns) = or += x (rows x K) y (K x columns); columns are a multiple of kLanes.
template <bool kAdd>
void product(int64_t rows, int64_t columns, int64_t K, Matrix x, Matrix y, float* out, int64_t row) {
  const int64_t parts = (rows + kRows - 1) / kRows;
  for (int64_t n = 0; n < columns; n += 2 * kLanes)
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t first = part * rows / parts, count = (part + 1) * rows / parts - first;
      const Matrix xs{x.data + first * x.row, x.row, x.step}, ys{y.data + n, y.row, 1};
      float* to = out + first * row + n;
      if (columns - n >= 2 * kLanes) product_rows<2, kAdd>(count, xs, ys, K, to, row);
      else product_rows<1, kAdd>(count, xs, ys, K, to, row);
    }
}

struct Free { void operator()(float* p) const { std::free(p); } };
typedef std::unique_ptr<float[], Free> Buffer;
Buffer buffer(int64_t floats) { return Buffer(static_cast<float*>(std::aligned_alloc(64, (floats * 4 + 63) / 64 * 64))); }

// A convolution by algorithm A: sizes of the maps, and how tiles lie in them. C channels come in, K go out.
template <class A> struct Layer {
  static constexpr int kPoints = A::in * A::in;
  int64_t N, H, W, C, K;

  int64_t out_height() const { return (H + A::stride - 1) / A::stride; }
  int64_t out_width() const { return (W + A::stride - 1) / A::stride; }
  int64_t across() const { return (out_width() + kOut - 1) / kOut; }
  int64_t tiles_of_sample() const { return across() * ((out_height() + kOut - 1) / kOut); }
  int64_t tiles() const { return N * tiles_of_sample(); }
  int64_t in_sample() const { return H * W * C; }
  int64_t out_sample() const { return out_height() * out_width() * K; }
  // Points of a tile lie together; the floats between tiles keep them off the same places of the first cache.
  static int64_t tile_floats(int64_t channels) { return kPoints * channels + 16; }
};

// The side x side positions of a map that a tile reads or writes, from (y, x) of a sample on; it may reach beyond the map.
struct Patch {
  int64_t H, W, C, y, x, side;
  float* sample;
  bool inside() const { return y >= 0 && x >= 0 && y + side <= H && x + side <= W; }
  float* origin() const { return sample + (y * W + x) * C; }

  // Copies the patch, with zeros where it is not in the map.
  void copy_to(float* to) const {
    const int64_t left = std::max<int64_t>(-x, 0) * C, right = (std::min(x + side, W) - x) * C, all = side * C;
    for (int64_t i = 0; i < side; ++i, to += all) {
      const bool within = y + i >= 0 && y + i < H;
      const float* from = origin() + i * W * C;
      for (int64_t k = 0; k < all; k += kLanes) store(to + k, within && k >= left && k < right ? load(from + k) : Vec{});
    }
  }
  // Writes, or adds, what of a copy lies in the map.
  template <bool kAdd> void take(const float* copy) const {
    const int64_t left = std::max<int64_t>(-x, 0) * C, right = (std::min(x + side, W) - x) * C;
    for (int64_t i = std::max<int64_t>(-y, 0); i < std::min(side, H - y); ++i) {
      float* to = origin() + i * W * C;
      const float* from = copy + i * side * C;
      for (int64_t k = left; k < right; k += kLanes) store(to + k, kAdd ? load(to + k) + load(from + k) : load(from + k));
    }
  }
};
// `side` tells the map: only what comes out is read and written in patches of kOut.
template <class A> Patch patch_of(const Layer<A>& s, const float* map, int64_t tile, int side) {
  const int64_t n = tile / s.tiles_of_sample(), place = tile % s.tiles_of_sample();
  const int64_t y = place / s.across() * kOut, x = place % s.across() * kOut;
  float* start = const_cast<float*>(map);
  if (side == kOut) return {s.out_height(), s.out_width(), s.K, y, x, side, start + n * s.out_sample()};
  return {s.H, s.W, s.C, y * A::stride - 1, x * A::stride - 1, side, start + n * s.in_sample()};
}

// to[tile][point][channel] = T patch T^T. kC is C where it is known when this is compiled, which makes offsets constants.
template <class A, class T, int kC>
void from_map(const Layer<A>& s, const float* map, int64_t first, int64_t count, float* copy, float* to) {
  const int64_t C = kC ? kC : T::from == kOut ? s.K : s.C;
  for (int64_t t = 0; t < count; ++t, to += s.tile_floats(C)) {
    const Patch patch = patch_of(s, map, first + t, T::from);
    const bool inside = patch.inside();
    if (!inside) patch.copy_to(copy);
    const float* from = inside ? patch.origin() : copy;
    const int64_t row = (inside ? patch.W : T::from) * C;
    for (int64_t c = 0; c < C; c += kLanes)
      both_ways<T>([=](int i, int j) { return load(from + i * row + j * C + c); },
                   [=](int i, int j, Vec v) { store(to + (i * A::in + j) * C + c, v); });
  }
}
// patch = or += T from[tile] T^T; patches that are added may overlap.
template <class A, class T, bool kAdd, int kC>
void to_map(const Layer<A>& s, const float* from, int64_t first, int64_t count, float* copy, float* map) {
  const int64_t C = kC ? kC : T::to == kOut ? s.K : s.C;
  for (int64_t t = 0; t < count; ++t, from += s.tile_floats(C)) {
    const Patch patch = patch_of(s, map, first + t, T::to);
    const bool inside = patch.inside();
    float* to = inside ? patch.origin() : copy;
    const int64_t row = (inside ? patch.W : T::to) * C;
    const bool add = kAdd && inside;
    for (int64_t c = 0; c < C; c += kLanes) {
      auto read = [=](int i, int j) { return load(from + (i * A::in + j) * C + c); };
      if (add) both_ways<T>(read, [=](int i, int j, Vec v) { float* at = to + i * row + j * C + c; store(at, load(at) + v); });
      else both_ways<T>(read, [=](int i, int j, Vec v) { store(to + i * row + j * C + c, v); });
    }
    if (!inside) patch.template take<kAdd>(copy);
  }
}
template <class T, class A>
void read_tiles(const Layer<A>& s, const float* map, int64_t first, int64_t count, float* copy, float* to) {
  const int64_t C = T::from == kOut ? s.K : s.C;
  auto f = C == 16 ? from_map<A, T, 16> : C == 32 ? from_map<A, T, 32> : C == 64 ? from_map<A, T, 64> : from_map<A, T, 0>;
  f(s, map, first, count, copy, to);
}
template <class T, bool kAdd, class A>
void write_tiles(const Layer<A>& s, const float* from, int64_t first, int64_t count, float* copy, float* map) {
  const int64_t C = T::to == kOut ? s.K : s.C;
  auto f = C == 16 ? to_map<A, T, kAdd, 16> : C == 32 ? to_map<A, T, kAdd, 32> : C == 64 ? to_map<A, T, kAdd, 64> : to_map<A, T, kAdd, 0>;
  f(s, from, first, count, copy, map);
}

// Fetches what of a map a block of tiles will touch, a share at every point: while products run, memory is idle.
// Inlined by force: a function that only fetches counts as one without effect, and would be left out.
template <int kShares> struct Ahead {
  const float* map;
  int64_t floats, tiles;
  template <bool kWrite> inline __attribute__((always_inline)) void fetch(int64_t first, int share) const {
    const int64_t begin = std::min(first, tiles) * floats / tiles, end = std::min(first + kBlock, tiles) * floats / tiles;
    const int64_t to = begin + (end - begin) * (share + 1) / kShares;
    for (int64_t at = (begin + (end - begin) * share / kShares) / 16 * 16; at < to; at += 16)
      __builtin_prefetch(map + at, kWrite, 2);
  }
};

// ut[point][K][C] = G w G^T, from w (K, 3, 3, C); u[point][C][K] is its transpose.
template <class A> void transform_weight(const Layer<A>& s, const float* w, float* ut) {
  for (int64_t k = 0; k < s.K; ++k)
    for (int64_t c = 0; c < s.C; c += kLanes)
      both_ways<typename A::Weight>([=](int i, int j) { return load(w + ((k * kKernel + i) * kKernel + j) * s.C + c); },
                                    [=](int i, int j, Vec v) { store(ut + ((i * A::in + j) * s.K + k) * s.C + c, v); });
}
template <class A> void transform_weight_back(const Layer<A>& s, const float* du, float* dw) {
  for (int64_t k = 0; k < s.K; ++k)
    for (int64_t c = 0; c < s.C; c += kLanes)
      both_ways<typename A::WeightAdjoint>([=](int i, int j) { return load(du + ((i * A::in + j) * s.K + k) * s.C + c); },
                                           [=](int i, int j, Vec v) { store(dw + ((k * kKernel + i) * kKernel + j) * s.C + c, v); });
}
template <class A> void transpose(const Layer<A>& s, const float* ut, float* u) {
  constexpr int64_t kSide = 8;
  for (int point = 0; point < s.kPoints; ++point, ut += s.C * s.K, u += s.C * s.K)
    for (int64_t k0 = 0; k0 < s.K; k0 += kSide)
      for (int64_t c0 = 0; c0 < s.C; c0 += kSide)
        for (int64_t c = c0; c < c0 + kSide; ++c)
          for (int64_t k = k0; k < k0 + kSide; ++k) u[c * s.K + k] = ut[k * s.C + c];
}

template <class A> void forward(const Layer<A>& s, const float* x, const float* u, float* y) {
  const int64_t vs = s.tile_floats(s.C), ms = s.tile_floats(s.K), tiles = s.tiles();
  Buffer v = buffer(kBlock * vs), m = buffer(kBlock * ms), copy = buffer(s.kPoints * std::max(s.C, s.K));
  const Ahead<Layer<A>::kPoints> next{x, s.N * s.in_sample(), tiles}, here{y, s.N * s.out_sample(), tiles};
  for (int64_t first = 0; first < tiles; first += kBlock) {
    const int64_t count = std::min(kBlock, tiles - first);
    read_tiles<typename A::Input>(s, x, first, count, copy.get(), v.get());
    for (int p = 0; p < s.kPoints; ++p) {
      next.template fetch<false>(first + kBlock, p);
      here.template fetch<true>(first, p);
      product<false>(count, s.K, s.C, {v.get() + p * s.C, vs, 1}, {u + p * s.C * s.K, s.K, 1}, m.get() + p * s.K, ms);
    }
    write_tiles<typename A::Output, false>(s, m.get(), first, count, copy.get(), y);
  }
}

template <class A> void backward(const Layer<A>& s, const float* dy, const float* x, const float* ut, float* dx, float* du) {
  const int64_t vs = s.tile_floats(s.C), zs = s.tile_floats(s.K), tiles = s.tiles();
  Buffer v = buffer(kBlock * vs), z = buffer(kBlock * zs), copy = buffer(s.kPoints * std::max(s.C, s.K));
  const Ahead<Layer<A>::kPoints> next_dy{dy, s.N * s.out_sample(), tiles}, next_x{x, s.N * s.in_sample(), tiles};
  const Ahead<Layer<A>::kPoints> here{dx, s.N * s.in_sample(), tiles};
  int64_t cleared = 0;  // samples
  for (int64_t first = 0; first < tiles; first += kBlock) {
    const int64_t count = std::min(kBlock, tiles - first);
    for (; cleared <= (first + count - 1) / s.tiles_of_sample(); ++cleared)
      std::memset(dx + cleared * s.in_sample(), 0, s.in_sample() * sizeof(float));
    read_tiles<typename A::OutputAdjoint>(s, dy, first, count, copy.get(), z.get());
    read_tiles<typename A::Input>(s, x, first, count, copy.get(), v.get());
    for (int p = 0; p < s.kPoints; ++p) {
      next_dy.template fetch<false>(first + kBlock, p);
      next_x.template fetch<false>(first + kBlock, p);
      here.template fetch<true>(first, p);
      float *vp = v.get() + p * s.C, *zp = z.get() + p * s.K;
      product<true>(s.K, s.C, count, {zp, 1, zs}, {vp, vs, 1}, du + p * s.C * s.K, s.C);
      product<false>(count, s.C, s.K, {zp, zs, 1}, {ut + p * s.C * s.K, s.C, 1}, vp, vs);
    }
    write_tiles<typename A::InputAdjoint, true>(s, v.get(), first, count, copy.get(), dx);
  }
}

// Calls body(part, first sample, samples) for as many parts of the batch as there are threads.
template <class Body> void in_parts(int64_t N, int64_t parts, Body body) {
  std::vector<std::thread> others;
  for (int64_t part = 1; part < parts; ++part)
    others.emplace_back(body, part, part * N / parts, (part + 1) * N / parts - part * N / parts);
  body(int64_t(0), int64_t(0), N / parts);
  for (auto& thread : others) thread.join();
}

template <class A> void forward_in_parts(const Layer<A>& s, const float* x, const float* w, float* y, int64_t threads) {
  const int64_t floats = s.kPoints * s.C * s.K;
  Buffer ut = buffer(floats), u = buffer(floats);
  transform_weight(s, w, ut.get());
  transpose(s, ut.get(), u.get());
  in_parts(s.N, std::max<int64_t>(1, std::min(s.N, threads)), [&](int64_t, int64_t first, int64_t count) {
    Layer<A> part = s;
    part.N = count;
    forward(part, x + first * s.in_sample(), u.get(), y + first * s.out_sample());
  });
}

template <class A>
void backward_in_parts(const Layer<A>& s, const float* dy, const float* x, const float* w, float* dx, float* dw, int64_t threads) {
  const int64_t parts = std::max<int64_t>(1, std::min(s.N, threads)), floats = s.kPoints * s.C * s.K;
  Buffer ut = buffer(floats), du = buffer(parts * floats);
  transform_weight(s, w, ut.get());
  std::memset(du.get(), 0, parts * floats * sizeof(float));
  in_parts(s.N, parts, [&](int64_t number, int64_t first, int64_t count) {
    Layer<A> part = s;
    part.N = count;
    backward(part, dy + first * s.out_sample(), x + first * s.in_sample(), ut.get(), dx + first * s.in_sample(),
             du.get() + number * floats);
  });
  for (int64_t part = 1; part < parts; ++part)
    for (int64_t i = 0; i < floats; ++i) du[i] += du[part * floats + i];
  transform_weight_back(s, du.get(), dw);
}

}  // namespace

extern "C" {

// y (N, H / stride, W / stride, K), rounded up, of x (N, H, W, C) and w (K, 3, 3, C); C and K are multiples of 16.
void winograd_forward(const float* x, const float* w, float* y, int64_t N, int64_t H, int64_t W, int64_t C, int64_t K,
                      int64_t stride, int64_t threads) {
  if (stride == 1) forward_in_parts(Layer<Stride1>{N, H, W, C, K}, x, w, y, threads);
  else forward_in_parts(Layer<Stride2>{N, H, W, C, K}, x, w, y, threads);
}

// The gradients dx of x and dw of w, from dy.
void winograd_backward(const float* dy, const float* x, const float* w, float* dx, float* dw, int64_t N, int64_t H,
                       int64_t W, int64_t C, int64_t K, int64_t stride, int64_t threads) {
  if (stride == 1) backward_in_parts(Layer<Stride1>{N, H, W, C, K}, dy, x, w, dx, dw, threads);
  else backward_in_parts(Layer<Stride2>{N, H, W, C, K}, dy, x, w, dx, dw, threads);
}

}  // extern "C"
