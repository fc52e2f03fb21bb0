import { byColumns, type Canvas, inRaster, pixelBytes, placeOf, rowBytes } from "../../contract/pack.ts"

/** Pixels of the clipboard's picture for each of the picture's own. */
const SCALE = 16

/** Red, green, blue and alpha of pixel `i` of a document's bytes. */
function rgba(bytes: Uint8Array, i: number, { palette, transparent }: Canvas): [number, number, number, number] {
  if (!palette) return [bytes[3 * i] ?? 0, bytes[3 * i + 1] ?? 0, bytes[3 * i + 2] ?? 0, 255]
  const index = bytes[i] ?? 0
  const color = Number.parseInt((palette[index] ?? "#000000").slice(1), 16)
  return [color >> 16, (color >> 8) & 255, color & 255, index === transparent ? 0 : 255]
}

/** How many whole pixels a document's bytes have. */
export const pixelsOf = (bytes: Uint8Array, canvas: Canvas) =>
  Math.min(Math.floor(bytes.length / pixelBytes(canvas)), canvas.width * canvas.height)

/** Puts the pixels that are there onto a canvas of the picture's own size; others are clear. `alphaOf`: 0 to 1. */
export function paintPixels(
  g: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  bytes: Uint8Array,
  canvas: Canvas,
  columns = false,
  alphaOf: (place: number) => number = () => 1,
): void {
  const image = g.createImageData(canvas.width, canvas.height)
  for (let i = 0; i < pixelsOf(bytes, canvas); i++) {
    const place = placeOf(i, canvas, columns)
    const [red, green, blue, alpha] = rgba(bytes, i, canvas)
    image.data.set([red, green, blue, alpha * alphaOf(place)], 4 * place)
  }
  g.putImageData(image, 0, 0)
}

/** PNG of a picture, every pixel 16 times as large each way, for the clipboard. */
export async function enlargedPng(bytes: Uint8Array, canvas: Canvas, columns = false): Promise<Blob> {
  const small = new OffscreenCanvas(canvas.width, canvas.height)
  const own = small.getContext("2d")
  if (own) paintPixels(own, bytes, canvas, columns)
  const large = new OffscreenCanvas(canvas.width * SCALE, canvas.height * SCALE)
  const g = large.getContext("2d")
  if (g) {
    g.imageSmoothingEnabled = false
    g.drawImage(small, 0, 0, large.width, large.height)
  }
  return large.convertToBlob({ type: "image/png" })
}

/** What an indexed picture's clear pixels stand on: white squares and gray ones, so that dark outlines can be seen. */
export const groundOf = ({ palette }: Canvas, scale: number) =>
  palette && { background: `repeating-conic-gradient(#fff 0 25%, #eceef2 0 50%) 0 0 / ${2 * scale}px ${2 * scale}px` }

/** A picture to go on from, in raster order, with what is kept of it: bytes of its first rows, or of its columns. */
export type PictureDraft = { bytes: Uint8Array; kept: number; columns?: boolean | undefined }

/** What the model is to see of a picture. */
export const givenOf = ({ bytes, kept, columns }: PictureDraft, canvas: Canvas): Uint8Array =>
  (columns ? byColumns(bytes, canvas) : bytes).subarray(0, kept)

/** What was made, to go on from; of a complete picture the last line is made anew: there is always something to do. */
export function pictureDraft(bytes: Uint8Array, canvas: Canvas, columns = false): PictureDraft {
  const line = rowBytes(canvas, columns)
  const most = (columns ? canvas.width : canvas.height) - 1
  const kept = Math.min(most, Math.floor(bytes.length / line)) * line
  return { bytes: inRaster(bytes, canvas, columns), kept, columns }
}
