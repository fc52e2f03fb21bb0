import sharp, { type Sharp } from "sharp"
import { type Framing, Settings } from "../../../contract/app.ts"
import { type Canvas, canvasBytes, pixelBytes, placeOf } from "../../../contract/pack.ts"
import { decodeBitmap } from "./bitmap.ts"
import { MediaError } from "./error.ts"
import { wholeJpeg } from "./jpeg.ts"
import { MOST_PIXELS } from "./limits.ts"
import { centered, commonest, isFlat, Palette, pixelSize, type Rgba, stepped } from "./palette.ts"
import { DAMAGED, PictureProblem, pictureProblem } from "./picture-problem.ts"
import { encodeIndexed } from "./png.ts"
import { drawn, isSvg } from "./svg.ts"

/** A generated picture is enlarged by whole factors to about this many pixels, so that no pixel is blurred. */
const ENLARGED = 512

/** Pictures up to this many pixels are looked at whole: they may be pixel art, enlarged or not. */
const LOOKED_AT = 2 ** 22

/** Pictures of at most this many pixels each way are taken for pixel art. */
const SMALL = 64

/** Pixels each way that are reduced to one by taking the commonest color: so the pictures to learn from were drawn. */
const OVERSAMPLED = 6

/** A picture as a pack sees it. */
export type ReadImage = {
  /** Canonical bytes of the canvas, in raster order. */
  bytes: Uint8Array
  /** What was done to it, for a person. */
  note: string
  /** What it was generated with, where it is an export of this app. */
  settings?: Settings
  /** What of its framing makes a difference: it has another shape, or other colors. */
  adjustable: { crop: boolean; dither: boolean }
}

/** A picture as it comes: its upright size, and its pixels where it is small enough to be looked at whole. */
type Found = { size: Size; art: Art | undefined }
type Size = { width: number; height: number }
/** Pixel art as it was drawn, and how many pixels each way show one of its own. */
type Art = { drawn: Rgba; step: number }
type Framed = Pick<ReadImage, "bytes" | "adjustable"> & { how: string }

const CENTERED: Framing = { crop: 0.5, dithered: false }

/**
 * A picture of any size and format as bytes of the canvas: turned as its EXIF says, the first frame, cropped as
 * `framing` says, on white where it is transparent and the canvas is not.
 * @throws MediaError with one line
 */
export async function readImage(
  name: string,
  given: Uint8Array,
  canvas: Canvas,
  framing: Framing = CENTERED,
): Promise<ReadImage> {
  try {
    const file = isSvg(given) ? await drawn(given) : await wholeJpeg(given)
    const meta = await open(file).metadata()
    const size = { width: meta.autoOrient?.width ?? meta.width, height: meta.autoOrient?.height ?? meta.height }
    const found = { size, art: size.width * size.height <= LOOKED_AT ? await pixelArt(file, size) : undefined }
    const { how, ...picture } = canvas.palette
      ? await readIndexed(file, found, canvas, new Palette(canvas.palette, canvas.transparent), framing)
      : await readRgb(file, found, canvas, framing)
    if (picture.bytes.length !== canvasBytes(canvas)) throw new Error(`${picture.bytes.length} bytes`)
    const seeThrough = meta.hasAlpha && canvas.transparent === undefined && !(await open(file).stats()).isOpaque
    const note = [
      how,
      (meta.orientation ?? 1) !== 1 && "turned as the camera held it",
      (meta.pages ?? 1) > 1 && "the first frame",
      seeThrough && "on white",
      meta.space === "cmyk" && "CMYK → RGB",
      meta.depth === "ushort" && "16 → 8 bits a channel",
    ]
    const settings = settingsIn(meta.xmpAsString)
    return { ...picture, note: note.filter(Boolean).join(", "), ...(settings ? { settings } : {}) }
  } catch (error) {
    // What else is wrong with a drawing would be found out by drawing it once more.
    const why = isSvg(given) && !(error instanceof PictureProblem) ? DAMAGED : await pictureProblem(error, given)
    throw new MediaError(`${name} cannot be read as a picture: ${why}.`, { cause: error })
  }
}

