import { describe, expect, it } from "vitest"
import { amount, bits, duration, percent, when } from "./words.ts"

describe("words for people", () => {
  it("says how long it takes", () => {
    expect([0.2, 3.2, 89, 45 * 60, 3 * 3600].map(duration)).toEqual(["a moment", "4 s", "89 s", "45 min", "3 h"])
    expect(duration(Number.NaN)).toBe("")
  })

  it("counts words, rows and seconds", () => {
    const canvas = { width: 32, height: 32, header: 0, styles: [] }
    const sound = { rate: 8000, encoding: "mu-law", header: 0, styles: [] }
    expect(amount(570, { modality: "text", media: {} })).toBe("100 words")
    expect(amount(1, { modality: "text", media: {} })).toBe("1 word")
    expect(amount(16000, { modality: "audio", media: sound })).toBe("2.0 s")
    expect(amount(0, { modality: "image", media: canvas })).toBe("0 rows")
  })

  it("says when", () => {
    const now = new Date(2026, 5, 10, 15).getTime()
    const at = (...when: [number, number, number, number?]) => new Date(...when).getTime()
    expect(when(at(2026, 5, 10, 9), now)).toMatch(/9:00/)
    expect(when(at(2026, 5, 9, 23), now)).toBe("yesterday")
    expect(when(at(2025, 5, 9), now)).toContain("2025")
  })

  it("keeps small numbers readable", () => {
    expect([0.5, 0.034, 0.0012, 1e-7].map(percent)).toEqual(["50 %", "3.4 %", "0.12 %", "< 0.01 %"])
    expect([bits(1.524), bits(0.0031)]).toEqual(["1.52", "0.003"])
  })
})
