import { useVirtualizer } from "@tanstack/react-virtual"
import { memo, useEffect, useRef } from "react"
import { surpriseColor } from "../lib/color.ts"
import type { Chunk, Content } from "../lib/content.ts"

/**
 * The text of an item. Only the chunks in view are in the DOM, so that a million bytes scroll like a page. It follows
 * the end while that is in view.
 */
export function TextView(props: {
  content: Content
  version: number
  given: number
  patch: number
  heat: boolean
  live: boolean
  label: string
}) {
  const { content, version, given, patch, heat, live, label } = props
  const scroller = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const rows = useVirtualizer({
    count: content.chunks.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => 28 + Math.ceil((content.chunks[i]?.text.length ?? 0) / 80) * 26,
    overscan: 3,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  useEffect(() => {
    const el = scroller.current
    if (el && live && atEnd.current) el.scrollTop = el.scrollHeight
  }, [version, live])
  return (
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
    >
      <div className="text-rows" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const chunk = content.chunks[row.index] as Chunk
          return (
            <div
              key={row.key}
              data-index={row.index}
              ref={rows.measureElement}
              className="text-row"
              style={{ transform: `translateY(${row.start}px)` }}
            >
              {heat ? (
                <HeatChunk content={content} chunk={chunk} end={chunk.end} patch={patch} />
              ) : (
                <PlainChunk text={chunk.text} cut={givenCharacters(content, chunk, given)} />
              )}
              {live && row.index === content.chunks.length - 1 && <span className="caret" aria-hidden="true" />}
            </div>
          )
        })}
      </div>
    </section>
  )
}

/** Characters of a chunk that were given. */
function givenCharacters(content: Content, chunk: Chunk, given: number): number {
  if (chunk.start >= given) return 0
  if (chunk.end <= given) return chunk.text.length
  return new TextDecoder().decode(content.bytes.subarray(chunk.start, given)).length
}

const PlainChunk = memo(({ text, cut }: { text: string; cut: number }) => (
  <>
    {cut > 0 && <span className="given">{text.slice(0, cut)}</span>}
    {text.slice(cut)}
  </>
))

/** A chunk patch by patch, each coloured by its bits per byte. `end` makes it render again as the chunk grows. */
const HeatChunk = memo(
  ({ content, chunk, end, patch }: { content: Content; chunk: Chunk; end: number; patch: number }) => {
    const spans = []
    const decoder = new TextDecoder()
    for (let from = chunk.start; from < end; ) {
      const to = Math.min(end, (Math.floor(from / patch) + 1) * patch)
      const text = decoder.decode(content.bytes.subarray(from, to), { stream: true })
      const bits = content.meanBits(from, to)
      spans.push(
        <span key={from} style={bits === undefined ? undefined : { background: surpriseColor(bits) }}>
          {text}
        </span>,
      )
      from = to
    }
    return spans
  },
)
