import iconv from "iconv-lite"
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

describe("a text in an old or unmarked encoding", () => {
  const encoded = (text: string, encoding: string) => iconv.encode(text, encoding)
  const read = (bytes: Uint8Array) => new TextDecoder().decode(readText("a.txt", bytes).bytes)
  it.each([
    ["Привет, как дела? Сегодня хорошая погода.", ["windows-1251", "koi8-r", "cp866", "utf16le", "utf16be"]],
    ["Grüße aus München, schön und so weiter, Straße.", ["windows-1252", "cp850", "macroman"]],
    ["“Quoted – text”, café €", ["windows-1252"]],
    ["Zażółć gęślą jaźń, proszę państwa.", ["windows-1250", "ISO-8859-2"]],
    ["Καλημέρα κόσμε, τι κάνετε σήμερα;", ["windows-1253"]],
    ["שלום עולם, מה שלומך היום?", ["windows-1255"]],
    ["吾輩は猫である。名前はまだ無い。", ["Shift_JIS", "EUC-JP", "utf16le", "utf16be"]],
    ["春眠不觉晓，处处闻啼鸟。夜来风雨声。", ["gb18030", "utf16le"]],
    ["春眠不覺曉，處處聞啼鳥。夜來風雨聲。", ["big5"]],
    ["안녕하세요, 오늘 날씨가 참 좋습니다.", ["euc-kr"]],
    ["Just ASCII, as it were.", ["utf16le", "utf16be", "utf32le", "utf32be"]],
    ["Привет, 日本 and 😀, as it were.", ["utf32le", "utf32be"]],
    ["aaaaaaaaaaaaaaaaaaaa", ["utf16le"]],
  ])("is read as it was meant: %s", (text, encodings) => {
    for (const encoding of encodings) expect([encoding, read(encoded(text, encoding))]).toEqual([encoding, text])
  })
  it.each(["utf32le", "utf32be"])(
    "is read from %s with its mark, also cut in the middle of a character",
    (encoding) => {
      const marked = iconv.encode("Grüße, 日本, 😀 and so on.", encoding, { addBOM: true })
      expect(read(marked)).toBe("Grüße, 日本, 😀 and so on.")
      expect(read(marked.subarray(0, -2))).toBe("Grüße, 日本, 😀 and so on")
    },
  )
  it("is read from UTF-7 with its mark", () => {
    expect(read(Buffer.from("+/v8-Hi Mom +Jjo-!"))).toBe("Hi Mom ☺!")
  })
  it("in which characters are two surrogates of three bytes (CESU-8) has them whole, wherever they stand", () => {
    const cesu = (text: string) =>
      Buffer.concat(
        Array.from({ length: text.length }, (_, i) => {
          const unit = text.charCodeAt(i)
          if (unit < 0xd800 || unit > 0xdfff) return Buffer.from(text.charAt(i))
          return Buffer.of(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63))
        }),
      )
    for (const text of ["😀", "Привет 😀 日本 𝄞!", `${"a line\n".repeat(20_000)}😀`]) {
      const { bytes, note } = readText("a.txt", cesu(text))
      expect([new TextDecoder().decode(bytes), note]).toEqual([text, "CESU-8 read as text"])
    }
  })
  it("of a mainframe (EBCDIC) is refused in one sentence, with line ends of any kind", () => {
    // "Once upon a time there was a little girl, 7 years old." in code page 037.
    const once =
      "d695838540a4979695408140a3899485 40a388859985 40a681a2 408140 9389a3a39385 4087899993 6b40f740a8858199a2409693844b"
    const line = Buffer.from(once.replaceAll(" ", ""), "hex")
    for (const end of [[], [0x15], [0x25], [0x0d, 0x25]])
      expect(() => readText("a.txt", Buffer.concat([line, Buffer.from(end), line, Buffer.from(end)]))).toThrow(
        /^a\.txt is a text in EBCDIC, which is not read here; convert it to UTF-8 first\.$/,
      )
  })
  it("of two halves of a character has one replacement for each", () => {
    const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("one \ud800 half", "utf16le")])
    expect(read(marked)).toBe("one \ufffd half")
  })
  it("with its mark is text, also where every tenth character is damaged", () => {
    const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("and then \ud800".repeat(100), "utf16le")])
    expect(read(marked)).toBe("and then \ufffd".repeat(100))
  })
  it("is Russian in KOI8 also where it is short, and Thai where it has Thai's tones", () => {
    const tale = "Жил-был маленький байт. ".repeat(30)
    expect(read(encoded(tale, "koi8-r"))).toBe(tale)
    const thai = "กาลครั้งหนึ่งนานมาแล้ว มีไบต์ตัวเล็กอาศัยอยู่ในไฟล์ "
    expect(read(encoded(thai, "windows-874"))).toBe(thai)
  })
})
