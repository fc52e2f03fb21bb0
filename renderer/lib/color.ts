const certain = [116, 143, 252]
const surprised = [240, 101, 42]

/** Colour of a patch by its bits per byte: faint blue for 0, certain, to strong orange from 5 on, surprised. */
export function surpriseColor(bits: number): string {
  const t = Math.max(0, Math.min(1, bits / 5))
  const channel = (i: number) => Math.round((certain[i] as number) * (1 - t) + (surprised[i] as number) * t)
  return `rgb(${channel(0)} ${channel(1)} ${channel(2)} / ${(0.18 + 0.6 * t).toFixed(2)})`
}
