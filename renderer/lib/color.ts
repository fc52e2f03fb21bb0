const certain = [99, 125, 245]
const usualColor = [178, 142, 206]
const surprised = [240, 101, 42]

/** What a pack takes for usual is never quite nothing: its scale would have no length. */
const LEAST = 0.05

/** How far along the scale of surprise: 0 certain, a half at what is usual for the pack, 1 from three times that on. */
export function surpriseLevel(bits: number, usual = 1.5): number {
  const times = Math.max(0, bits) / Math.max(LEAST, usual)
  return times <= 1 ? times / 2 : Math.min(1, 0.5 + (times - 1) / 4)
}

/** Bits per byte at each end of the legend and in its middle. */
export const scaleOf = (usual: number) => [0, Math.max(LEAST, usual), 3 * Math.max(LEAST, usual)] as const

/** Color of some bytes by their bits each: faint blue for certain, strong orange for far more than usual. */
export function surpriseColor(bits: number, usual?: number, solid = false): string {
  const t = surpriseLevel(bits, usual)
  const [from, to, s] = t < 0.5 ? [certain, usualColor, t * 2] : [usualColor, surprised, t * 2 - 1]
  const channel = (i: number) => Math.round((from[i] as number) * (1 - s) + (to[i] as number) * s)
  // Up to two thirds: with more of it light text could not be read on the strongest.
  return `rgb(${channel(0)} ${channel(1)} ${channel(2)} / ${solid ? 1 : (0.14 + 0.52 * t).toFixed(2)})`
}
