import { describe, expect, it } from "vitest"
import { LENGTHS, Matcher, matchRuns } from "./match.ts"

const text = new TextEncoder().encode("Mr. Darcy met Mr. Bingley, and Mr. Bi")
const at = (match: { window: number; unit: number }, bytes: Uint8Array) => new Matcher(match, bytes, bytes.length)

describe("the longest match", () => {
  it("guesses what followed the longest match, not the nearest", () => {
    expect(at({ window: 64, unit: 1 }, text).guess()).toEqual({ byte: "n".charCodeAt(0), length: 7 })
  })
  it("takes the nearest of equally long ones", () => {
    const bytes = new TextEncoder().encode("ab1 cab2 dab")
    expect(at({ window: 64, unit: 1 }, bytes).guess()).toEqual({ byte: "2".charCodeAt(0), length: 2 })
  })
  it("guesses 0 with length 0 where nothing matches, at the beginning and beyond the window", () => {
    expect(at({ window: 64, unit: 1 }, new Uint8Array()).guess()).toEqual({ byte: 0, length: 0 })
    expect(at({ window: 3, unit: 1 }, Uint8Array.of(7, 1, 2, 3, 7)).guess()).toEqual({ byte: 0, length: 0 })
  })
  it("keeps a pixel's channels apart", () => {
    // The byte 5 stands two places back, in another channel, and a pixel back.
    expect(at({ window: 6, unit: 3 }, Uint8Array.of(9, 5, 8, 5, 3, 5, 9, 5)).guess().byte).toBe(8)
  })
  it("followed byte by byte comes to the same as compared anew", () => {
    const bytes = Uint8Array.from({ length: 400 }, (_, i) => (i * i * 7) % 5)
    for (const match of [
      { window: 90, unit: 1 },
      { window: 50, unit: 3 },
    ]) {
      const follower = new Matcher(match, bytes, 0)
      for (let t = 0; t < bytes.length; t++) {
        expect(follower.guess()).toEqual(new Matcher(match, bytes, t).guess())
        follower.advance()
      }
    }
  })
  it("counts no run longer than it tells apart", () => {
    const runs = new Float32Array(4)
    matchRuns({ window: 4, unit: 1 }, new Uint8Array(100), 100, runs)
    expect([...runs]).toEqual(Array(4).fill(LENGTHS - 1))
  })
})
