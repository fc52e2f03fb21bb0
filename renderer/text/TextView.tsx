import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual"
import { memo, type RefObject, useEffect, useRef } from "react"
import { surpriseColor } from "../lib/color.ts"
import type { Chunk, Content } from "../lib/content.ts"
import { useSize } from "../lib/useSize.ts"
import { byteOfCharacter, characterAt, charactersBefore, nodeAt } from "./places.ts"

/**
 * The text of an item. Only the chunks in view are in the DOM, so that a million bytes scroll like a page. It follows
 * the end while that is in view, shows the patch that is pointed at, and tells which one the pointer is on.
 */
export function TextView(props: {
  content: Content
  version: number
  given: number
  patch: number
  usual: number
  surprise: boolean
  live: boolean
  /** The patch to mark, and the one to bring into view. */
  shown: number | undefined
  selected: number | undefined
  onHover: (patch: number | undefined) => void
  /** A click: the character of the whole text to put the caret at. */
  onCaret: ((character: number) => void) | undefined
  /** Characters at the beginning that are the text's title. */
  heading: number
  label: string
}) {
  const { content, version, given, patch, usual, surprise, live, shown, selected, onHover, onCaret, heading, label } =
    props
  const scroller = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const rows = useVirtualizer({
    count: content.chunks.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => 28 + Math.ceil((content.chunks[i]?.text.length ?? 0) / 66) * 29,
    overscan: 3,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  useEffect(() => {
    const el = scroller.current
    if (el && live && atEnd.current) el.scrollTop = el.scrollHeight
  }, [version, live])
  const virtual = rows.getVirtualItems()
  const [first, last] = [virtual[0]?.index, virtual.at(-1)?.index]
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows in the DOM are looked at
  useEffect(
    () => mark(rangesOf(scroller.current, content, shown, patch)),
    [shown, version, content, patch, surprise, first, last],
  )
  useReveal(scroller, rows, content, selected, patch)

  const pointed = (x: number, y: number): { chunk: Chunk; index: number; character: number } | undefined => {
    const caret = document.caretPositionFromPoint?.(x, y)
    const row = (caret?.offsetNode.parentElement as HTMLElement | null)?.closest<HTMLElement>(".text-row")
    const index = Number(row?.dataset.index ?? -1)
    const chunk = content.chunks[index]
    if (!caret || !row || !chunk) return undefined
    return { chunk, index, character: characterAt(row, caret.offsetNode, caret.offset) }
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the key E edits
    <section
      className="text-view"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      ref={scroller}
      onScroll={(e) => {
        const el = e.currentTarget
        atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < 60
      }}
      onPointerMove={(e) => {
        const at = pointed(e.clientX, e.clientY)
        onHover(at && Math.floor(byteOfCharacter(at.chunk, at.character) / patch))
      }}
      onPointerLeave={() => onHover(undefined)}
      onClick={(e) => {
        if (!getSelection()?.isCollapsed) return
        const at = pointed(e.clientX, e.clientY)
        const before = content.chunks.slice(0, at?.index ?? 0).reduce((sum, c) => sum + c.text.length, 0)
        const all = content.chunks.reduce((sum, c) => sum + c.text.length, 0)
        onCaret?.(at ? before + at.character : all)
      }}
    >
      <div className="text-rows" style={{ height: rows.getTotalSize() }}>
        {virtual.map((row) => {
          const chunk = content.chunks[row.index] as Chunk
          return (
            <div
              key={row.key}
              data-index={row.index}
              ref={rows.measureElement}
              className="text-row"
              style={{ transform: `translateY(${row.start}px)` }}
            >
              {surprise ? (
                <SurpriseChunk {...{ content, chunk, patch, usual }} end={chunk.end} />
              ) : (
                <PlainChunk
                  text={chunk.text}
                  cut={charactersBefore(content, chunk, given)}
                  heading={row.index === 0 ? heading : 0}
                />
              )}
              {live && row.index === content.chunks.length - 1 && <span className="caret" aria-hidden="true" />}
            </div>
          )
        })}
      </div>
    </section>
  )
}

/** Brings the text of the chosen patch into view when another is chosen, and when the view gets another height. */
function useReveal(
  scroller: RefObject<HTMLElement | null>,
  rows: Virtualizer<HTMLDivElement, Element>,
  content: Content,
  selected: number | undefined,
  patch: number,
): void {
  const virtual = rows.getVirtualItems()
  const [first, last] = [virtual[0]?.index, virtual.at(-1)?.index]
  const { height } = useSize(scroller)
  const revealed = useRef<{ patch: number | undefined; height: number }>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows in the DOM are looked at
  useEffect(() => {
    if (revealed.current?.patch === selected && revealed.current?.height === height) return
    const [range] = rangesOf(scroller.current, content, selected, patch)
    const chosen = selected === undefined ? -1 : content.chunks.findIndex((c) => c.end > selected * patch)
    // A chunk that is far away comes into the DOM first, and this is called again.
    if (chosen >= 0 && !range) rows.scrollToIndex(chosen, { align: "auto" })
    else {
      revealed.current = { patch: selected, height }
      if (range) reveal(scroller.current, range)
    }
  }, [selected, height, content, patch, first, last])
}

/** Where the text of a patch stands, in whichever rows are in the DOM. */
function rangesOf(scroller: HTMLElement | null, content: Content, patch: number | undefined, size: number): Range[] {
  if (patch === undefined || !scroller) return []
  return [...scroller.querySelectorAll<HTMLElement>(".text-row")].flatMap((row) => {
    const chunk = content.chunks[Number(row.dataset.index)]
    if (!chunk || chunk.end <= patch * size || chunk.start >= (patch + 1) * size) return []
    const [from, to] = [patch, patch + 1].map((p) => nodeAt(row, charactersBefore(content, chunk, p * size)))
    if (!from || !to) return []
    const range = new Range()
    range.setStart(...from)
    range.setEnd(...to)
    return [range]
  })
}

/** Marks text without touching the DOM. */
function mark(ranges: Range[]): void {
  const { highlights } = CSS as unknown as { highlights?: Map<string, unknown> }
  if (ranges.length) highlights?.set("patch", new Highlight(...ranges))
  else highlights?.delete("patch")
}

/** Scrolls a line that is out of view to the middle. */
function reveal(scroller: HTMLElement | null, range: Range): void {
  if (!scroller) return
  const [line, view] = [range.getBoundingClientRect(), scroller.getBoundingClientRect()]
  if (line.top < view.top || line.bottom > view.bottom)
    scroller.scrollTop += (line.top + line.bottom - view.top - view.bottom) / 2
}

type Plain = { text: string; cut: number; heading?: number }

/** A chunk whose first `cut` characters were given, and whose first `heading` are the title. */
const PlainChunk = memo(({ text, cut, heading = 0 }: Plain) =>
  heading > 0 ? (
    <>
      <span className="heading">
        <PlainChunk text={text.slice(0, heading)} cut={Math.min(cut, heading)} />
      </span>
      <PlainChunk text={text.slice(heading)} cut={Math.max(0, cut - heading)} />
    </>
  ) : (
    <>
      {cut > 0 && <span className="given">{text.slice(0, cut)}</span>}
      {text.slice(cut)}
    </>
  ),
)

/** A chunk patch by patch, each colored by its bits per byte. `end` makes it render again as the chunk grows. */
const SurpriseChunk = memo(
  ({
    content,
    chunk,
    end,
    patch,
    usual,
  }: {
    content: Content
    chunk: Chunk
    end: number
    patch: number
    usual: number
  }) => {
    const spans = []
    const decoder = new TextDecoder()
    for (let from = chunk.start; from < end; ) {
      const to = Math.min(end, (Math.floor(from / patch) + 1) * patch)
      const text = decoder.decode(content.bytes.subarray(from, to), { stream: true })
      const bits = content.meanBits(from, to)
      spans.push(
        <span key={from} style={bits === undefined ? undefined : { background: surpriseColor(bits, usual) }}>
          {text}
        </span>,
      )
      from = to
    }
    return spans
  },
)
