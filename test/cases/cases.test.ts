import { readFileSync } from "node:fs"
import { join } from "node:path"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import type { Canvas, Sound } from "../../contract/pack.ts"
import { readSound } from "../../main/host/media/audio.ts"
import { decodeBitmap } from "../../main/host/media/bitmap.ts"
import { detect } from "../../main/host/media/detect.ts"
import { readImage } from "../../main/host/media/image.ts"
import { readText } from "../../main/host/media/text.ts"

/** Files as people have them that once were read wrongly, each with the right value. */

const file = (name: string) => readFileSync(join(import.meta.dirname, name))
const sound: Sound = { rate: 8000, encoding: "mu-law", header: 32, styles: ["any"] }
const canvas: Canvas = { width: 64, height: 64, header: 192, styles: ["any"] }
const textOf = (name: string) => new TextDecoder().decode(readText(name, file(name)).bytes)
const soundOf = (name: string) => readSound(name, file(name), sound, 60)
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "no refusal",
    (error: Error) => error.message,
  )
const peak = (samples: Float32Array) => samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0)

describe("a text", () => {
  it('01: in UTF-16 with its mark, as Notepad\'s "Unicode" writes it', () => {
    expect(textOf("u16le-bom.txt")).toMatch(/^Once upon a time there was a café – “quoted” text\.\n/)
  })
  it("02: with Windows' quotes and dashes", () => {
    expect(textOf("cp1252.txt")).toMatch(/^Once upon a time there was a café – “quoted” text\.\n/)
  })
  it.each(["mac.txt", "tag.txt", "id3.txt", "m4a.txt"])("03: that begins as a sound would: %s", async (name) => {
    expect(await detect(name, file(name))).toEqual({ modality: "text" })
  })
  it.each([
    ["onebad.txt", "Он сказал: «да». "],
    ["trunc2.txt", "日本語のテキスト。"],
  ])("04: in UTF-8 with one damaged byte keeps the rest: %s", (name, begin) => {
    const text = textOf(name)
    expect(text.startsWith(begin)).toBe(true)
    expect(text.match(/\uFFFD/g)).toHaveLength(1)
  })
  it("05: of DOS ends before its mark; overstrike and a stray NUL are text", () => {
    expect(textOf("ctrlz.txt")).toBe("Line one\nLine two\n")
    expect(textOf("nul.txt")).toBe("log line 1\nlog\0line 2\n")
    expect(textOf("bs.txt")).toContain("N\bNA\bAM\bME\bE")
  })
})

describe("a picture", () => {
  const pixel = (name: string, x: number, y: number) => {
    const { width, data } = decodeBitmap(file(name))
    return [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)]
  }
  it.each([["b8.bmp"], ["b4.bmp"], ["brle8.bmp"], ["brle4.bmp"], ["bsize0.bmp"], ["btrail.bmp"]])(
    "06 to 08: %s has the colors that viewers show",
    async (name) => {
      expect(await detect("a", file(name))).toEqual({ modality: "image", format: "bmp" })
      expect([pixel(name, 0, 0), pixel(name, 63, 0)]).toEqual([
        [220, 30, 30],
        [30, 200, 40],
      ])
      expect((await readImage(name, file(name), canvas)).bytes.subarray(0, 3)).toEqual(Uint8Array.of(220, 30, 30))
    },
  )
  it("06: of two colors has its own two", () => {
    for (const y of [0, 63])
      expect([pixel("b1-pal.bmp", 0, y), pixel("b1-pal.bmp", 63, y)]).toEqual([
        [220, 30, 30],
        [30, 200, 40],
      ])
  })
  it("28: of a phone in HEIC is refused with what to do", async () => {
    const found = await detect("big.heic", file("big.heic"))
    expect(found.modality === undefined && found.problem).toMatch(/HEIC photo.*save it as JPEG or PNG\.$/)
  })
  it("30: in JPEG that lacks its last marker alone is read; one cut in the middle is not", async () => {
    const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: "#1040c0" } })
      .composite([{ input: file("base.png") }])
      .jpeg()
      .toBuffer()
    const { bytes } = await readImage("a.jpg", whole.subarray(0, -2), canvas)
    expect(bytes).toEqual((await readImage("a.jpg", whole, canvas)).bytes)
    const half = readImage("a.jpg", whole.subarray(0, Math.floor(whole.length * 0.8)), canvas)
    expect(await refusal(half)).toBe("a.jpg cannot be read as a picture: it is cut off.")
  })
  it.each(["g16000.gif", "claims.png"])("that claims too many pixels is refused: %s", async (name) => {
    const said = await refusal(readImage(name, file(`hostile/${name}`), canvas))
    expect(said).toMatch(/ cannot be read as a picture: it (has too many pixels|is cut off|is damaged)/)
  })
})

