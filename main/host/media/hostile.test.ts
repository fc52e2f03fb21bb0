import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { deflateSync } from "node:zlib"
import sharp from "sharp"
import { afterAll, describe, expect, it } from "vitest"
import type { Canvas, Sound } from "../../../contract/pack.ts"
import { readSound } from "./audio.ts"
import { detect } from "./detect.ts"
import { readImage } from "./image.ts"
import { matroskaTracks } from "./matroska.ts"
import { wavComment } from "./pcm.ts"
import { type Source, withFile } from "./source.ts"

/** Files whose headers lie: each costs one sentence, and none is walked for ever. */

const work = mkdtempSync(join(tmpdir(), "megabyte-hostile-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))
const sound: Sound = { rate: 8000, encoding: "mu-law", header: 32, styles: ["any"] }
const canvas: Canvas = { width: 8, height: 8, header: 8, styles: ["any"] }
const latin1 = (text: string) => Buffer.from(text, "latin1")
const u16 = (...values: number[]) => Buffer.from(values.flatMap((x) => [x & 255, (x >>> 8) & 255]))
const u32 = (...values: number[]) => Buffer.concat(values.map((x) => u16(x & 0xffff, x >>> 16)))
const big = (...values: number[]) => u32(...values).swap32()
const bytes = (...parts: (string | Buffer)[]) =>
  Buffer.concat(parts.map((x) => (typeof x === "string" ? latin1(x) : x)))
const said = (work: Promise<unknown>) =>
  work.then(
    () => "it was read.",
    (error: Error) => error.message,
  )

/** A file of gigabytes that is nowhere: `head`, then `fill` over and over. It counts how often it is read. */
function endless(head: Buffer, fill: Buffer): Source & { reads: number } {
  const length = 2 ** 32
  return {
    length,
    reads: 0,
    subarray(begin, end) {
      this.reads++
      const piece = Buffer.alloc(Math.max(0, Math.min(end, length) - begin))
      for (let i = 0; i < piece.length; i++) {
        const at = begin + i
        piece[i] = (at < head.length ? head[at] : fill[(at - head.length) % fill.length]) as number
      }
      return piece
    },
  }
}

describe("a file of nothing but tiny parts is not walked to its end", () => {
  it("in a WAV's list", () => {
    const format = bytes("RIFF", u32(2 ** 31), "WAVEfmt ", u32(16), u16(1, 1), u32(8000, 16000), u16(2, 16))
    const file = endless(bytes(format, "LIST", u32(2 ** 31), "INFO"), Buffer.alloc(8))
    wavComment(file)
    expect(file.reads).toBeLessThan(100_000)
  })
  it("in Matroska, before its first cluster", () => {
    const head = Buffer.from("1a45dfa387428284776562" + "6d18538067" + "01ffffffffffffff", "hex")
    const file = endless(head, Buffer.from("ec80", "hex"))
    expect(matroskaTracks(file)).toEqual([])
    expect(file.reads).toBeLessThan(1_000_000)
  })
})

describe("a file on disk", () => {
  it("reads the same in small pieces, in any order, as whole", async () => {
    const path = join(work, "numbers")
    const all = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i) >> 3))
    writeFileSync(path, all)
    await withFile(path, async (file) => {
      for (const [at, count] of [
        [0, 4],
        [16_382, 8],
        [90_000, 3],
        [12, 0],
        [40_000, 20_000],
        [16_383, 1],
        [99_998, 10],
        [200_000, 4],
      ] as const)
        expect(Buffer.from(file.subarray(at, at + count)).equals(all.subarray(at, at + count))).toBe(true)
    })
  })
})

describe("a kind that is read, of which nothing can be", () => {
  it.each([
    ["FLAC", bytes("fLaC\x04\xff\xff\xff", Buffer.alloc(100, 1))],
    ["MP3", bytes("ID3\x04\0\0\x7f\x7f\x7f\x7f", Buffer.alloc(2000, 1))],
  ])("is said to be damaged: %s", async (kind, file) => {
    const found = await detect("a", file)
    expect(found.modality === undefined && found.problem).toBe(`looks like ${kind}, but it is damaged.`)
  })
})

