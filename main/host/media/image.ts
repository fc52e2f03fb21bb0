import sharp, { type Sharp } from "sharp"
import { Settings } from "../../../contract/app.ts"
import { type Canvas, canvasBytes } from "../../../contract/pack.ts"
import { decodeBitmap } from "./bitmap.ts"
import { MediaError } from "./error.ts"
import { pictureProblem, wholeJpeg } from "./jpeg.ts"

/** A generated picture is enlarged by whole factors to about this many pixels, so that no pixel is blurred. */
const ENLARGED = 512

/** Pixels of the largest picture that is decoded; cameras make up to half as many. */
const MOST_PIXELS = 2 ** 27

/**
 * A picture of any size and format as RGB bytes of the canvas: turned as its EXIF says, the first frame, on white where
 * it is transparent, the largest centre of the canvas's shape, reduced with an anti-alias filter. `note` says what was
 * done; `settings` are those it was generated with, where it is an export of this app.
 * @throws MediaError with one line
 */
export async function readImage(
  name: string,
  given: Uint8Array,
  canvas: Canvas,
): Promise<{ bytes: Uint8Array; note: string; settings?: Settings }> {
  const { width, height } = canvas
  try {
    const file = await wholeJpeg(given)
    const image = open(file)
    const meta = await image.metadata()
    const from = { width: meta.autoOrient?.width ?? meta.width, height: meta.autoOrient?.height ?? meta.height }
    const scale = Math.min(from.width / width, from.height / height)
    const notes = []
    if (from.width !== width || from.height !== height)
      notes.push(
        `${from.width}×${from.height} → ${width}×${height}${from.width * height === from.height * width ? "" : ", centre crop"}`,
      )
    if ((meta.orientation ?? 1) !== 1) notes.push("turned as the camera held it")
    if ((meta.pages ?? 1) > 1) notes.push("the first frame")
    if (meta.hasAlpha && !(await open(file).stats()).isOpaque) notes.push("on white")
    if (meta.space === "cmyk") notes.push("CMYK → RGB")
    if (meta.depth === "ushort") notes.push("16 → 8 bits a channel")
    const bytes = await image
      .autoOrient()
      .toColourspace("srgb")
      .flatten({ background: "#ffffff" })
      // A whole multiple of the canvas is an enlarged picture of its pixels: those are taken back as they were.
      .resize(width, height, {
        fit: "cover",
        kernel: await kernel(file, scale, (from.width % width) + (from.height % height) === 0),
      })
      .removeAlpha()
      .raw({ depth: "uchar" })
      .toBuffer()
    if (bytes.length !== canvasBytes(canvas)) throw new Error(`${bytes.length} bytes`)
    const settings = settingsIn(meta.xmpAsString)
    return { bytes: new Uint8Array(bytes), note: notes.join(", "), ...(settings ? { settings } : {}) }
  } catch (error) {
    throw new MediaError(`${name} cannot be read as a picture: ${pictureProblem(error)}.`, { cause: error })
  }
}

function open(file: Uint8Array): Sharp {
  if (file[0] === 0x42 && file[1] === 0x4d) {
    const { data, width, height } = decodeBitmap(file)
    return sharp(data, { raw: { width, height, channels: 3 } })
  }
  return sharp(file, { animated: false, failOn: "truncated", limitInputPixels: MOST_PIXELS })
}

/** Nearest for a picture that was enlarged by whole factors, as this app's own exports are; otherwise Lanczos. */
async function kernel(file: Uint8Array, scale: number, whole: boolean): Promise<"nearest" | "lanczos3"> {
  if (!whole || scale <= 1 || scale > 64) return "lanczos3"
  const { data, info } = await open(file).autoOrient().raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const here = (y * width + x) * channels
      const corner = ((y - (y % scale)) * width + (x - (x % scale))) * channels
      for (let c = 0; c < channels; c++) if (data[here + c] !== data[corner + c]) return "lanczos3"
    }
  return "nearest"
}

/**
 * PNG of canvas bytes; pixels not there yet are transparent. `enlarge` repeats every pixel so many times each way;
 * `settings` are put into the file's XMP, so that dropping it restores them.
 */
export async function writePng(bytes: Uint8Array, canvas: Canvas, enlarge = 1, settings?: Settings): Promise<Buffer> {
  const { width, height } = canvas
  const whole = bytes.length >= canvasBytes(canvas)
  const channels = whole ? 3 : 4
  const pixels = new Uint8Array(width * height * channels)
  for (let i = 0; i < Math.floor(bytes.length / 3); i++) {
    pixels.set(bytes.subarray(3 * i, 3 * i + 3), channels * i)
    if (!whole) pixels[4 * i + 3] = 255
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
