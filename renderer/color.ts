/** Colour of a patch by its bits per byte: 0 certain (cool, faint), 6 and more surprised (warm, strong). */
export function surpriseColor(bits: number): string {
  const t = Math.max(0, Math.min(1, bits / 6))
  const hue = 215 - 200 * t
  return `hsl(${hue.toFixed(0)} ${(55 + 30 * t).toFixed(0)}% ${(62 - 8 * t).toFixed(0)}% / ${(0.25 + 0.75 * t).toFixed(2)})`
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
