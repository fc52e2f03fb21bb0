import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { byColumns, type Canvas } from "../../../contract/pack.ts"
import { readImage, writePng } from "./image.ts"
import { commonest, oklab, Palette, pixelSize } from "./palette.ts"

const palette = ["#ffffff", "#ffffff", "#000000", "#d03020", "#2060d0", "#30a040"]
const canvas: Canvas = { width: 8, height: 8, header: 8, styles: ["any"], palette, transparent: 0, columns: true }
/** Every index, many of them next to each other, some of them no color. */
const sprite = Uint8Array.from({ length: 64 }, (_, i) => (i * i + (i >> 3)) % 6)
const settings = {
  pack: "pixels",
  length: 64,
  seed: 5,
  variations: 1,
  sampling: { temperature: 1, topP: 1, topK: 0, minP: 0 },
  style: 2,
}

/** RGBA of `width` by `height` pixels; none where `at` says so. */
const drawn = (width: number, height: number, at: (x: number, y: number) => string | undefined) => {
  const data = Buffer.alloc(width * height * 4)
  for (let i = 0; i < width * height; i++) {
    const color = at(i % width, Math.floor(i / width))
    if (color) data.set([...Buffer.from(color.slice(1), "hex"), 255], 4 * i)
  }
  return sharp(data, { raw: { width, height, channels: 4 } })
}
const indexAt = (bytes: Uint8Array, x: number, y: number) => bytes[y * 8 + x]

describe("colors of a palette", () => {
  it("are compared in OKLab", () => {
    const [lightness, a, b] = oklab(255, 0, 0)
    expect([lightness, a, b].map((x) => Math.round(x * 1000) / 1000)).toEqual([0.628, 0.225, 0.126])
  })
  it("are found exactly, or the one that looks most alike; never the index of no color", () => {
    const p = new Palette(palette, 0)
    expect(p.nearest(0xd0, 0x30, 0x20)).toBe(3)
    expect(p.nearest(0xff, 0xff, 0xff)).toBe(1)
    expect(p.nearest(0x20, 0xb0, 0x50)).toBe(5)
  })
  it("are mixed as a pattern where dithering is wished", () => {
    const gray = { data: new Uint8Array(64 * 4).fill(128), width: 8 }
    gray.data.forEach((_, i) => {
      if (i % 4 === 3) gray.data[i] = 255
    })
    const p = new Palette(["#000000", "#ffffff"], undefined)
    expect(new Set(p.indices({ ...gray, height: 8 }))).toHaveProperty("size", 1)
    const dithered = p.indices({ ...gray, height: 8 }, true)
    const white = dithered.filter((i) => i === 1).length
    expect(white).toBeGreaterThan(20)
    expect(white).toBeLessThan(50)
  })
  it("stand for an area by the commonest of it", () => {
    expect([...commonest(Uint8Array.from([1, 1, 2, 2, 1, 3, 2, 3]), 4, 2)]).toEqual([1, 2])
  })
})

