import { describe, expect, it } from "vitest"
import { pathOf, placeOn, samplingAt } from "./dial.ts"

const path = {
  tame: { temperature: 0.6, topP: 0.9, minP: 0.05, topK: 0 },
  usual: { temperature: 0.8, topP: 0.95, minP: 0, topK: 0 },
  wild: { temperature: 1.2, topP: 1, minP: 0.02, topK: 0 },
}

describe("the dial", () => {
  it("passes through the three measured settings, and straight between them", () => {
    expect([0, 0.5, 1].map((t) => samplingAt(path, t))).toEqual([path.tame, path.usual, path.wild])
    expect(samplingAt(path, 0.75)).toEqual({ temperature: 1, topP: 0.975, minP: 0.01, topK: 0 })
  })

  it("finds its place from the settings, and none for settings beside the path", () => {
    for (const t of [0, 0.3, 0.5, 0.77, 1]) expect(placeOn(path, samplingAt(path, t))).toBeCloseTo(t, 2)
    expect(placeOn(path, { ...path.usual, topK: 5 })).toBeUndefined()
  })

  it("leads away from the open style by as much as lies between", () => {
    const guided = { ...path, tame: { ...path.tame, guidance: 2 }, usual: { ...path.usual, guidance: 1.5 } }
    expect([0, 0.25, 0.5, 0.75].map((t) => samplingAt(guided, t).guidance)).toEqual([2, 1.75, 1.5, 1.25])
    expect(placeOn(guided, { ...path.usual, guidance: 1.5 })).toBe(0.5)
    expect(placeOn(guided, path.usual)).toBeUndefined()
  })

  it("has a path for a pack without presets", () => {
    expect(pathOf(undefined).usual.temperature).toBeGreaterThan(pathOf(undefined).tame.temperature)
  })
})
