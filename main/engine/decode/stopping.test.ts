import { describe, expect, it } from "vitest"
import { StoppingCriteria } from "./stopping.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)
/** What a criterion takes of a text that comes in pieces of `piece` bytes. */
function taken(criterion: StoppingCriteria, bytes: Uint8Array, piece: number): string {
  const kept: number[] = []
  for (let at = 0; at < bytes.length && !criterion.isDone; at += piece) {
    const part = bytes.subarray(at, at + piece)
    kept.push(...part.subarray(0, criterion.take(part)))
  }
  return new TextDecoder().decode(Uint8Array.from(kept))
}

describe("stopping criteria", () => {
  it("takes so many bytes, however they come", () => {
    for (const piece of [1, 3, 8])
      expect(taken(new StoppingCriteria(5, "bytes", new Uint8Array()), utf8("abcdefgh"), piece)).toBe("abcde")
  })

  it("takes so many characters, the last one whole", () => {
    for (const piece of [1, 2, 3, 4, 8])
      expect(taken(new StoppingCriteria(4, "characters", new Uint8Array()), utf8("aé€😀xyz"), piece)).toBe("aé€😀")
  })

  it("does not count the end of a character that the prompt began", () => {
    const all = utf8("a€bcd")
    const criterion = new StoppingCriteria(2, "characters", all.subarray(0, 2))
    for (const byte of all.subarray(2)) if (!criterion.isDone) criterion.take(Uint8Array.of(byte))
    const other = new StoppingCriteria(2, "characters", all.subarray(0, 2))
    expect(other.take(all.subarray(2))).toBe(4)
    expect(criterion.isDone && other.isDone).toBe(true)
  })

  it("is done where the last character's bytes do not come", () => {
    const criterion = new StoppingCriteria(2, "characters", new Uint8Array())
    expect(criterion.take(Uint8Array.of(0x61, 0xe2, 0x82))).toBe(3)
    expect(criterion.isDone).toBe(false)
    expect(criterion.take(utf8("abc"))).toBe(0)
    expect(criterion.isDone).toBe(true)
  })
})