/** RGB, reduced with an anti-alias filter; a picture that was enlarged by whole pixels gets its own pixels back. */
async function readRgb(file: Uint8Array, { size, art }: Found, canvas: Canvas, framing: Framing): Promise<Framed> {
  const scale = Math.min(size.width / canvas.width, size.height / canvas.height)
  const kernel = art && art.step % scale === 0 && scale > 1 ? "nearest" : "lanczos3"
  const bytes = await resized(file, size, canvas, framing, 1, kernel).removeAlpha().raw({ depth: "uchar" }).toBuffer()
  const crop = isOfOtherShape(size, canvas)
  return { bytes: new Uint8Array(bytes), how: howResized(size, canvas, framing), adjustable: { crop, dither: false } }
}

/**
 * Indices into the palette. Pixel art that fits the canvas is enlarged by whole pixels, never blurred, and stands in its
 * middle. Of a drawing every pixel takes the commonest color of its area, of a photo the mean.
 */
async function readIndexed(
  file: Uint8Array,
  { size, art }: Found,
  canvas: Canvas,
  palette: Palette,
  framing: Framing,
): Promise<Framed> {
  const { width, height } = canvas
  if (art && art.drawn.width <= width && art.drawn.height <= height) {
    const times = Math.floor(Math.min(width / art.drawn.width, height / art.drawn.height))
    const enlarged = stepped(art.drawn, 1, times)
    const bytes = palette.indices(await onGround(centered(enlarged, canvas), canvas))
    const fills = enlarged.width === width && enlarged.height === height
    const how = [
      times !== art.step &&
        times > 1 &&
        `every pixel of ${art.drawn.width}×${art.drawn.height} shown as ${times}×${times}`,
      times !== art.step &&
        times === 1 &&
        `${size.width}×${size.height} → ${art.drawn.width}×${art.drawn.height}, pixel by pixel`,
      times === art.step && times === 1 && !fills && `${size.width}×${size.height}`,
      !fills && `in the middle of ${width}×${height}`,
    ]
    return { bytes, how: how.filter(Boolean).join(", "), adjustable: { crop: false, dither: false } }
  }
  const adjustable = { crop: isOfOtherShape(size, canvas), dither: true }
  const how = [
    howResized(size, canvas, framing),
    `${framing.dithered ? "dithered in" : "the nearest of"} ${canvas.palette?.length} colors`,
  ]
  const at = (times: number, kernel: Kernel) => rgba(resized(file, size, canvas, framing, times, kernel))
  const large = framing.dithered ? undefined : await at(OVERSAMPLED, art ? "nearest" : "lanczos3")
  const bytes =
    large && (art || isFlat(large))
      ? commonest(palette.indices(large), large.width, OVERSAMPLED)
      : palette.indices(await at(1, "lanczos3"), framing.dithered)
  return { bytes, how: how.filter(Boolean).join(", "), adjustable }
}

type Kernel = "nearest" | "lanczos3"

/** The part that `framing` takes, `times` as large as the canvas; on white where the canvas has no transparency. */
function resized(file: Uint8Array, size: Size, canvas: Canvas, framing: Framing, times: number, kernel: Kernel): Sharp {
  const [width, height] = [times * canvas.width, times * canvas.height]
  const clear = canvas.transparent !== undefined
  const image = open(file).autoOrient().toColourspace("srgb")
  if (framing.crop !== "whole") image.extract(cropOf(size, canvas, framing.crop))
  if (!clear) image.flatten({ background: "#ffffff" })
  const background = clear ? { r: 0, g: 0, b: 0, alpha: 0 } : "#ffffff"
  return image.resize(width, height, { fit: framing.crop === "whole" ? "contain" : "fill", background, kernel })
}

/** The largest part of the canvas's shape; `at`: where on the side that is too long, from 0 to 1. */
function cropOf(size: Size, canvas: Size, at: number) {
  const scale = Math.min(size.width / canvas.width, size.height / canvas.height)
  const [width, height] = [canvas.width * scale, canvas.height * scale].map((n) => Math.max(1, Math.round(n))) as [
    number,
    number,
  ]
  return { left: Math.round((size.width - width) * at), top: Math.round((size.height - height) * at), width, height }
}

const isOfOtherShape = (size: Size, canvas: Size) => size.width * canvas.height !== size.height * canvas.width

function howResized(size: Size, canvas: Size, { crop }: Framing): string {
  if (size.width === canvas.width && size.height === canvas.height) return ""
  const part = crop === "whole" ? "all of it" : crop === 0.5 ? "center crop" : `crop at ${Math.round(100 * crop)} %`
  const from = `${size.width}×${size.height} → ${canvas.width}×${canvas.height}`
  return isOfOtherShape(size, canvas) ? `${from}, ${part}` : from
}