describe("a picture whose header lies is read or refused in one sentence", async () => {
  const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: "red" } })
    .png()
    .toBuffer()
  const jpeg = await sharp(png).jpeg().toBuffer()
  const avif = await sharp(png).avif().toBuffer()
  const webp = await sharp(png).webp({ lossless: true }).toBuffer()
  const pngOf = (width: number, height: number, depth: number, color: number) =>
    bytes(png.subarray(0, 16), big(width, height), Buffer.from([depth, color, 0, 0, 0]), png.subarray(29))
  const sized = (file: Buffer, at: number, size: Buffer) =>
    bytes(file.subarray(0, at), size, file.subarray(at + size.length))
  const gif = (width: number, height: number, x: number, y: number, w: number, h: number) =>
    bytes("GIF89a", u16(width, height), "\x80\0\0\0\0\0\xff\xff\xff,", u16(x, y, w, h), "\0\x02\x02\x44\x01\0;")
  const entry = (tag: number, type: number, count: number, value: number) => bytes(u16(tag, type), u32(count, value))
  const tiff = (...changed: Buffer[]) => {
    const all = new Map<number, Buffer>()
    const usual = [
      [256, 64],
      [257, 64],
      [258, 8],
      [259, 1],
      [262, 1],
      [273, 200],
      [277, 1],
      [278, 64],
      [279, 4096],
    ]
    for (const [tag = 0, value = 0] of usual) all.set(tag, entry(tag, 4, 1, value))
    for (const one of changed) all.set(one.readUInt16LE(0), one)
    const sorted = [...all].sort(([a], [b]) => a - b).map(([, one]) => one)
    return bytes("II*\0", u32(8), u16(sorted.length), ...sorted, u32(8), Buffer.alloc(5000))
  }
  const start = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  it.each([
    ["a PNG of 2^31 pixels each way", pngOf(0x7fffffff, 0x7fffffff, 8, 2)],
    ["a PNG of none", pngOf(0, 0, 8, 2)],
    ["a PNG of a depth that there is not", pngOf(64, 64, 5, 7)],
    [
      "a PNG whose pixels are a bomb",
      bytes(png.subarray(0, 41), deflateSync(Buffer.alloc(2 ** 22)), png.subarray(-12)),
    ],
    ["a JPEG of 65500 pixels each way", sized(jpeg, start + 5, u16(65500, 65500).swap16())],
    ["a JPEG without a picture", latin1("\xff\xd8\xff\xe0\0\x10JFIF\0")],
    ["a JPEG whose EXIF points nowhere", bytes("\xff\xd8\xff\xe1\xff\xffExif\0\0II*\0", u32(-1), jpeg.subarray(2))],
    ["a GIF of none", gif(0, 0, 0, 0, 0, 0)],
    ["a GIF with its frame outside", gif(10, 10, 60000, 60000, 5000, 5000)],
    ["a TIFF whose directory is its own next", tiff()],
    ["a TIFF of 60000 samples a pixel", tiff(entry(277, 3, 1, 60000))],
    ["a TIFF with a count of 2^32", tiff(entry(258, 3, -1, 8))],
    [
      "a TIFF of gigantic tiles",
      tiff(entry(322, 4, 1, 0x7ffffff0), entry(323, 4, 1, 0x7ffffff0), entry(324, 4, 1, 200)),
    ],
    ["a WebP that is cut off", webp.subarray(0, webp.length >> 1)],
    ["a WebP of a length of 2^32", sized(webp, 4, u32(-1))],
    ["an AVIF that is cut off", avif.subarray(0, avif.length >> 1)],
    ["an AVIF of 60000 pixels each way", sized(avif, avif.indexOf("ispe") + 8, big(60000, 60000))],
    ["an AVIF whose boxes are larger than it", sized(avif, avif.indexOf("meta") - 4, big(-1))],
  ])("%s", async (_, file) => {
    expect(await said(readImage("a", file, canvas))).toMatch(
      /^it was read\.$|^a cannot be read as a picture: (it is (cut off|damaged, or of a kind that cannot be read)|it has too many pixels)\.$/,
    )
  })
})

