import sharp from "sharp"
import { PictureProblem } from "./picture-problem.ts"

/** Drawings: what they would take is told before they are drawn, and they are drawn once, no larger than is looked at. */

/** Pixels that a drawing is drawn with: far more than any canvas has, and as many as one has where it takes much work. */
const [FEWEST, MOST] = [2 ** 16, 2 ** 20]
/** Parts that are drawn, each as often as it is referred to. */
const MOST_PARTS = 100_000
/** Passes over one pixel, by filters, masks and patterns, of all pixels together. */
const MOST_PASSES = 2 ** 30
/** How many passes a step of a filter is like, and a part. */
const STEPS: Record<string, number> = {
  feGaussianBlur: 6,
  feDropShadow: 8,
  feDiffuseLighting: 8,
  feSpecularLighting: 8,
}
const PART = 0.01

/** Whether a file is a drawing; what else begins so is refused by its decoder. */
export const isSvg = (file: Uint8Array): boolean =>
  /^(\ufeff|\s)*</.test(new TextDecoder().decode(file.subarray(0, 64)))

/** A drawing as a PNG of its own size, or smaller where that is huge. @throws PictureProblem for one that draws too much */
export async function drawn(file: Uint8Array): Promise<Uint8Array> {
  const natural = await sharp(file, { limitInputPixels: false }).metadata()
  const pixels = pixelsFor(new TextDecoder().decode(file), natural.width)
  const scale = Math.min(1, Math.sqrt(pixels / (natural.width * natural.height)))
  if (Math.min(natural.width, natural.height) * scale < 1) throw new PictureProblem("it is far too long and thin")
  const density = Math.max(1, 72 * scale)
  return sharp(file, { density, failOn: "truncated" }).png({ compressionLevel: 1 }).toBuffer()
}

/** An element: what it costs to draw by itself, and the names of what it draws besides what is in it. */
type Element = { name: string; parts: number; filtered: number; refers: string[]; children: Element[]; hidden: boolean }
type Cost = { parts: number; filtered: number }

/** Elements that are drawn only where they are referred to. */
const HIDDEN =
  /^(defs|symbol|filter|mask|pattern|clipPath|marker|linearGradient|radialGradient|style|title|desc|metadata)$/

/**
 * The pixels with which a drawing `width` wide is drawn in reasonable time.
 * @throws PictureProblem for one of too many parts: each is counted as often as it is referred to
 */