describe("a sound", () => {
  it.each(["oddchunk.wav", "oddchunk-pre.wav", "rf64-ff.wav", "x.w64", "x.au"])(
    "10, 16: %s holds two seconds at 8 kHz",
    async (name) => {
      const { samples } = await soundOf(name)
      expect(samples.length).toBe(16000)
      expect(peak(samples)).toBeCloseTo(0.554, 2)
    },
  )
  it("11: of an impossible rate is refused in one line", async () => {
    for (const name of [
      "rate0.wav",
      ...["arate0.aiff", "aratenan.aiff", "crate1e300.caf", "crateneg.caf", "wratemax.wav"].map((n) => `hostile/${n}`),
    ])
      expect(await refusal(soundOf(name))).toMatch(
        / cannot be read as sound: it says that it has .* samples a second\.$/,
      )
  })
  it.each(["voice.webm", "voice.mka"])("14: as a browser records it: %s", async (name) => {
    const { samples, note } = await soundOf(name)
    expect(note).toMatch(/^WebM, 48 kHz/)
    expect(samples.length / 8000).toBeCloseTo(2, 1)
    expect(peak(samples)).toBeGreaterThan(0.05)
  })
  it("14: as a browser records it is decoded from its end alone where it is long", async () => {
    const [whole, end] = [await soundOf("voice.webm"), await readSound("a.webm", file("voice.webm"), sound, 0.5)]
    expect(end.samples.length).toBe(4000)
    expect(end.note).toMatch(/, the last \d of about 2 seconds$/)
    const loudness = (samples: Float32Array) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length)
    expect(loudness(end.samples) / loudness(whole.samples.subarray(-4000))).toBeCloseTo(1, 2)
  })
  it("15: of a rate with a fraction, as old recorders have it", async () => {
    const { samples, note } = await soundOf("x22254.aiff")
    expect(note).toMatch(/^AIFF, 22.255 kHz mono → 8 kHz mono/)
    expect(samples.length).toBe(Math.round(((89106 - 88) / 2 / 22254.545) * 8000))
  })
  it("17: whose channels cancel each other out is heard, and that is said", async () => {
    const { samples, note } = await soundOf("antiphase.wav")
    expect(note).toContain("the channels cancel each other out")
    expect(peak(samples)).toBeCloseTo(0.554, 2)
  })
  it("32: with no number and an infinite one is silent there", async () => {
    const { samples } = await soundOf("f32nan.wav")
    expect([samples[100], samples[200]]).toEqual([0, 0])
    expect(samples.every(Number.isFinite)).toBe(true)
  })
  it("37: in MP3 of free format is refused with its name", async () => {
    expect(await refusal(soundOf("free.mp3"))).toMatch(/MP3 of free format/)
  })
  it("of a rate that no pack has is read", async () => {
    expect((await soundOf("hostile/audio-thrown-247-s24.wav")).note).toMatch(/^WAV, 278.144 kHz stereo/)
  })
  it("that would be a billion samples is refused before it is decoded", async () => {
    expect(await refusal(soundOf("hostile/silence.flac"))).toMatch(/more samples than three hours/)
  })
})
