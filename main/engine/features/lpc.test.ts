import { describe, expect, it } from "vitest"
import { byteOf } from "../../../contract/samples.ts"
import { expectedAt, fitPredictor, LEVELS, samplesOf } from "./lpc.ts"

const tone = Uint8Array.from({ length: 2000 }, (_, i) => byteOf(0.5 * Math.sin(i * 0.3) + 0.2 * Math.sin(i * 0.71)))

describe("linear prediction", () => {
  it("expects tones to within a few bytes, far better than the last byte", () => {
    const found = fitPredictor({ order: 16, window: 1024 }, samplesOf(tone), 1500)
    let [gap, still] = [0, 0]
    for (let t = 1500; t < 1516; t++) {
      gap = Math.max(gap, Math.abs(byteOf(expectedAt(found.coefficients, samplesOf(tone), t)) - (tone[t] as number)))
      still = Math.max(still, Math.abs((tone[t - 1] as number) - (tone[t] as number)))
    }
    expect(gap).toBeLessThanOrEqual(8)
    expect(still).toBeGreaterThan(40)
  })
  it("before any sound, and in silence, expects silence and no error", () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(600).fill(128)]) {
      const found = fitPredictor({ order: 8, window: 512 }, samplesOf(bytes), bytes.length)
      expect(byteOf(expectedAt(found.coefficients, samplesOf(bytes), bytes.length))).toBe(128)
      expect(found.level).toBe(0)
    }
  })
  it("expects a larger error of noise than of a tone", () => {
    let state = 1
    const noise = Uint8Array.from({ length: 2000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    })
    const level = (bytes: Uint8Array) => fitPredictor({ order: 16, window: 1024 }, samplesOf(bytes), 1500).level
    expect(level(noise)).toBeGreaterThan(level(tone) + 8)
    expect(level(noise)).toBeLessThan(LEVELS)
  })
})
