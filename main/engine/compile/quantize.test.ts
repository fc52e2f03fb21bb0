import { describe, expect, it } from "vitest"
import { fromHalf, toHalf } from "../float16.ts"
import { blockOf, dequantize, quantize, quantizeChannels } from "./quantize.ts"

describe("8-bit blocks", () => {
  it("lose at most half a step of their block, and keep 0", () => {
    const w = Float32Array.from({ length: 256 }, (_, i) => (i % 7 === 0 ? 0 : Math.sin(i) * (i < 128 ? 1 : 100)))
    const back = dequantize(quantize(w, 128))
    w.forEach((x, i) => {
      expect(Math.abs((back[i] as number) - x)).toBeLessThanOrEqual((i < 128 ? 1 : 100) / 127 / 2 + 1e-6)
      if (x === 0) expect(back[i]).toBe(0)
    })
  })
  it("are as long as the row allows", () => {
    expect([384, 192, 96, 48].map(blockOf)).toEqual([128, 64, 32, undefined])
  })
})

describe("8 bits per channel", () => {
  const [rows, columns] = [3, 128]
  const scale = [1, 100, 0]
  const w = Float32Array.from(
    { length: rows * columns },
    (_, i) => Math.sin(i * i) * (scale[Math.floor(i / columns)] ?? 0),
  )
  const { q, scales } = quantizeChannels(w, rows, columns)

  it("lie transposed and lose at most half a step of their row", () => {
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        const lost = (q[c * rows + r] as number) * (scales[r] as number) - (w[r * columns + c] as number)
        expect(Math.abs(lost)).toBeLessThanOrEqual((scales[r] as number) / 2 + 1e-6)
      }
  })
  it("never overflow 16 bits as a pair of products with unsigned bytes", () => {
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c += 2) {
        const pair = [q[c * rows + r] as number, q[(c + 1) * rows + r] as number]
        for (const sign of [1, -1]) {
          const most = pair.reduce((sum, x) => sum + 255 * Math.max(0, sign * x), 0)
          expect(most).toBeLessThan(2 ** 15)
        }
      }
  })
})

describe("half precision", () => {
  it("comes back exactly from every finite pattern", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((h) => ((h >> 10) & 31) !== 31)
    const back = toHalf(fromHalf(all))
    all.forEach((h, i) => {
      if (back[i] !== h) throw new Error(`${h} came back as ${back[i]}`)
    })
  })
  it("rounds to the nearest, ties to even, and overflows to infinity", () => {
    expect([...fromHalf(toHalf(Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25)))]).toEqual([
      1,
      1 + 2 ** -9,
      65504,
      Number.POSITIVE_INFINITY,
      0,
    ])
  })
})
