import constants from "../../../contract/constants.json" with { type: "json" }

/**
 * Numbers of a row that share one scale: the longest block that divides the row. Long ones are read faster (128: 1.2
 * times 32 on the CPU) and cost next to nothing in bits per byte. Undefined: the row cannot be quantised.
 */
export function blockOf(columns: number): number | undefined {
  return constants.quantization.blocks.find((block) => columns % block === 0)
}

/** A matrix of signed 8-bit numbers: w = q * scale. In blocks it is row-major [rows, columns], scales [rows, columns/block]. */
export type Blocks = { q: Int8Array; scales: Float32Array }

/** Symmetric 8-bit blocks of a matrix (as megabyte/export.py does it). `block`: from `blockOf`. */
export function quantize(w: Float32Array, block: number): Blocks {
  const scales = new Float32Array(w.length / block)
  const q = new Int8Array(w.length)
  for (let b = 0; b < scales.length; b++) {
    let top = 1e-7
    for (let i = b * block; i < (b + 1) * block; i++) top = Math.max(top, Math.abs(w[i] as number))
    const scale = top / 127
    scales[b] = scale
    for (let i = b * block; i < (b + 1) * block; i++) q[i] = Math.round((w[i] as number) / scale)
  }
  return { q, scales }
}

/** The fp32 numbers that blocks stand for. */
export function dequantize({ q, scales }: Blocks): Float32Array {
  const block = q.length / scales.length
  const w = new Float32Array(q.length)
  for (let i = 0; i < w.length; i++) w[i] = (q[i] as number) * (scales[Math.floor(i / block)] as number)
  return w
}

/**
 * A matrix [rows, columns] as signed 8-bit numbers with one scale a row (per-channel quantization), transposed to
 * [columns, rows] as DynamicQuantizeMatMul takes it. On processors without VNNI its kernel adds the products of two
 * neighbours with unsigned 8-bit activations in 16 bits, and saturates: the scale is so large that they always fit.
 */
export function quantizeChannels(w: Float32Array, rows: number, columns: number): Blocks {
  const scales = new Float32Array(rows)
  const q = new Int8Array(w.length)
  for (let r = 0; r < rows; r++) {
    const row = w.subarray(r * columns, (r + 1) * columns)
    let top = 1e-7
    for (let i = 0; i < columns; i += 2) {
      const [a, b] = [row[i] as number, (row[i + 1] ?? 0) as number]
      top = Math.max(top, Math.abs(a), Math.abs(b), a * b > 0 ? Math.abs(a + b) : 0)
    }
    const scale = top / 127 // two roundings add at most 1 to a pair: 255 * 128 < 2^15
    scales[r] = scale
    for (let i = 0; i < columns; i++) q[i * rows + r] = Math.round((row[i] as number) / scale)
  }
  return { q, scales }
}
