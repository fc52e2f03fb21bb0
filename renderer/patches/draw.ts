import { surpriseColor, surpriseLevel } from "../lib/color.ts"
import type { Content } from "../lib/content.ts"
import { glyph } from "../lib/words.ts"
import type { Span } from "./view.ts"

/** How a strip is drawn: its size in CSS pixels, and what of it is chosen or pointed at. */
export type Look = {
  width: number
  height: number
  span: Span
  patch: number
  usual: number
  /** Whether the bytes are written under their bars where there is room. */
  letters: boolean
  selected: number | undefined
  hovered: number | undefined
}

/** Pixels that a letter needs, and the line of letters. */
const LETTER = 9
const LINE = 16

/** Draws the patches in sight as bars: the taller and warmer, the more the model was surprised. */
export function drawStrip(g: CanvasRenderingContext2D, content: Content, look: Look): void {
  const { width, height, span, patch, usual } = look
  const style = getComputedStyle(g.canvas)
  const color = (name: string) => style.getPropertyValue(name)
  g.clearRect(0, 0, width, height)
  const cell = width / Math.max(1e-9, span.to - span.from)
  const letters = look.letters && cell >= LETTER * patch
  const floor = letters ? height - LINE : height
  const columns = Math.max(1, Math.min(Math.ceil(span.to - span.from), Math.floor(width / 3)))
  const per = (span.to - span.from) / columns
  for (let c = 0; c < columns; c++) {
    const from = Math.floor(span.from + c * per)
    const to = Math.max(from + 1, Math.floor(span.from + (c + 1) * per))
    const bits = content.meanBits(from * patch, to * patch)
    const x = (from - span.from) * cell
    const w = Math.max(1, (to - from) * cell - (cell > 5 ? 1.5 : 0))
    // What was given has no bits: a line.
    const tall = bits === undefined ? 3 : 5 + (floor - 7) * surpriseLevel(bits, usual)
    g.fillStyle = bits === undefined ? color("--line-strong") : surpriseColor(bits, usual, true)
    g.beginPath()
    g.roundRect(x, floor - tall, w, tall, [Math.min(3, w / 3), Math.min(3, w / 3), 0, 0])
    g.fill()
  }
  if (letters) drawLetters(g, content, look, cell, color("--soft"))
  mark(g, look, cell, look.hovered, color("--soft"))
  mark(g, look, cell, look.selected, color("--accent"))
}

function drawLetters(g: CanvasRenderingContext2D, content: Content, look: Look, cell: number, color: string): void {
  const { span, patch, height } = look
  g.font = "11px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
  g.textAlign = "center"
  g.fillStyle = color
  const first = Math.floor(span.from) * patch
  const last = Math.min(content.length, Math.ceil(span.to) * patch)
  for (let i = first; i < last; i++)
    g.fillText(glyph(content.bytes[i] as number), ((i + 0.5) / patch - span.from) * cell, height - 4)
}

function mark(g: CanvasRenderingContext2D, look: Look, cell: number, patch: number | undefined, color: string): void {
  if (patch === undefined || patch + 1 < look.span.from || patch > look.span.to) return
  g.strokeStyle = color
  g.lineWidth = 2
  const w = Math.max(4, cell)
  g.beginPath()
  g.roundRect((patch - look.span.from) * cell + cell / 2 - w / 2, 1, w, look.height - 2, 4)
  g.stroke()
}
