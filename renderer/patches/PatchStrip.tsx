import { useEffect, useRef, useState } from "react"
import { sharpContext } from "../lib/canvas.ts"
import type { Content } from "../lib/content.ts"
import { useSize } from "../lib/useSize.ts"
import { useThemeCount } from "../lib/useTheme.ts"
import { bits, glyph } from "../lib/words.ts"
import { IconButton } from "../ui/Button.tsx"
import { drawStrip } from "./draw.ts"
import { type Span, showing, within, zoomed } from "./view.ts"

const HEIGHT = 56

/**
 * All patches of an item as bars by their bits. Pointing at one shows it in the document, a click or the arrows choose
 * it; the wheel with Ctrl, + and - zoom. With more patches than pixels a bar stands for several.
 */
export function PatchStrip(props: {
  content: Content
  version: number
  patch: number
  usual: number
  /** The bytes are letters. */
  letters: boolean
  selected: number | undefined
  hovered: number | undefined
  onSelect: (patch: number | undefined) => void
  onHover: (patch: number | undefined) => void
  onBranch: (patch: number) => void
}) {
  const { content, version, patch, usual, letters, selected, hovered, onSelect, onHover, onBranch } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width } = useSize(canvas)
  const patches = Math.ceil(content.length / patch)
  const [zoom, setZoom] = useState<Span>()
  const span = zoom ? within(zoom, patches) : { from: 0, to: Math.max(1, patches) }
  const theme = useThemeCount()

  // biome-ignore lint/correctness/useExhaustiveDependencies: version and theme stand for what else is drawn
  useEffect(() => {
    const g = sharpContext(canvas.current, width, HEIGHT)
    if (g) drawStrip(g, content, { width, height: HEIGHT, span, patch, usual, letters, selected, hovered })
  }, [version, width, patches, patch, content, selected, hovered, span.from, span.to, usual, theme])

  const zoomBy = (by: number, around = selected ?? (span.from + span.to) / 2) => {
    const next = zoomed(span, by, around, patches)
    setZoom(next.to - next.from >= patches ? undefined : next)
  }
  useWheel(canvas, (e) => {
    const width = canvas.current?.clientWidth ?? 1
    if (e.ctrlKey || e.metaKey)
      zoomBy(Math.exp(e.deltaY / 200), span.from + (e.offsetX / width) * (span.to - span.from))
    else if (zoom) {
      const by = ((e.deltaX || e.deltaY) / width) * (span.to - span.from)
      setZoom(within({ from: span.from + by, to: span.to + by }, patches))
    } else return false
    return true
  })
  const at = (x: number) =>
    Math.max(0, Math.min(patches - 1, Math.floor(span.from + (x / width) * (span.to - span.from))))
  const choose = (to: number) => {
    const next = Math.max(0, Math.min(patches - 1, to))
    if (zoom) setZoom(showing(span, next, patches))
    onSelect(next)
  }
  return (
    <div className="strip">
      <canvas
        ref={canvas}
        style={{ height: HEIGHT }}
        role="slider"
        aria-label="Patches by surprise. Arrow keys choose a patch, B branches there, plus and minus zoom."
        aria-valuemin={0}
        aria-valuemax={Math.max(0, patches - 1)}
        aria-valuenow={selected ?? 0}
        aria-valuetext={selected === undefined ? "no patch chosen" : inWords(content, selected, patch, letters)}
        tabIndex={0}
        onPointerMove={(e) => patches && onHover(at(e.nativeEvent.offsetX))}
        onPointerLeave={() => onHover(undefined)}
        onClick={(e) => {
          const clicked = at(e.nativeEvent.offsetX)
          if (patches) onSelect(clicked === selected ? undefined : clicked)
        }}
        onKeyDown={(e) => {
          const steps = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10 } as Record<string, number>
          const by = steps[e.key]
          if (by) choose((selected ?? (by > 0 ? -1 : patches)) + by)
          else if (e.key === "Home") choose(0)
          else if (e.key === "End") choose(patches - 1)
          else if (e.key === "+" || e.key === "=") zoomBy(0.5)
          else if (e.key === "-") zoomBy(2)
          else if (e.key === "0") setZoom(undefined)
          else if (e.key === "Enter" && selected !== undefined) onBranch(selected)
          else return
          e.preventDefault()
          e.stopPropagation()
        }}
      />
      <div className="strip-zoom">
        <IconButton icon="minus" label="Zoom out" disabled={!zoom} onClick={() => zoomBy(2)} />
        <IconButton icon="add" label="Zoom in" disabled={patches < 8} onClick={() => zoomBy(0.5)} />
      </div>
    </div>
  )
}

/** Listens to the wheel in a way that can keep the page from scrolling; `turn` says whether it took it. */
function useWheel(element: React.RefObject<HTMLElement | null>, turn: (e: WheelEvent) => boolean): void {
  const latest = useRef(turn)
  latest.current = turn
  useEffect(() => {
    const el = element.current
    const onWheel = (e: WheelEvent) => latest.current(e) && e.preventDefault()
    el?.addEventListener("wheel", onWheel, { passive: false })
    return () => el?.removeEventListener("wheel", onWheel)
  }, [element])
}

function inWords(content: Content, index: number, patch: number, letters: boolean): string {
  const bytes = content.bytes.subarray(index * patch, (index + 1) * patch)
  const mean = content.meanBits(index * patch, (index + 1) * patch)
  const what = letters ? [...bytes].map(glyph).join("") : `${bytes.length} bytes`
  return `patch ${index + 1}, ${what}, ${mean === undefined ? "given" : `${bits(mean)} bits a byte`}`
}
