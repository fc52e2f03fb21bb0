import { describe, expect, it } from "vitest"
import { readText } from "./text.ts"

const utf8 = (s: string) => new TextEncoder().encode(s)

describe("a dropped text", () => {
  it("is taken as it is when it is UTF-8", () => {
    expect(readText("a.txt", utf8("Grüße ☂\n"))).toEqual({ bytes: utf8("Grüße ☂\n"), note: "" })
  })
  it("loses its byte order mark and carriage returns, and says so", () => {
    const { bytes, note } = readText("a.txt", Uint8Array.from([0xef, 0xbb, 0xbf, ...utf8("a\r\nb\rc")]))
    expect(new TextDecoder().decode(bytes)).toBe("a\nb\nc")
    expect(note).toMatch(/line ends/)
  })
  it("is read from UTF-16 and from Windows-1252", () => {
    const wide = Uint8Array.from([0xff, 0xfe, 0x41, 0, 0xe9, 0])
    expect(new TextDecoder().decode(readText("w.txt", wide).bytes)).toBe("Aé")
    expect(new TextDecoder().decode(readText("l.txt", Uint8Array.of(0x63, 0x61, 0x66, 0xe9)).bytes)).toBe("café")
  })
  it("keeps the end of a very long one, from a whole character on", () => {
    const { bytes, note } = readText("long.txt", utf8("é".repeat(5 * 2 ** 20)))
    expect(bytes.length).toBeLessThanOrEqual(8 * 2 ** 20)
    expect(bytes[0]).toBe(0xc3)
    expect(note).toMatch(/last 8 MB/)
  })
  it("is refused with one line when it is not text", () => {
    expect(() => readText("cat.png", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 1, 2))).toThrow(
      /^cat.png is neither text nor a picture nor a sound[^\n]*$/,
    )
  })
})
