import { describe, expect, it } from "vitest"
import { distance, power, silentShare, tones } from "./spectrum.ts"

const RATE = 8000
const tone = (hertz: number, seconds = 2) =>
  Float32Array.from({ length: RATE * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / RATE))

describe("spectra", () => {
  it("a tone's power lies at its frequency", () => {
    const p = power(tone(1000).subarray(0, 1024))
    expect(p.indexOf(Math.max(...p))).toBe((1000 * 1024) / RATE)
  })
  it("a tuned tone is on the twelve-tone grid in its pitch class, a quarter tone off is not", () => {
    const a = tones(tone(440), RATE)
    expect(a.onGrid).toBeGreaterThan(0.99)
    expect(a.classes[9]).toBeGreaterThan(0.99)
    expect(tones(tone(440 * 2 ** (1 / 24)), RATE).onGrid).toBeLessThan(0.01)
  })
  it("of noise about half is on the grid", () => {
    let state = 1
    const noise = Float32Array.from({ length: 10 * RATE }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state / 2 ** 31 - 1
    })
    expect(tones(noise, RATE).onGrid).toBeGreaterThan(0.4)
    expect(tones(noise, RATE).onGrid).toBeLessThan(0.6)
  })
  it("silence is silent, a tone is not", () => {
    expect(silentShare(new Float32Array(RATE), RATE)).toBe(1)
    expect(silentShare(tone(440), RATE)).toBe(0)
  })
  it("distance is 0 for the same and 1 for nothing in common", () => {
    expect(distance([0.5, 0.5], [0.5, 0.5])).toBe(0)
    expect(distance([1, 0], [0, 1])).toBe(1)
  })
})
