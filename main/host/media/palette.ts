/**
 * Pictures of many colors brought to a palette. Colors are compared in OKLab (Ottosson 2020, "A perceptual color space
 * for image processing"), where equal distances look alike.
 */

type Lab = [lightness: number, a: number, b: number]

/** Pixels of RGBA, four bytes each, in raster order. */
export type Rgba = { data: Uint8Array; width: number; height: number }

/** From this alpha on a pixel has a color. */
const OPAQUE = 128

/** Thresholds of ordered dithering (Bayer 1973), 0 to 15 over four by four pixels. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]

const linear = Float64Array.from({ length: 256 }, (_, i) => {
  const s = i / 255
  return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4
})

/** sRGB of 0 to 255 as OKLab. */
export function oklab(red: number, green: number, blue: number): Lab {
  const [r, g, b] = [linear[red] ?? 0, linear[green] ?? 0, linear[blue] ?? 0]
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

/** "#rrggbb" as three bytes. */
export const rgbOf = (color: string): [number, number, number] => {
  const n = Number.parseInt(color.slice(1), 16)
  return [n >> 16, (n >> 8) & 255, n & 255]
}

/** A palette that colors are looked up in; an index that stands for no color is never an answer to one. */
export class Palette {
  private readonly labs: (Lab | undefined)[]
  private readonly known = new Map<number, number>()
  /** Half of the distance from a color of the palette to its nearest neighbor, in the mean: how far dithering goes. */
  private readonly spread: number

  constructor(
    colors: readonly string[],
    private readonly transparent: number | undefined,
  ) {
    this.labs = colors.map((color, i) => (i === transparent ? undefined : oklab(...rgbOf(color))))
    const gaps = this.labs.flatMap((lab, i) => {
      const others = this.labs.filter((other, j) => other && j !== i) as Lab[]
      return lab && others.length ? [Math.sqrt(Math.min(...others.map((other) => distance(lab, other))))] : []
    })
    this.spread = gaps.reduce((sum, gap) => sum + gap, 0) / Math.max(1, gaps.length) / 2
  }

  /** The index whose color looks most like this one. */
  nearest(red: number, green: number, blue: number): number {
    const key = (red << 16) | (green << 8) | blue
    const found = this.known.get(key) ?? this.search(oklab(red, green, blue))
    this.known.set(key, found)
    return found
  }

  private search(lab: Lab): number {
    let [best, least] = [0, Number.POSITIVE_INFINITY]
    this.labs.forEach((other, i) => {
      const d = other ? distance(lab, other) : Number.POSITIVE_INFINITY
      if (d < least) [best, least] = [i, d]
    })
    return best
  }

  /**
   * An index a pixel; what is mostly transparent becomes the index of no color, where there is one. `dithered`: colors
   * between two of the palette become a pattern of both.
   */
  indices({ data, width }: Rgba, dithered = false): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: data.length / 4 }, (_, i) => {
      const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(4 * i, 4 * i + 4)
      if (alpha < OPAQUE && this.transparent !== undefined) return this.transparent
      if (!dithered) return this.nearest(red, green, blue)
      const [x, y] = [i % width, Math.floor(i / width)]
      const threshold = ((BAYER[(y % 4) * 4 + (x % 4)] ?? 0) + 0.5) / 16 - 0.5
      const [lightness, a, b] = oklab(red, green, blue)
      return this.search([lightness + 2 * this.spread * threshold, a, b])
    })
  }
}

const distance = (p: Lab, q: Lab) => (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2

/** The commonest index of each block of `side` by `side`: the shapes of line art stay sharp, no color is mixed. */
export function commonest(indices: Uint8Array, width: number, side: number): Uint8Array<ArrayBuffer> {
  const across = width / side
  const counts = new Uint16Array(256)
  return Uint8Array.from({ length: indices.length / side ** 2 }, (_, i) => {
    counts.fill(0)
    const corner = Math.floor(i / across) * side * width + (i % across) * side
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const index = indices[corner + y * width + x] as number
        counts[index] = (counts[index] as number) + 1
      }
    return counts.indexOf(Math.max(...counts))
  })
}

/** The size of the squares of one color that a picture is made of: 1 where it was never enlarged by whole pixels. */
export function pixelSize({ data, width, height }: Rgba): number {
  const pixels = new Uint32Array(data.buffer, data.byteOffset, width * height)
  let size = gcd(width, height)
  for (let y = 0; y < height && size > 1; y++)
    for (let x = 0; x < width && size > 1; x++) {
      const here = pixels[y * width + x]
      if (x % size && here !== pixels[y * width + x - 1]) size = gcd(size, x)
      if (y % size && here !== pixels[(y - 1) * width + x]) size = gcd(size, y)
    }
  return size
}

const gcd = (a: number, b: number): number => (b ? gcd(b, a % b) : a)

/** Every `step`-th pixel both ways; with `size` copies of each: a picture made smaller or larger by whole pixels. */
export function stepped({ data, width, height }: Rgba, step: number, size = 1): Rgba {
  const [w, h] = [(width / step) * size, (height / step) * size]
  const out = new Uint8Array(w * h * 4)
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const from = (Math.floor(y / size) * step * width + Math.floor(x / size) * step) * 4
      out.set(data.subarray(from, from + 4), (y * w + x) * 4)
    }
  return { data: out, width: w, height: h }
}

/** A small picture in the middle of a transparent one. */
export function centered({ data, width, height }: Rgba, on: { width: number; height: number }): Rgba {
  const out = new Uint8Array(on.width * on.height * 4)
  const [left, top] = [Math.floor((on.width - width) / 2), Math.floor((on.height - height) / 2)]
  for (let y = 0; y < height; y++)
    out.set(data.subarray(y * width * 4, (y + 1) * width * 4), ((top + y) * on.width + left) * 4)
  return { data: out, ...on }
}

/** Whether most pixels are exactly like their left neighbor, as in drawings and logos, and hardly ever in photos. */
export function isFlat({ data, width, height }: Rgba): boolean {
  const pixels = new Uint32Array(data.buffer, data.byteOffset, width * height)
  let alike = 0
  for (let i = 1; i < pixels.length; i++) alike += Number(i % width !== 0 && pixels[i] === pixels[i - 1])
  return alike > pixels.length / 2
}