/** A picture's own pixels, where it was enlarged by whole ones or is small enough to be pixel art. */
async function pixelArt(file: Uint8Array, size: Size): Promise<Art | undefined> {
  const pixels = await rgba(open(file).autoOrient().toColourspace("srgb"))
  const step = pixelSize(pixels)
  return step > 1 || Math.max(size.width, size.height) <= SMALL ? { drawn: stepped(pixels, step), step } : undefined
}

/** Four bytes a pixel; what cannot be seen has no color. */
async function rgba(image: Sharp): Promise<Rgba> {
  const { data, info } = await image.ensureAlpha().raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true })
  for (let at = 0; at < data.length; at += 4) if (!data[at + 3]) data.fill(0, at, at + 3)
  return { data: new Uint8Array(data), width: info.width, height: info.height }
}

/** On white where the canvas has no transparency. */
async function onGround(picture: Rgba, { transparent }: Canvas): Promise<Rgba> {
  if (transparent !== undefined) return picture
  const { data, width, height } = picture
  return rgba(sharp(data, { raw: { width, height, channels: 4 } }).flatten({ background: "#ffffff" }))
}

function open(file: Uint8Array): Sharp {
  if (file[0] === 0x42 && file[1] === 0x4d) {
    const { data, width, height } = decodeBitmap(file)
    return sharp(data, { raw: { width, height, channels: 3 } })
  }
  return sharp(file, { animated: false, failOn: "truncated", limitInputPixels: MOST_PIXELS })
}

/**
 * PNG of a document's bytes; pixels not there yet are transparent. Indexed pictures keep their palette. `enlarge` repeats
 * every pixel so many times each way; `settings` are put into the file's XMP, so that dropping it restores them, and tell
 * whether the bytes are read by columns.
 */
export async function writePng(bytes: Uint8Array, canvas: Canvas, enlarge = 1, settings?: Settings): Promise<Buffer> {
  const { width, height, palette, transparent } = canvas
  const columns = settings?.columns
  const size = pixelBytes(canvas)
  const there = Math.min(Math.floor(bytes.length / size), width * height)
  if (palette) {
    const colors = palette.map((color, i) => ({ color, clear: i === transparent }))
    if (there < width * height && transparent === undefined) colors.push({ color: "#ffffff", clear: true })
    const ground = colors.findIndex(({ clear }) => clear)
    const indices = new Uint8Array(width * height).fill(Math.max(0, ground))
    for (let i = 0; i < there; i++)
      indices[placeOf(i, canvas, columns)] = Math.min(bytes[i] as number, palette.length - 1)
    return encodeIndexed({ indices, width, height }, colors.slice(0, 256), enlarge, settings && xmp(settings))
  }
  const channels = there === width * height ? 3 : 4
  const pixels = new Uint8Array(width * height * channels)
  for (let i = 0; i < there; i++) {
    const at = channels * placeOf(i, canvas, columns)
    pixels.set(bytes.subarray(3 * i, 3 * i + 3), at)
    if (channels === 4) pixels[at + 3] = 255
  }
  const image = sharp(pixels, { raw: { width, height, channels } })
  if (enlarge > 1) image.resize(width * enlarge, height * enlarge, { kernel: "nearest" })
  if (settings) image.withXmp(xmp(settings))
  return image.png({ compressionLevel: 9 }).toBuffer()
}

/** The whole factor that brings a canvas to about 512 pixels. */
export const enlargement = ({ width }: Canvas) => Math.max(1, Math.round(ENLARGED / width))

const escapes: [string, string][] = [
  ["&", "&amp;"],
  ['"', "&quot;"],
  ["<", "&lt;"],
]

function xmp(settings: Settings): string {
  const text = escapes.reduce((t, [from, to]) => t.replaceAll(from, to), JSON.stringify(settings))
  return (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ' +
    `xmlns:megabyte="https://arxiv.org/abs/2305.07185" megabyte:settings="${text}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
  )
}

function settingsIn(text: string | undefined): Settings | undefined {
  const found = /megabyte:settings="([^"]*)"/.exec(text ?? "")?.[1]
  if (!found) return undefined
  try {
    const json = escapes.reduceRight((t, [to, from]) => t.replaceAll(from, to), found)
    return Settings.parse(JSON.parse(json))
  } catch {
    return undefined // foreign or damaged: it is still a picture
  }
}
