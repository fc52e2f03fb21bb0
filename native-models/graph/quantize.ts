/** Numbers that share one scale, along a row. MatMulNBits needs every row length to be a multiple of it. */
export const BLOCK = 32

/** A matrix in blocks of 32 signed 8-bit numbers: w = q * scale. Row-major [rows, columns], scales [rows, columns/32]. */
export type Blocks = { q: Int8Array; scales: Float32Array }

/** Symmetric 8-bit blocks of a matrix whose row length is a multiple of 32 (as megabyte/export.py does it). */
export function quantize(w: Float32Array): Blocks {
  const scales = new Float32Array(w.length / BLOCK)
  const q = new Int8Array(w.length)
  for (let b = 0; b < scales.length; b++) {
    let top = 1e-7
    for (let i = b * BLOCK; i < (b + 1) * BLOCK; i++) top = Math.max(top, Math.abs(w[i] as number))
    const scale = top / 127
    scales[b] = scale
    for (let i = b * BLOCK; i < (b + 1) * BLOCK; i++) q[i] = Math.round((w[i] as number) / scale)
  }
  return { q, scales }
}

/** The fp32 numbers that blocks stand for. */
export function dequantize({ q, scales }: Blocks): Float32Array {
  const w = new Float32Array(q.length)
  for (let i = 0; i < w.length; i++) w[i] = (q[i] as number) * (scales[(i / BLOCK) | 0] as number)
  return w
}
