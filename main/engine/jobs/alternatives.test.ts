import { expect, it } from "vitest"
import { likeliest } from "./alternatives.ts"

it("gives the likeliest bytes of each place with their share", () => {
  const logits = new Float32Array(2 * 256).fill(-1e9)
  logits[65] = Math.log(3)
  logits[66] = 0
  logits[256 + 7] = 1000 // far from zero nothing overflows
  const { bytes, shares } = likeliest(logits, 2)
  expect([bytes[0], bytes[1], bytes[2]]).toEqual([65, 66, 7])
  expect(shares[0]).toBeCloseTo(0.75)
  expect(shares[1]).toBeCloseTo(0.25)
  expect(shares[2]).toBeCloseTo(1)
})
