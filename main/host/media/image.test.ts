import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import type { Canvas } from "../../../contract/pack.ts"
import { detect } from "./detect.ts"
import { enlargement, readImage, writePng } from "./image.ts"
import { withFile } from "./source.ts"

const canvas: Canvas = { width: 8, height: 8, header: 24, styles: ["any"] }
const noise = Uint8Array.from({ length: 192 }, (_, i) => (i * 73 + (i % 7) * 11) & 255)
const settings = {
  pack: "image",
  length: 96,
  seed: 7,
  variations: 1,
  sampling: { temperature: 0.9, topP: 1, topK: 0, minP: 0 },
  style: 1,
}
/** Left half red, right half blue, of any size; what its middle rows look like is known whatever the way it went. */
const halves = (width: number, height: number, channels: 3 | 4 = 3) => {
  const pixels = new Uint8Array(width * height * channels)
  for (let i = 0; i < width * height; i++)
    pixels.set(i % width < width / 2 ? [250, 0, 0, 255] : [0, 0, 250, 255].slice(0, channels), i * channels)
  return sharp(pixels, { raw: { width, height, channels } })
}
const pixel = (bytes: Uint8Array, x: number, y: number) => [...bytes.subarray((y * 8 + x) * 3, (y * 8 + x) * 3 + 3)]
const near = (actual: number[], wanted: number[], by = 12) =>
  actual.forEach((value, i) => {
    expect(Math.abs(value - (wanted[i] as number))).toBeLessThanOrEqual(by)
  })

/** Raw pixels as a Windows bitmap, bottom row first. */
function bitmap(width: number, height: number, colour: [number, number, number]): Uint8Array {
  const stride = Math.ceil((width * 3) / 4) * 4
  const file = Buffer.alloc(54 + stride * height)
  file.write("BM")
  file.writeUInt32LE(file.length, 2)
  file.writeUInt32LE(54, 10)
  file.writeUInt32LE(40, 14)
  file.writeInt32LE(width, 18)
  file.writeInt32LE(height, 22)
  file.writeUInt16LE(1, 26)
  file.writeUInt16LE(24, 28)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) Buffer.from([...colour].reverse()).copy(file, 54 + y * stride + x * 3)
  return file
}

describe("a picture as canonical bytes", () => {
  it.each(["png", "jpeg", "webp", "gif", "tiff", "avif"] as const)(
    "reads %s, crops the centre and says so",
    async (format) => {
      const file = await halves(64, 32).toFormat(format, { quality: 95 }).toBuffer()
      expect(await detect("a", file)).toMatchObject({ modality: "image" })
      const { bytes, note } = await readImage("a", file, canvas)
      expect(note).toBe("64×32 → 8×8, center crop")
      near(pixel(bytes, 1, 4), [250, 0, 0])
      near(pixel(bytes, 6, 4), [0, 0, 250])
    },
  )
  it("reads a bitmap", async () => {
    const file = bitmap(9, 9, [10, 200, 30])
    expect(await detect("a.bmp", file)).toEqual({ modality: "image", format: "bmp" })
    near(pixel((await readImage("a.bmp", file, canvas)).bytes, 3, 3), [10, 200, 30], 0)
  })
  it("knows a bitmap on disk, however long it is", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "megabyte-bitmap-")), "a.bmp")
    writeFileSync(path, bitmap(200, 200, [10, 200, 30])) // 120 kB
    expect(await withFile(path, (file) => detect(path, file))).toEqual({ modality: "image", format: "bmp" })
    rmSync(dirname(path), { recursive: true })
  })
  it("takes a picture of the canvas's own size byte for byte", async () => {
    const file = await writePng(noise, canvas)
    expect(await readImage("a", file, canvas)).toMatchObject({ bytes: noise, note: "" })
  })
  it("brings an enlarged export back exactly, with the settings it was made with", async () => {
    const file = await writePng(noise, canvas, enlargement(canvas), settings)
    expect((await sharp(file).metadata()).width).toBe(512)
    const read = await readImage("a", file, canvas)
    expect(read.bytes).toEqual(noise)
    expect(read.settings).toEqual(settings)
  })
  it("honours the EXIF orientation", async () => {
    // Orientation 6: to be turned a quarter clockwise, so that left becomes top.
    const file = await halves(16, 16).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer()
    const { bytes, note } = await readImage("a", file, canvas)
    expect(note).toContain("turned as the camera held it")
    near(pixel(bytes, 4, 1), [250, 0, 0])
    near(pixel(bytes, 4, 6), [0, 0, 250])
  })
  it("composites transparency on white", async () => {
    const clear = sharp({ create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
    const { bytes, note } = await readImage("a", await clear.png().toBuffer(), canvas)
    expect(new Set(bytes)).toEqual(new Set([255]))
    expect(note).toBe("on white")
  })
  it("converts CMYK and 16-bit pictures", async () => {
    const cmyk = await halves(32, 32).toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer()
    const c = await readImage("a", cmyk, canvas)
    expect(c.note).toContain("CMYK → RGB")
    near(pixel(c.bytes, 1, 4), [250, 0, 0], 60)
    const deep = await halves(32, 32).toColourspace("rgb16").png().toBuffer()
    expect((await sharp(deep).metadata()).depth).toBe("ushort")
    const d = await readImage("a", deep, canvas)
    expect(d.note).toContain("16 → 8 bits")
    near(pixel(d.bytes, 6, 4), [0, 0, 250])
  })
  it("makes a grey picture grey RGB", async () => {
    const grey = await halves(8, 8).greyscale().png().toBuffer()
    const [r, g, b] = pixel((await readImage("a", grey, canvas)).bytes, 1, 1)
    expect([g, b]).toEqual([r, r])
  })
  it("takes the first frame of an animation", async () => {
    const frame = (background: string) =>
      sharp({ create: { width: 8, height: 8, channels: 3, background } })
        .png()
        .toBuffer()
    const frames = await Promise.all(["#f00", "#0f0"].map(frame))
    const file = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer()
    expect((await sharp(file).metadata()).pages).toBe(2)
    const { bytes, note } = await readImage("a", file, canvas)
    expect(note).toBe("the first frame")
    near(pixel(bytes, 4, 4), [255, 0, 0], 4)
  })
  it.each([
    ["a truncated PNG", async () => (await halves(64, 64).png().toBuffer()).subarray(0, 80)],
    ["a truncated JPEG", async () => (await halves(640, 640).jpeg().toBuffer()).subarray(0, 700)],
    ["a bitmap with no pixels", async () => bitmap(9, 9, [1, 2, 3]).subarray(0, 60)],
    ["a picture that is none", async () => Buffer.from("\x89PNG\r\n\x1a\nnothing of the kind", "latin1")],
  ])("refuses %s in one line", async (_, file) => {
    const error = await readImage("broken.png", await file(), canvas).then(
      () => undefined,
      (e: Error) => e,
    )
    expect(error?.message).toMatch(/^broken\.png cannot be read as a picture: [^\n]+\.$/)
    expect(error?.message).not.toContain("\n")
  })
})

describe("a picture in the making", () => {
  it("is transparent where there is nothing yet", async () => {
    const { data, info } = await sharp(await writePng(noise.subarray(0, 100), canvas))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect(info.channels).toBe(4)
    expect([...data.subarray(0, 4)]).toEqual([...noise.subarray(0, 3), 255])
    expect(data[4 * 40 + 3]).toBe(0)
  })
})
