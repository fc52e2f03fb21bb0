import { describe, expect, it } from "vitest"
import { Content } from "./content.ts"

const all = (c: Content) => c.chunks.map((chunk) => chunk.text).join("")

describe("growing content", () => {
  it("never shows a character before all of its bytes are there", () => {
    const content = new Content()
    const bytes = new TextEncoder().encode("a☂b")
    const seen = [...bytes].map((b) => {
      content.append(Uint8Array.of(b), [1])
      return all(content)
    })
    expect(seen).toEqual(["a", "a", "a", "a☂", "a☂b"])
  })
  it("is cut into chunks that hold all of its text in order, however it comes", () => {
    const text = Array.from({ length: 900 }, (_, i) => `Line ${i} über ☂ ${"x".repeat(i % 90)}\n`).join("")
    const bytes = new TextEncoder().encode(text)
    for (const step of [8, 1000, bytes.length]) {
      const content = new Content()
      for (let i = 0; i < bytes.length; i += step)
        content.append(bytes.subarray(i, i + step), new Float32Array(Math.min(step, bytes.length - i)))
      expect(all(content)).toBe(text)
      expect(content.length).toBe(bytes.length)
      expect(content.chunks.length).toBeGreaterThan(20)
      content.chunks.forEach((c, i) => {
        expect(c.start).toBe(i ? content.chunks[i - 1]?.end : 0)
      })
      expect(content.chunks.at(-1)?.end).toBe(bytes.length)
    }
  })
  it("knows the mean bits of any stretch, without the given bytes", () => {
    const content = new Content()
    content.append(new Uint8Array(3), [-1, -1, 2])
    content.append(new Uint8Array(5000), new Float32Array(5000).fill(4))
    expect([content.meanBits(0, 2), content.meanBits(0, 3), content.meanBits(2, 4), content.meanBits(9, 9999)]).toEqual(
      [undefined, 2, 3, 4],
    )
  })
  it("cuts a text without line ends too", () => {
    const content = new Content()
    content.append(new Uint8Array(70000).fill(65), new Float32Array(70000))
    expect(content.chunks.length).toBe(3)
  })

  it("cuts no word in two where there are words (H14)", () => {
    const content = new Content()
    const text = "seaside ".repeat(3000)
    content.append(new TextEncoder().encode(text), new Float32Array(text.length))
    expect(content.chunks.length).toBeGreaterThan(4)
    for (const chunk of content.chunks) expect(chunk.text).toMatch(/^(seaside )+$/)
  })
})