describe("a sound whose header lies is read or refused in one sentence", () => {
  const wav = (tag: number, channels: number, rate: number, align: number, bits: number, length = 1600) =>
    bytes(
      ...["RIFF", u32(-1), "WAVEfmt ", u32(16), u16(tag, channels), u32(rate, 0), u16(align, bits)],
      ...["data", u32(length), Buffer.alloc(1600, 0xff)],
    )
  const flac = (high: number, low: number) =>
    bytes(
      "fLaC\x80\0\0\x22\xff\xff\xff\xff\0\0\0\0\0\0",
      big(high, low),
      Buffer.alloc(16),
      "\xff\xf8\xc9\x18",
      Buffer.alloc(500),
    )
  const page = (data: Buffer) => bytes("OggS\0\x02", Buffer.alloc(8), u32(1, 0, 0), Buffer.from([1, data.length]), data)
  it.each([
    ["of no channels", wav(1, 0, 8000, 2, 16)],
    ["of 65535 channels", wav(1, 65535, 8000, 65535, 16)],
    ["of one sample a second", wav(1, 1, 1, 2, 16)],
    ["of 2^32 samples a second", wav(1, 1, -1, 2, 16)],
    ["of frames of no bytes", wav(1, 1, 8000, 0, 0)],
    ["of samples of 65535 bits", wav(1, 1, 8000, 65535, 65535)],
    ["of floats that are no numbers", wav(3, 1, 8000, 8, 64)],
    ["of a length of 2^32", wav(1, 1, 8000, 2, 16, -1)],
    ["AU whose samples lie beyond it", bytes(".snd", big(-1, 1, 3, 8000, 1), Buffer.alloc(99))],
    ["AU of 2^32 channels", bytes(".snd", big(24, 0, 3, 8000, -1), Buffer.alloc(99))],
    ["FLAC of no rate", flac(0x2 << 8, 0)],
    ["FLAC of the highest rate, 8 channels and 32 bits", flac(0xa0002fff, 0)],
    ["Opus of 255 channels", page(bytes("OpusHead\x01\xff\xff\xff", u32(-1), "\xff\xff\xff"))],
    ["Vorbis of 255 channels", page(bytes("\x01vorbis\0\0\0\0\xff", u32(-1, 0, 0, 0), "\xff\x01"))],
    ["QOA of 2^24 samples a second", bytes("qoaf\xff\xff\xff\xff\x02\xff\xff\xff\xff\xff\xff\xff", Buffer.alloc(5000))],
    ["AMR of noise", bytes("#!AMR\n", Buffer.alloc(999, 0xa7))],
  ])("%s", async (_, file) => {
    expect(await said(readSound("a", file, sound, 60))).toMatch(
      /^it was read\.$|^a cannot be read as sound: [^\n]{5,120}\.$/,
    )
  })
})

