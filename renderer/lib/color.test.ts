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
