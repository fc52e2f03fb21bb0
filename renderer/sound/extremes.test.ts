import { describe, expect, it } from "vitest"
import type { Sound } from "../../contract/pack.ts"
import { decodeSamples, encodeSamples } from "../../contract/samples.ts"
import { Extremes } from "./extremes.ts"

describe("lowest and highest samples", () => {
  it.each(["mu-law", "pcm16"] as const)("of any stretch are exact, however the sound has grown: %s", (encoding) => {
    const sound: Sound = { rate: 8000, encoding, header: 0, styles: ["any"] }
    const noise = Float32Array.from(
      { length: 70_000 },
      (_, i) => (((i * 48271) % 65537) / 65537 - 0.5) * Math.sin(i / 9000),
    )
    const bytes = encodeSamples(noise, sound)
    const samples = decodeSamples(bytes, sound)
    const step = bytes.length / noise.length
    const extremes = new Extremes(sound)
    for (const there of [1, 63, 64, 65, 5000, 5001, 70_000]) {
      const grown = bytes.subarray(0, there * step)
      extremes.grow(grown)
      for (const [from, to] of [
        [0, there],
        [0, 1],
        [there - 1, there],
        [Math.floor(there / 3), Math.floor((2 * there) / 3) + 1],
      ] as const) {
        const stretch = [...samples.subarray(from, to)]
        const [low, high] = extremes.of(grown, from, to)
        expect([low, high].map(Math.fround)).toEqual([
          Math.min(...stretch.slice(0, 50_000), ...stretch.slice(50_000)),
          Math.max(...stretch.slice(0, 50_000), ...stretch.slice(50_000)),
        ])
      }
    }
  })
})
