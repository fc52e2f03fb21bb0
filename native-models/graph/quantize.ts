/**
 * Numbers of a row that share one scale: the longest block that divides the row. Long ones are read faster (128: 1.2
 * times 32 on the CPU) and cost next to nothing in bits per byte. Undefined: the row cannot be quantised.
 */
export function blockOf(columns: number): number | undefined {
  return [128, 64, 32].find((block) => columns % block === 0)
}

/** A matrix in blocks of signed 8-bit numbers: w = q * scale. Row-major [rows, columns], scales [rows, columns/block]. */
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