describe("a picture for an indexed canvas", () => {
  it("goes through unchanged where it is indexed already, enlarged or not", async () => {
    for (const times of [1, 4, 64]) {
      const read = await readImage("a.png", await writePng(sprite, canvas, times, settings), canvas)
      expect(read.bytes).toEqual(sprite)
      expect(read.settings).toEqual(settings)
      expect(read.adjustable).toEqual({ crop: false, dither: false })
    }
  })
  it("is enlarged by whole pixels where it is a small sprite", async () => {
    const small = drawn(4, 4, (x, y) => (x === y ? "#d03020" : undefined))
    const { bytes, note } = await readImage("a.png", await small.png().toBuffer(), canvas)
    expect(note).toBe("every pixel of 4×4 shown as 2×2")
    for (let i = 0; i < 64; i++) expect(bytes[i]).toBe((i % 8) >> 1 === i >> 4 ? 3 : 0)
  })
  it("stands in the middle where whole pixels do not fill the canvas", async () => {
    const small = drawn(6, 5, () => "#2060d0")
    const { bytes, note } = await readImage("a.png", await small.png().toBuffer(), canvas)
    expect(note).toBe("6×5, in the middle of 8×8")
    expect([indexAt(bytes, 0, 4), indexAt(bytes, 1, 1), indexAt(bytes, 6, 5), indexAt(bytes, 7, 1)]).toEqual([
      0, 4, 4, 0,
    ])
  })
  it("keeps sharp edges of a drawing, without colors in between", async () => {
    const large = drawn(200, 200, (x, y) => (Math.hypot(x - 100, y - 100) < 70 ? "#d33422" : undefined))
    const { bytes, note } = await readImage("a.png", await large.png().toBuffer(), canvas)
    expect(note).toBe("200×200 → 8×8, the nearest of 6 colors")
    expect(new Set(bytes)).toEqual(new Set([0, 3]))
    expect([indexAt(bytes, 0, 0), indexAt(bytes, 4, 4)]).toEqual([0, 3])
  })
  it("is cropped where that is wished, or shown whole on its ground", async () => {
    const wide = await drawn(200, 100, (x) => (x < 101 ? "#d03020" : "#2060d0"))
      .png()
      .toBuffer()
    const read = async (crop: number | "whole") => readImage("a.png", wide, canvas, { crop, dithered: false })
    expect(new Set((await read(0)).bytes)).toEqual(new Set([3]))
    expect(new Set((await read(1)).bytes)).toEqual(new Set([4]))
    expect((await read(0.5)).note).toBe("200×100 → 8×8, center crop, the nearest of 6 colors")
    const whole = await read("whole")
    expect(whole.adjustable.crop).toBe(true)
    expect([indexAt(whole.bytes, 0, 0), indexAt(whole.bytes, 0, 4), indexAt(whole.bytes, 7, 4)]).toEqual([0, 3, 4])
  })
  it("stands on white where the canvas has no transparency", async () => {
    const { transparent: _, ...opaque } = canvas
    const { bytes } = await readImage(
      "a.png",
      await drawn(8, 8, (x) => (x ? undefined : "#000000"))
        .png()
        .toBuffer(),
      opaque,
    )
    expect([indexAt(bytes, 0, 0), indexAt(bytes, 3, 3)]).toEqual([2, 0])
  })
})

describe("an indexed picture as PNG", () => {
  it("has that very palette and a transparent ground", async () => {
    const file = await writePng(sprite, canvas, 2)
    const at = (type: string) => file.indexOf(type, 8, "latin1")
    expect(file.subarray(at("PLTE") + 4, at("PLTE") + 4 + 18).toString("hex")).toBe(
      palette.join("").replaceAll("#", ""),
    )
    expect(file[at("tRNS") + 4]).toBe(0)
    const { data, info } = await sharp(file).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([16, 16])
    for (let i = 0; i < 256; i++) {
      const index = sprite[Math.floor(i / 32) * 8 + ((i % 16) >> 1)] as number
      expect(data[4 * i + 3]).toBe(index ? 255 : 0)
      if (index) expect(data.subarray(4 * i, 4 * i + 3).toString("hex")).toBe(palette[index]?.slice(1))
    }
  })
  it("is transparent where there is nothing yet, by rows or by columns", async () => {
    const columns = { ...settings, columns: true }
    const half = byColumns(
      sprite.map((i) => i || 1),
      canvas,
    ).subarray(0, 32)
    const { data } = await sharp(await writePng(half, canvas, 1, columns))
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    for (let i = 0; i < 64; i++) expect(data[4 * i + 3]).toBe(i % 8 < 4 ? 255 : 0)
  })
  it("tells the size of the pixels that it was enlarged by", async () => {
    const { data, info } = await sharp(await writePng(sprite, canvas, 3))
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect(pixelSize({ data: new Uint8Array(data), width: info.width, height: info.height })).toBe(3)
  })
})
