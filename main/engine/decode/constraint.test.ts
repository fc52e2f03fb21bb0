import { describe, expect, it } from "vitest"
import { Constraint } from "./constraint.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)
/** Whether `text` may be drawn after `given`, byte by byte. */
function mayFollow(given: Uint8Array | string, text: string | number[]): boolean {
  const constraint = new Constraint([0], typeof given === "string" ? utf8(given) : given)
  for (const byte of typeof text === "string" ? utf8(text) : text) {
    if (constraint.barred()[byte]) return false
    constraint.push([byte])
  }
  return true
}

describe("what may be drawn after a person's text", () => {
  it.each(["by the sea", "année", "in 1984", "straße", "море", "שלום", "नमस्ते", "cafe\u0301", "한국"])(
    "nothing goes on the word that ends %j",
    (given) => {
      for (const joined of ["t", "S", "7", "_", "'s", "’s", "é", "т", "א", "가", "\u0301", "\u200d", "½"])
        expect([joined, mayFollow(given, joined)]).toEqual([joined, false])
    },
  )
  it("signs of every length may follow a word", () => {
    for (const sign of [" t", ".", "\n", '"', "-", "»", " ", "— ", "”", "…", "€", "😀"])
      expect([sign, mayFollow("by the sea", sign)]).toEqual([sign, true])
  })
  it("after the first character all may come but what never may", () => {
    expect(mayFollow("sea", " être’s")).toBe(true)
    expect(mayFollow("sea", " \0")).toBe(false)
    expect(mayFollow("sea ", "t")).toBe(true)
  })
  it.each(["sea ", "sea,", "don’", "“", "", "漢", "か", "ไทย"])(
    "no word ends %j, so that any letter may follow",
    (given) => {
      for (const letter of ["t", "é", "字"]) expect(mayFollow(given, letter)).toBe(true)
    },
  )
  it("a character of which some bytes are there gets the others, whatever it becomes", () => {
    for (const sign of ["é", "—", "字", "😀"]) {
      const whole = utf8(`a${sign}`)
      for (let cut = 2; cut < whole.length; cut++) {
        const given = whole.subarray(0, cut)
        expect(mayFollow(given, [...whole.subarray(cut), 0x74])).toBe(true)
        expect(mayFollow(given, "t")).toBe(false)
        expect(mayFollow(given, [0xc3])).toBe(false)
      }
    }
    expect(mayFollow(Uint8Array.of(0xe0), [0x80])).toBe(false) // a longer form of a shorter character
    expect(mayFollow(Uint8Array.of(0xed), [0xa0])).toBe(false) // half of a pair of UTF-16
  })
  it("after bytes that are no text all may come", () => {
    for (const given of [[0xff], [0x80, 0x80, 0x80, 0x80], [0x61, 0xc3, 0xa9, 0xa9]])
      expect(mayFollow(Uint8Array.from(given), "t")).toBe(true)
  })
  it("draws again from the first byte of a sign that turned into a letter, and then from another byte", () => {
    const constraint = new Constraint([], utf8("sea"))
    expect(constraint.brokenAt(utf8("’s"))).toBe(0)
    expect(constraint.barred()[0xe2]).toBe(1)
    expect(constraint.barred()[0x20]).toBe(0)
    // Where that byte has gone out already, the last one is drawn again.
    const later = new Constraint([], utf8("sea"))
    later.push([0xe2])
    expect(later.brokenAt([0x80, 0x99, 0x73])).toBe(1)
    expect(later.barred([0x80])[0x99]).toBe(1)
    expect(later.brokenAt(utf8("—").subarray(1))).toBeUndefined()
  })
})
