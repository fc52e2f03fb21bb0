import { describe, expect, it } from "vitest"
import { presetsOf } from "./presets.ts"
import { defaultSampling, masksOf, outside, Presets, Ranges } from "./sampling.ts"

describe("how bytes are drawn", () => {
  it("leaves bytes out by what the settings say, and by nothing where they are greedy or leave all in", () => {
    expect(masksOf({ temperature: 1, topP: 0.9, topK: 5, minP: 0.1 })).toEqual(["p", "k", "m"])
    expect(masksOf({ temperature: 1, topP: 1, topK: 0, minP: 0.1 })).toEqual(["m"])
    expect(masksOf({ temperature: 1, topP: 1, topK: 0, minP: 0 })).toEqual([])
    expect(masksOf({ temperature: 0, topP: 0.9, topK: 5, minP: 0.1 })).toEqual([])
  })
  it("has a pack's own presets, and what its modality makes of its default where it has none", () => {
    const tame = { ...defaultSampling, temperature: 0.3 }
    const own = presetsOf({ modality: "text", sampling: defaultSampling, presets: { tame } })
    expect([own.tame, own.default]).toEqual([tame, defaultSampling])
    expect(own.wild.temperature).toBeGreaterThan(defaultSampling.temperature)
    // A picture that is drawn much too carefully stays blank.
    expect(presetsOf({ modality: "image" }).tame.temperature).toBeGreaterThan(
      presetsOf({ modality: "text" }).tame.temperature,
    )
    expect(Presets.safeParse({ tame: { temperature: -1 } }).success).toBe(false)
  })
  it("says what lies outside of the ranges that a pack was tried in (B2)", () => {
    const ranges = Ranges.parse({ temperature: [0.3, 1.2], minP: [0, 0.2] })
    expect(outside({ temperature: 3, topP: 0.1, topK: 0, minP: 0.1 }, ranges)).toEqual([
      "temperature 3 (tried: 0.3 to 1.2)",
    ])
    expect(outside({ temperature: 1, topP: 0.1, topK: 0, minP: 0.3 }, ranges)).toEqual(["min-p 0.3 (tried: 0 to 0.2)"])
    expect(outside({ ...defaultSampling, temperature: 9 })).toEqual([])
    const guided = Ranges.parse({ guidance: [1, 2] })
    expect(outside({ ...defaultSampling, guidance: 3 }, guided)).toEqual(["guidance 3 (tried: 1 to 2)"])
    expect(outside(defaultSampling, guided)).toEqual([])
    expect(Ranges.safeParse({ temperature: [1, 0.5] }).success).toBe(false)
  })
})
