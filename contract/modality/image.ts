import { z } from "zod"
import { type ModalityEntry, narrowPresets, plural, styled } from "./modality.ts"

/** Media of an image pack: pixels of one canvas in raster order, three bytes of RGB each or one index into a palette. */
export const Canvas = z
  .object({
    width: z.int().min(1).max(512),
    height: z.int().min(1).max(512),
    /** Colors by their index; without them a pixel is RGB. */
    palette: z
      .array(z.string().regex(/^#[0-9a-f]{6}$/, { error: "a color is written #rrggbb" }))
      .min(2)
      .max(256)
      .optional(),
    /** The index that stands for no color. */
    transparent: z.int().min(0).max(255).optional(),
    /**
     * Whether the second half of the header tells to read by columns (1) or by rows (0): a picture can then be continued
     * from its left. Without it the header is all style.
     */
    columns: z.boolean().optional(),
    ...styled,
  })
  .refine(({ palette = [], transparent = 0 }) => !transparent || transparent < palette.length, {
    error: "it must be an index into the palette",
    path: ["transparent"],
  })
export type Canvas = z.infer<typeof Canvas>

/** Bytes of one pixel. */
export const pixelBytes = ({ palette }: Pick<Canvas, "palette">) => (palette ? 1 : 3)

/** Bytes of one row of pixels; of one column, where a picture is read by columns. */
export const rowBytes = (canvas: Canvas, columns = false) =>
  (columns ? canvas.height : canvas.width) * pixelBytes(canvas)

/** Bytes of a whole picture. */
export const canvasBytes = (canvas: Canvas) => rowBytes(canvas) * canvas.height

/** Where pixel `i` of a document stands in raster order. */
export const placeOf = (i: number, { width, height }: Canvas, columns = false) =>
  columns ? (i % height) * width + Math.floor(i / height) : i

/** A whole picture's bytes in raster order, read by columns. */
export function byColumns(bytes: Uint8Array, canvas: Canvas): Uint8Array<ArrayBuffer> {
  const size = pixelBytes(canvas)
  const read = new Uint8Array(bytes.length)
  for (let i = 0; i < bytes.length / size; i++) {
    const place = placeOf(i, canvas, true) * size
    read.set(bytes.subarray(place, place + size), i * size)
  }
  return read
}

/** A document's bytes as a whole picture in raster order; what is not there yet has no color. */
export function inRaster(bytes: Uint8Array, canvas: Canvas, columns = false): Uint8Array<ArrayBuffer> {
  const size = pixelBytes(canvas)
  const picture = new Uint8Array(canvasBytes(canvas)).fill(canvas.transparent ?? 0)
  for (let i = 0; (i + 1) * size <= bytes.length; i++)
    picture.set(bytes.subarray(i * size, (i + 1) * size), placeOf(i, canvas, columns) * size)
  return picture
}

/** Pixels that may be unlike the commonest one in a picture that shows nothing. */
const STRAY = 0.02

/** Whether a whole picture shows nothing: nearly all of its pixels are alike. */
export function isBlank(bytes: Uint8Array, canvas: Canvas): boolean {
  const size = pixelBytes(canvas)
  if (bytes.length < canvasBytes(canvas)) return false
  const counts = new Map<number, number>()
  for (let at = 0; at < bytes.length; at += size) {
    const pixel = bytes.subarray(at, at + size).reduce((value, byte) => value * 256 + byte, 0)
    counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  }
  return Math.max(...counts.values()) > (1 - STRAY) * canvas.width * canvas.height
}

export const image: ModalityEntry = {
  noun: "picture",
  kind: "Picture",
  kinds: "Pictures",
  format: Canvas,
  forms: {
    png: { save: "Save PNG", extension: ".png", mime: "image/png" },
    // Every pixel repeated, so that none is blurred.
    large: { save: "Save large PNG", extension: ".png", mime: "image/png" },
  },
  lengthUnit: "bytes",
  typed: false,
  variations: 4,
  presets: narrowPresets,
  documents(media) {
    const canvas = Canvas.parse(media)
    return {
      styles: canvas.styles,
      defaultStyle: canvas.defaultStyle ?? 0,
      header({ style = 0, columns = false } = {}) {
        const header = new Uint8Array(canvas.header).fill(style)
        return canvas.columns ? header.fill(columns ? 1 : 0, header.length >> 1) : header
      },
      files: { file: "picture.png", raw: canvas.palette ? "picture.idx" : "picture.rgb" },
      unit: { name: "rows", bytes: rowBytes(canvas), most: canvas.height },
      amount: (bytes) => plural(Math.ceil(bytes / rowBytes(canvas)), "row"),
      usualLength: canvasBytes(canvas),
      grain: (columns) => ({ name: columns ? "columns" : "rows", bytes: rowBytes(canvas, columns) }),
      columns: canvas.columns ?? false,
      whole: canvasBytes(canvas),
      flaw: (bytes) => (isBlank(bytes, canvas) ? "blank" : undefined),
      marks: [],
    }
  },
}
