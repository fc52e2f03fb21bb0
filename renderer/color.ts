const certain = [116, 143, 252]
const surprised = [240, 101, 42]

/** Colour of a patch by its bits per byte: faint blue for 0, certain, to strong orange from 5 on, surprised. */
export function surpriseColor(bits: number): string {
  const t = Math.max(0, Math.min(1, bits / 5))
  const channel = (i: number) => Math.round((certain[i] as number) * (1 - t) + (surprised[i] as number) * t)
  return `rgb(${channel(0)} ${channel(1)} ${channel(2)} / ${(0.18 + 0.6 * t).toFixed(2)})`
}

/** Mean bits of bytes from..to; undefined where none of them was generated or scored. */
export function meanBits(bits: Float32Array, from: number, to: number): number | undefined {
  let sum = 0
  let count = 0
  for (let i = from; i < Math.min(to, bits.length); i++) {
    const b = bits[i] as number
    if (b >= 0) {
      sum += b
      count++
    }
  }
  return count ? sum / count : undefined
}