function pixelsFor(text: string, width: number): number {
  if (/<!ENTITY\s[^>]*["'][^"'>]*[<&]/.test(text)) throw new PictureProblem("it hides parts of itself in entities")
  const { root, byId } = parse(text, width)
  const known = new Map<Element, Cost>()
  const open = new Set<Element>()
  const cost = (element: Element, referred: boolean): Cost => {
    if (element.hidden && !referred) return { parts: 0, filtered: 0 }
    const before = known.get(element)
    if (before || open.has(element)) return before ?? { parts: 0, filtered: 0 } // a circle is drawn by nobody
    open.add(element)
    const sum = { parts: element.parts, filtered: element.filtered }
    const add = ({ parts, filtered }: Cost) => {
      sum.parts += parts
      sum.filtered += filtered
    }
    for (const child of element.children) add(cost(child, referred && element.hidden))
    for (const id of element.refers) {
      const target = byId.get(id)
      if (target) add(cost(target, true))
    }
    open.delete(element)
    known.set(element, sum)
    return sum
  }
  const { parts, filtered } = cost(root, false)
  const pixels = MOST_PASSES / (filtered + PART * parts)
  if (parts > MOST_PARTS || pixels < FEWEST)
    throw new PictureProblem("it draws more than can be drawn in reasonable time; save it as PNG")
  return Math.min(MOST, pixels)
}

const TOKEN =
  /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<[?!][^>]*>|<(\/?)([\w:.-]+)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>/g

/** The elements of a drawing, as a tree, and those that have names. It takes what is not well-formed as it comes. */
function parse(text: string, width: number): { root: Element; byId: Map<string, Element> } {
  const viewed = Number(/viewBox\s*=\s*["']\s*\S+?[\s,]+\S+?[\s,]+([\d.e+-]+)/.exec(text)?.[1])
  // Steps of filters may be as large as their parts.
  const unit = /="objectBoundingBox"/.test(text) ? width : viewed > 0 ? width / viewed : 1
  const rules = rulesOf(text)
  const root = element("", "", rules, unit)
  const byId = new Map<string, Element>()
  const stack = [root]
  for (const [, closing, qualified, attributes = "", alone] of text.matchAll(TOKEN)) {
    if (!qualified) continue
    if (closing) {
      if (stack.length > 1) stack.pop()
      continue
    }
    const found = element(qualified.replace(/^.*:/, ""), attributes, rules, unit)
    stack.at(-1)?.children.push(found)
    const id = /\sid\s*=\s*["']([^"']*)/.exec(attributes)?.[1]
    if (id !== undefined) byId.set(id, found)
    if (!alone) stack.push(found)
  }
  return { root, byId }
}

function element(name: string, attributes: string, rules: Map<string, string[]>, unit: number): Element {
  const refers = referred(attributes)
  if (rules.size)
    for (const key of [name, ...(/\sclass\s*=\s*["']([^"']*)/.exec(attributes)?.[1]?.split(/\s+/) ?? [])])
      refers.push(...(rules.get(key) ?? []))
  // A marker stands at every corner of a line.
  const corners = /marker/.test(attributes) ? (attributes.match(/[\d.]+[\s,]+-?[\d.]+/g)?.length ?? 1) : 1
  const many = corners > 1 ? refers.flatMap((id) => Array<string>(Math.min(corners, MOST_PARTS)).fill(id)) : refers
  const surface =
    /\b(opacity|mask|clip-path|mix-blend-mode)\s*[=:]/.test(attributes) && /^(g|use|svg|image)$/.test(name)
  const filtered = /^fe[A-Z]/.test(name) ? stepOf(name, attributes, unit) : surface || name === "pattern" ? 1 : 0
  return { name, parts: 1, filtered, refers: many, children: [], hidden: HIDDEN.test(name) }
}

/** How many passes over every pixel a step of a filter is like; `unit`: pixels that a unit of the drawing is. */
function stepOf(name: string, attributes: string, unit: number): number {
  const numbers = (attribute: string) =>
    (new RegExp(`\\s${attribute}\\s*=\\s*["']([^"']*)`).exec(attributes)?.[1] ?? "").split(/[\s,]+/).map(Number)
  const [x = 0, y = x] = numbers(name === "feConvolveMatrix" ? "order" : "radius").map((n) => (n > 0 ? n : 0))
  if (name === "feConvolveMatrix") return Math.max(9, x * y) / 4
  if (name === "feMorphology") return 2 + (2 * unit * x + 1) * (2 * unit * y + 1)
  if (name === "feTurbulence") return 10 * Math.max(1, numbers("numOctaves")[0] || 1)
  return STEPS[name] ?? 1
}

const referred = (text: string): string[] =>
  [...text.matchAll(/url\(\s*["']?#([^"')\s]+)|href\s*=\s*["']#([^"']+)/g)].map(([, a, b]) => (a ?? b) as string)

/** What style sheets refer to, by the last class or element of their selectors. */
function rulesOf(text: string): Map<string, string[]> {
  const rules = new Map<string, string[]>()
  for (const [, sheet = ""] of text.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g))
    for (const [, selectors = "", body = ""] of sheet.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
      const ids = referred(body)
      if (!ids.length) continue
      for (const selector of selectors.split(",")) {
        const key = /([\w-]+)\s*$/.exec(selector)?.[1]
        if (key) rules.set(key, [...(rules.get(key) ?? []), ...ids])
      }
    }
  return rules
}