describe("a drawing is told by what it would take", () => {
  const svg = (inner: string, size = "64") =>
    latin1(
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${size}" height="${size}">${inner}</svg>`,
    )
  const tenTimes = (refer: (i: number) => string, first: string) =>
    Array.from({ length: 9 }, (_, i) => `<g id="u${i + 1}">${refer(i).repeat(10)}</g>`).join("") + first
  const rect = `<rect id="u0" width="9" height="9" fill="red"/>`
  const filter = (steps: string) => `<filter id="f">${steps}</filter><g filter="url(#f)">${rect}</g>`
  const tooMuch = "a cannot be read as a picture: it draws more than can be drawn in reasonable time; save it as PNG."
  const patterns = Array.from({ length: 9 }, (_, i) => {
    const inside = `<rect width="1" height="1" fill="url(#p${i})"/>`.repeat(10)
    return `<pattern id="p${i + 1}" width="2" height="2">${inside}</pattern>`
  }).join("")
  it.each([
    ["uses of uses", `<defs>${tenTimes((i) => `<use href="#u${i}"/>`, rect)}</defs><use href="#u9"/>`],
    ["old uses of uses", `${rect}${tenTimes((i) => `<use xlink:href='#u${i}'/>`, "")}`],
    ["patterns of patterns", `${patterns}<rect width="64" height="64" fill="url(#p9)"/>`],
    [
      "patterns by a style sheet",
      `<style>.a, b .c { fill: url(#p9) }</style>${patterns}<rect class="x c" width="64" height="64"/>`,
    ],
    ["a thousand blurs of a hundred parts", filter(`<feGaussianBlur stdDeviation="90"/>`.repeat(1000)).repeat(100)],
    ["a filter over thousands", filter(`<feMorphology radius="400"/>`)],
    ["a filter of thousands", filter(`<feConvolveMatrix order="999"/>`)],
    ["clouds of clouds", filter(`<feTurbulence numOctaves="9999"/>`)],
    [
      "markers at every corner",
      `<marker id="m">${"<use href='#u0'/>".repeat(999)}</marker>${rect}<path marker-mid="url(#m)" d="M0 0${" L 1 2".repeat(999)}"/>`,
    ],
    ["parts without end", `<path d="M0 0"/>`.repeat(100_001)],
  ])("and refused before it is drawn: %s", async (_, inner) => {
    expect(await said(readImage("a", svg(inner), canvas))).toBe(tooMuch)
  })
  it("what stands in entities is not followed", async () => {
    const file = bytes(`<!DOCTYPE svg [<!ENTITY a "<use href='#u'/>"><!ENTITY b "&a;&a;">]>`, svg("&b;"))
    expect(await said(readImage("a", file, canvas))).toBe(
      "a cannot be read as a picture: it hides parts of itself in entities.",
    )
  })
  const red = Uint8Array.from({ length: 192 }, (_, i) => (i % 3 ? 0 : 255))
  it.each([
    ["of a hundred thousand pixels each way", svg(`<rect width="100000" height="100000" fill="red"/>`, "100000")],
    [
      "with parts that refer to themselves",
      svg(`<g id="g"><use href="#g"/><rect width="64" height="64" fill="red"/></g>`),
    ],
    [
      "with a hundred shadows",
      svg(`${filter(`<feDropShadow/>`).repeat(100)}<rect width="64" height="64" fill="red"/>`),
    ],
    [
      "with its style",
      svg(
        `<style>.a{fill:url(#l)}</style><linearGradient id="l"><stop stop-color="red"/></linearGradient><rect class="a" width="64" height="64"/>`,
      ),
    ],
  ])("and read: %s", async (_, file) => {
    expect((await readImage("a", file, canvas)).bytes).toEqual(red)
  })
})

/** Blocks of FLAC of `size` samples, silent, numbered from `first` on. */
function silentBlocks(first: number, count: number, size: number): Buffer {
  const crc8 = (part: number[]) =>
    part.reduce((sum, byte) => {
      let s = sum ^ byte
      for (let i = 0; i < 8; i++) s = s & 128 ? ((s << 1) ^ 7) & 255 : s << 1
      return s
    }, 0)
  const crc16 = (part: number[]) =>
    part.reduce((sum, byte) => {
      let s = sum ^ (byte << 8)
      for (let i = 0; i < 8; i++) s = s & 0x8000 ? ((s << 1) ^ 0x8005) & 0xffff : s << 1
      return s
    }, 0)
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => {
      const number = [...Buffer.from(String.fromCodePoint(first + i))]
      const head = [0xff, 0xf8, 0x64, 0x08, ...number, size - 1]
      const frame = [...head, crc8(head), 0, 0, 0]
      const sum = crc16(frame)
      return Buffer.from([...frame, sum >> 8, sum & 255])
    }),
  )
}

describe("a FLAC", () => {
  const info = (samples: number, block: number) =>
    bytes(
      "fLaC\x80\0\0\x22",
      u16(block, block).swap16(),
      Buffer.alloc(6),
      big((8000 << 12) | (15 << 4) | Math.floor(samples / 2 ** 32), samples % 2 ** 32),
      Buffer.alloc(16),
    )
  it("of millions of tiny blocks is refused before they are decoded", async () => {
    // Blocks 60,000 to 63,000 of what says that it has 20 million.
    const file = bytes(
      info(320_000_000, 16),
      silentBlocks(60_000, 3000, 16),
      Buffer.alloc(400_000),
      silentBlocks(70_000, 30_000, 16),
    )
    expect(await said(readSound("a", file, { ...sound, rate: 8000 }, 36_000))).toBe(
      "a cannot be read as sound: it is cut into too many tiny blocks; save it anew as FLAC or WAV.",
    )
  })
  it("of some thousand tiny blocks is read whole", async () => {
    const { samples } = await readSound("a", bytes(info(16 * 40_000, 16), silentBlocks(0, 40_000, 16)), sound, 600)
    expect(samples.length).toBe(16 * 40_000)
  })
})
