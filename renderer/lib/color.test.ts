import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { scaleOf, surpriseColor, surpriseLevel } from "./color.ts"

it("the scale of surprise fits the pack: its usual lies in the middle, whatever it is (H18)", () => {
  for (const usual of [0.35, 1.5, 4]) {
    const [none, middle, end] = scaleOf(usual)
    expect([none, middle].map((b) => surpriseLevel(b, usual))).toEqual([0, 0.5])
    expect(surpriseLevel(end, usual)).toBeCloseTo(1)
    expect(surpriseLevel(10 * usual, usual)).toBe(1)
  }
  // A pack that is hardly ever surprised still has a scale.
  expect(surpriseLevel(0.003, 0.003)).toBeLessThan(0.1)
  expect(surpriseColor(0, 1)).not.toBe(surpriseColor(1, 1))
})

/** Relative luminance and contrast (WCAG 2.2). */
const luminance = (rgb: number[]) => {
  const [r = 0, g = 0, b = 0] = rgb.map((c) => (c <= 10 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const contrast = (a: number[], b: number[]) => {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

it("text can be read on every color of surprise, light and dark", () => {
  const css = readFileSync(join(import.meta.dirname, "../ui/base.css"), "utf8")
  const values = (name: string) =>
    [...css.matchAll(new RegExp(`${name}: #(\\w{6})`, "g"))].map(([, hex = ""]) => [...Buffer.from(hex, "hex")])
  const [papers, inks] = [values("--paper"), values("--ink")]
  expect([papers.length, inks.length]).toEqual([3, 3])
  for (const [i, paper] of papers.entries())
    for (let bits = 0; bits <= 4; bits += 0.05) {
      const [r = 0, g = 0, b = 0, alpha = 1] = (surpriseColor(bits, 1).match(/[\d.]+/g) ?? []).map(Number)
      const seen = [r, g, b].map((c, at) => alpha * c + (1 - alpha) * (paper[at] as number))
      expect(contrast(seen, inks[i] as number[])).toBeGreaterThan(4.5)
    }
})
